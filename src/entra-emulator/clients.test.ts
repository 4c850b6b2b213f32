import { createHash, generateKeyPairSync } from 'node:crypto';
import tls from 'node:tls';
import {
  ConfidentialClientApplication,
  type Configuration,
  CryptoProvider,
  PublicClientApplication,
} from '@azure/msal-node';
import { Client, PageIterator } from '@microsoft/microsoft-graph-client';
import { auth, type OAuthClientProvider } from '@modelcontextprotocol/sdk/client/auth.js';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { makeCertificate, toPem } from './keys/certificate.ts';
import { type Emulator, shippedTenant, startEmulator } from './main.ts';
import { claimsOf, openBrowser } from './testing/browser.ts';
import { adminGraph } from './testing/graph.ts';
import { askAgentToken, callback } from './testing/sign-in.ts';

const { accounts, agents, appIdUri, publicClientId } = shippedTenant;
const redirectUri = callback;
let emulator: Emulator;

beforeAll(async () => {
  emulator = await startEmulator({ https: true });
  tls.setDefaultCACertificates([...tls.getCACertificates('default'), emulator.ca ?? '']);
});
afterEach(() => emulator.reset());
afterAll(() => emulator.close());

function configuration(more: Partial<Configuration['auth']> = {}): Configuration {
  return {
    auth: {
      clientId: emulator.clientId,
      authority: `${emulator.origin}/${emulator.tenantId}`,
      knownAuthorities: [new URL(emulator.origin).host],
      ...more,
    },
  };
}

const confidential = (more: Partial<Configuration['auth']> = {}) =>
  new ConfidentialClientApplication(configuration({ clientSecret: emulator.clientSecret, ...more }));

/** What the browser would do with MSAL's URL. */
async function codeFrom(url: string, account: { objectId: string }): Promise<string> {
  const response = await openBrowser().post(url, { emulator_account: account.objectId });
  return new URL(response.headers.get('location') ?? '').searchParams.get('code') ?? '';
}

test('MSAL signs a user in at a confidential client and refreshes silently', async () => {
  const client = confidential();
  const scopes = [`${emulator.clientId}/access_as_user`, 'offline_access'];
  const code = await codeFrom(await client.getAuthCodeUrl({ scopes, redirectUri }), accounts.admin);
  const result = await client.acquireTokenByCode({ code, scopes, redirectUri });
  expect(result.account?.username).toBe('alice@contoso.example');
  expect(result.account?.localAccountId).toBe(accounts.admin.objectId);
  if (!result.account) throw new Error('no account');
  const silent = await client.acquireTokenSilent({ account: result.account, scopes, forceRefresh: true });
  expect(silent.fromCache).toBe(false);
  expect(claimsOf(silent.accessToken).oid).toBe(accounts.admin.objectId);
  const cached = await client.acquireTokenSilent({ account: result.account, scopes });
  expect(cached.fromCache).toBe(true);
});

test('MSAL gets an app-only token with a secret', async () => {
  const { clientId, clientSecret } = agents.developer;
  const result = await confidential({ clientId, clientSecret }).acquireTokenByClientCredential({
    scopes: [`${appIdUri}/.default`],
  });
  expect(claimsOf(result?.accessToken)).toMatchObject({ azp: clientId, groups: agents.developer.groups });
});

test('MSAL gets an app-only token with a certificate', async () => {
  const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const dates = { from: new Date('2025-01-01'), to: new Date('2035-01-01') };
  const certificate = makeCertificate({ subject: 'agent', publicKey, signWith: privateKey, ...dates });
  const graph = await adminGraph(emulator);
  const keyCredentials = [
    { type: 'AsymmetricX509Cert', usage: 'Verify', key: certificate.toString('base64') },
  ];
  await graph('PATCH', `/applications(appId='${agents.user.clientId}')`, { keyCredentials });
  const client = new ConfidentialClientApplication(
    configuration({
      clientId: agents.user.clientId,
      clientCertificate: {
        thumbprintSha256: createHash('sha256').update(certificate).digest('hex'),
        privateKey: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
        x5c: toPem(certificate),
      },
    }),
  );
  const result = await client.acquireTokenByClientCredential({ scopes: [`${appIdUri}/.default`] });
  expect(claimsOf(result?.accessToken)).toMatchObject({ azp: agents.user.clientId, azpacr: '2' });
});

test('MSAL signs a user in at a public client with PKCE', async () => {
  const client = new PublicClientApplication(configuration({ clientId: publicClientId }));
  const { verifier, challenge } = await new CryptoProvider().generatePkceCodes();
  const scopes = ['openid', 'profile'];
  const uri = 'http://localhost:53124';
  const url = await client.getAuthCodeUrl({
    scopes,
    redirectUri: uri,
    codeChallenge: challenge,
    codeChallengeMethod: 'S256',
  });
  const code = await codeFrom(url, accounts.user);
  const result = await client.acquireTokenByCode({ code, scopes, redirectUri: uri, codeVerifier: verifier });
  expect(result.account?.username).toBe('bob@contoso.example');
});

