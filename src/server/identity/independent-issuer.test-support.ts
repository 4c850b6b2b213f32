import { generateKeyPairSync } from 'node:crypto';
import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { exportJWK } from 'jose';
import { type Browser, openBrowser } from '../../entra-emulator/testing/browser.ts';

/** What is used of the package `oidc-provider`, which brings no types. */
interface OidcProvider {
  callback(): RequestListener;
  interactionDetails(
    req: IncomingMessage,
    res: ServerResponse,
  ): Promise<{
    prompt: { name: string; details: { missingOIDCScope?: string[] } };
    params: { client_id: string };
    session?: { accountId: string };
  }>;
  interactionFinished(req: IncomingMessage, res: ServerResponse, result: object): Promise<void>;
  readonly Grant: new (of: object) => { addOIDCScope(scope: string): void; save(): Promise<string> };
}

/** An OpenID provider that nobody of this project wrote. */
export interface IndependentIssuer {
  readonly url: string;
  readonly client: { readonly id: string; readonly secret: string };
  readonly agent: { readonly id: string; readonly secret: string };
  /** Groups by account; whoever is not in it has no account any more. */
  readonly accounts: Map<string, string[]>;
  /** Follows the redirects as the account's browser until one leads to `until`. */
  visit(start: URL, account: string, until: string): Promise<URL>;
  readonly browser: Browser;
  close(): Promise<void>;
}

const audience = 'https://gateway.example.com';

/** Starts `oidc-provider` with one client for sign-in, one agent, and a sign-in page that asks nothing. */
export async function startIndependentIssuer(redirectUri: string): Promise<IndependentIssuer> {
  const accounts = new Map<string, string[]>();
  const [client, agent] = [
    { id: 'gateway', secret: 'gateway-secret:with%signs' },
    { id: 'agent-1', secret: 'agent-secret' },
  ];
  const server = createServer();
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const { Provider } = (await import('oidc-provider' as string)) as {
    Provider: new (issuer: string, configuration: object) => OidcProvider;
  };
  const provider = new Provider(url, {
    clients: [
      {
        ...{ client_id: client.id, client_secret: client.secret, redirect_uris: [redirectUri] },
        ...{ grant_types: ['authorization_code', 'refresh_token'], post_logout_redirect_uris: [redirectUri] },
      },
      {
        ...{ client_id: agent.id, client_secret: agent.secret, redirect_uris: [], response_types: [] },
        grant_types: ['client_credentials'],
      },
    ],
    cookies: { keys: ['cookie-key'] },
    jwks: { keys: [await newKey('rsa'), await newKey('ec')] },
    claims: { openid: ['sub'], profile: ['preferred_username', 'groups'], email: ['email'] },
    features: {
      devInteractions: { enabled: false },
      clientCredentials: { enabled: true },
      resourceIndicators: {
        enabled: true,
        getResourceServerInfo: () => ({ scope: 'call', audience, accessTokenFormat: 'jwt' }),
      },
    },
    interactions: { url: (_: unknown, { uid }: { uid: string }) => `/interaction/${uid}` },
    issueRefreshToken: () => true,
    findAccount: (_: unknown, accountId: string) => {
      const groups = accounts.get(accountId);
      const claims = {
        sub: accountId,
        preferred_username: accountId,
        email: `${accountId}@example.com`,
        groups,
      };
      return groups && { accountId, claims: () => claims };
    },
    ttl: {
      Session: 3600,
      Grant: 3600,
      AccessToken: 3600,
      IdToken: 3600,
      RefreshToken: 3600,
      Interaction: 600,
      ClientCredentials: 600,
    },
  });
  let visitor = '';
  const callback = provider.callback();
  server.on('request', (req, res) => {
    if (req.url?.startsWith('/interaction/')) void interact(provider, req, res, () => visitor);
    else callback(req, res);
  });
  const browser = openBrowser();
  return {
    ...{ url, client, agent, accounts, browser },
    async visit(start, account, until) {
      visitor = account;
      let at = start;
      for (let steps = 0; steps < 10 && !at.href.startsWith(until); steps++) {
        const answer = await browser.get(at);
        const location = answer.headers.get('location');
        if (!location) throw new Error(`${at} answered ${answer.status}: ${await answer.text()}`);
        at = new URL(location, at);
      }
      return at;
    },
    close: () => new Promise((done) => server.close(() => done())),
  };
}

/** Signs whoever visits in, and consents to what is asked. */
async function interact(
  provider: OidcProvider,
  req: IncomingMessage,
  res: ServerResponse,
  visitor: () => string,
): Promise<void> {
  const { prompt, params, session } = await provider.interactionDetails(req, res);
  if (prompt.name === 'login')
    return provider.interactionFinished(req, res, { login: { accountId: visitor() } });
  const grant = new provider.Grant({ accountId: session?.accountId, clientId: params.client_id });
  grant.addOIDCScope((prompt.details.missingOIDCScope ?? []).join(' '));
  return provider.interactionFinished(req, res, { consent: { grantId: await grant.save() } });
}

async function newKey(kind: 'rsa' | 'ec'): Promise<object> {
  const { privateKey } =
    kind === 'rsa'
      ? generateKeyPairSync('rsa', { modulusLength: 2048 })
      : generateKeyPairSync('ec', { namedCurve: 'P-256' });
  return { ...(await exportJWK(privateKey)), kid: kind, use: 'sig', alg: kind === 'rsa' ? 'RS256' : 'ES256' };
}
