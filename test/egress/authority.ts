import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { type Context, Provider } from 'oidc-provider';
import { freePort } from '../harness.ts';
import { openBrowser } from '../oauth-client.ts';

/** An authorization server that is no part of the gateway, with a page on which people allow or deny. */
export interface Authority {
  readonly issuer: string;
  readonly client: { readonly id: string; readonly secret: string };
  /** The grant types that tokens were asked for with, in order. */
  readonly asked: string[];
  /** The audience of tokens that are asked for a resource; the resource unless given. */
  audience: string | undefined;
  /** Whose a token is; undefined for one that is not valid. */
  whose(token: string): Promise<string | undefined>;
  /** Ends what an account allowed, as its owner does in the settings of such a service. */
  revoke(account: string): Promise<void>;
  stop(): Promise<void>;
  start(): Promise<void>;
}

/**
 * Starts oidc-provider on loopback as services such as GitHub are: one registered client with a secret, opaque tokens, refresh
 * tokens that serve once. Access tokens end at once, so that every call has to have them refreshed. It registers clients too.
 */
export async function startAuthority(redirectUri: string): Promise<Authority> {
  const port = await freePort();
  const issuer = `http://127.0.0.1:${port}`;
  const client = { id: 'the-gateway', secret: 'secret-of-the-client' };
  const grants = new Map<string, string>();
  const asked: string[] = [];
  const provider = new Provider(issuer, {
    clients: [
      {
        ...{ client_id: client.id, client_secret: client.secret, redirect_uris: [redirectUri] },
        ...{ grant_types: ['authorization_code', 'refresh_token'], response_types: ['code'] },
        token_endpoint_auth_method: 'client_secret_basic',
      },
    ],
    scopes: ['openid', 'offline_access', 'repo'],
    cookies: { keys: ['for tests only'] },
    findAccount: (_: Context, id: string) => ({ accountId: id, claims: () => ({ sub: id }) }),
    issueRefreshToken: () => true,
    rotateRefreshToken: true,
    ttl: { AccessToken: 5, Grant: 3600, Interaction: 600, RefreshToken: 3600, Session: 3600, IdToken: 60 },
    interactions: { url: (_: Context, { uid }: { uid: string }) => `/ask/${uid}` },
    features: {
      devInteractions: { enabled: false },
      registration: { enabled: true },
      revocation: { enabled: true },
      resourceIndicators: {
        enabled: true,
        useGrantedResource: () => true,
        getResourceServerInfo: (_: Context, resource: string) => ({
          ...{ scope: 'repo', audience: authority.audience ?? resource, jwt: { sign: { alg: 'RS256' } } },
          accessTokenFormat: authority.audience === undefined ? 'opaque' : 'jwt',
        }),
      },
    },
  });
  provider.on('grant.success', (ctx: Context) => void asked.push(String(ctx.oidc.params.grant_type)));
  provider.on('grant.error', (ctx: Context) => void asked.push(`refused ${ctx.oidc.params.grant_type}`));

  const finish = async (req: IncomingMessage, res: ServerResponse): Promise<void> => {
    let text = '';
    for await (const chunk of req) text += chunk;
    const form = new URLSearchParams(text);
    const { params } = await provider.interactionDetails(req, res);
    const account = form.get('account') ?? '';
    let result: Record<string, unknown> = { error: 'access_denied' };
    if (form.get('decision') === 'allow') {
      const grant = new provider.Grant({ accountId: account, clientId: params.client_id ?? '' });
      grant.addOIDCScope('openid offline_access repo');
      if (params.resource) grant.addResourceScope(params.resource, 'repo');
      const grantId = await grant.save();
      grants.set(account, grantId);
      result = { login: { accountId: account }, consent: { grantId } };
    }
    const next = await provider.interactionResult(req, res, result, { mergeWithLastSubmission: false });
    res.writeHead(303, { location: next }).end();
  };
  const callback = provider.callback();
  const make = () =>
    createServer((req, res) => {
      if (!req.url?.startsWith('/ask/')) return callback(req, res);
      if (req.method === 'POST') return void finish(req, res);
      res.writeHead(200, { 'content-type': 'text/html' });
      return res.end(
        '<!doctype html><html lang="en"><title>Hub</title><h1>Hub</h1><form method="post"><label>Account <input name="account"></label><button name="decision" value="allow">Allow</button><button name="decision" value="deny">Deny</button></form>',
      );
    });
  let server = make();
  const authority: Authority = {
    ...{ issuer, client, asked, audience: undefined },
    async whose(token) {
      return (await provider.AccessToken.find(token))?.accountId;
    },
    async revoke(account) {
      await (await provider.Grant.find(grants.get(account) ?? ''))?.destroy();
    },
    async stop() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
    async start() {
      server = make();
      server.listen(port, '127.0.0.1');
      await once(server, 'listening');
    },
  };
  await authority.start();
  return authority;
}

/** Goes from where the gateway sends a browser to where it is sent back to, and allows or denies on the way. */
export async function decideAt(
  authorizeUrl: string,
  account: string,
  decision: 'allow' | 'deny' = 'allow',
): Promise<URL> {
  const browser = openBrowser();
  const { origin } = new URL(authorizeUrl);
  let at = new URL(authorizeUrl);
  let post = false;
  for (let step = 0; step < 10; step += 1) {
    const body = new URLSearchParams({ account, decision });
    const response = await browser.go(at, post ? { method: 'POST', body } : {});
    const location = response.headers.get('location');
    if (location === null) {
      if (post) throw new Error(`it leads nowhere: ${response.status} ${await response.text()}`);
      if (!at.pathname.startsWith('/ask/')) throw new Error(`no question: ${await response.text()}`);
      post = true;
      continue;
    }
    post = false;
    at = new URL(location, at);
    if (at.origin !== origin) return at;
  }
  throw new Error('it goes round in circles');
}