test('MSAL signs a device in', async () => {
  const client = new PublicClientApplication(configuration({ clientId: publicClientId }));
  const result = await client.acquireTokenByDeviceCode({
    scopes: ['openid', 'profile'],
    deviceCodeCallback: ({ userCode, verificationUri }) => {
      void openBrowser().post(verificationUri, {
        user_code: userCode,
        emulator_account: accounts.user.objectId,
      });
    },
  });
  expect(result?.account?.username).toBe('bob@contoso.example');
});

test('MSAL acts on behalf of a user', async () => {
  const client = confidential();
  const scopes = [`${emulator.clientId}/access_as_user`];
  const code = await codeFrom(await client.getAuthCodeUrl({ scopes, redirectUri }), accounts.admin);
  const { accessToken } = await client.acquireTokenByCode({ code, scopes, redirectUri });
  const result = await confidential().acquireTokenOnBehalfOf({
    oboAssertion: accessToken,
    scopes: ['https://graph.microsoft.com/User.Read'],
  });
  expect(claimsOf(result?.accessToken)).toMatchObject({
    aud: 'https://graph.microsoft.com',
    oid: accounts.admin.objectId,
  });
});

test('MSAL reports a wrong secret with its AADSTS number', async () => {
  const client = confidential({ clientSecret: 'wrong' });
  const asked = client.acquireTokenByClientCredential({ scopes: [`${appIdUri}/.default`] });
  await expect(asked).rejects.toThrow(/7000215/);
});

/** Microsoft's Graph client, unmodified, with an application token. */
async function graphSdk(): Promise<Client> {
  const { body } = await askAgentToken(emulator, shippedTenant.admin, {
    scope: 'https://graph.microsoft.com/.default',
  });
  return Client.initWithMiddleware({
    baseUrl: `${emulator.graphOrigin}/`,
    customHosts: new Set([new URL(emulator.origin).hostname]),
    authProvider: { getAccessToken: async () => String(body.access_token) },
  });
}

test('the Graph client pages through a collection', async () => {
  const client = await graphSdk();
  const first = await client.api('/groups').top(50).select('id').get();
  const seen = new Set<string>();
  const iterator = new PageIterator(client, first, ({ id }: { id: string }) => {
    seen.add(id);
    return true;
  });
  await iterator.iterate();
  expect(seen.size).toBe(209);
});

test('the Graph client sends batches', async () => {
  const client = await graphSdk();
  const requests = [
    { id: '1', method: 'GET', url: `/users/${accounts.user.objectId}` },
    { id: '2', method: 'GET', url: '/users/nobody' },
  ];
  const { responses } = await client.api('/$batch').post({ requests });
  expect(responses).toHaveLength(2);
});

test('the Graph client retries a 429 by itself', async () => {
  const client = await graphSdk();
  emulator.faults.add({ kind: 'throttle', path: '/groups', retryAfterSeconds: 1, times: 1 });
  expect((await client.api(`/groups/${shippedTenant.groups.users}`).get()).displayName).toBe(
    'mcp-test-users',
  );
});

test('the Graph client turns error bodies into errors with their code', async () => {
  const asked = (await graphSdk()).api('/users/nobody').get();
  await expect(asked).rejects.toMatchObject({ statusCode: 404, code: 'Request_ResourceNotFound' });
});

test("the MCP SDK's OAuth client is sent to AADSTS9010010, as at Entra", async () => {
  const resource = 'https://gateway.example/mcp';
  let sentTo: URL | undefined;
  const provider: OAuthClientProvider = {
    redirectUrl: callback,
    clientMetadata: { redirect_uris: [callback], scope: `${appIdUri}/access_as_user` },
    clientInformation: () => ({ client_id: emulator.clientId, client_secret: emulator.clientSecret }),
    tokens: () => undefined,
    saveTokens: () => undefined,
    redirectToAuthorization: (url) => {
      sentTo = url;
    },
    saveCodeVerifier: () => undefined,
    codeVerifier: () => '',
  };
  const fetchFn = (input: string | URL, init?: RequestInit): Promise<Response> => {
    const url = new URL(input);
    if (url.hostname !== 'gateway.example') return fetch(input, init);
    const metadata = {
      resource,
      authorization_servers: [emulator.issuers.v2],
      scopes_supported: [`${appIdUri}/access_as_user`],
    };
    return Promise.resolve(
      Response.json(url.pathname.startsWith('/.well-known/oauth-protected-resource') ? metadata : {}),
    );
  };
  expect(await auth(provider, { serverUrl: resource, fetchFn })).toBe('REDIRECT');
  expect(sentTo?.searchParams.get('resource')).toBe(resource);
  expect(await (await openBrowser().get(sentTo ?? '')).text()).toContain('AADSTS9010010');
});
