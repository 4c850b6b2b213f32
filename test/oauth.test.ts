import { decodeJwt, decodeProtectedHeader } from 'jose';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startGateway, type TestGateway } from './harness.ts';
import { callServer, signInFromClient, token } from './oauth-client.ts';

let gateway: TestGateway;
let clock: string;

beforeAll(async () => {
  gateway = await startGateway();
  clock = `${gateway.url}/currenttime/mcp`;
}, 60_000);
afterAll(() => gateway?.close());

const initialize = {
  protocolVersion: '2025-11-25',
  capabilities: {},
  clientInfo: { name: 'test', version: '1' },
};

test('a client with nothing but the URL ends signed in', async () => {
  const refused = await callServer(clock, undefined, 'initialize', initialize);
  expect(refused.status).toBe(401);
  const metadataUrl = /resource_metadata="([^"]+)"/.exec(refused.challenge ?? '')?.[1] ?? '';
  const resource = (await (await fetch(metadataUrl)).json()) as Record<string, unknown>;
  expect(resource).toMatchObject({ resource: clock, authorization_servers: [gateway.url] });
  const metadata = await fetch(`${gateway.url}/.well-known/oauth-authorization-server`);
  expect(await metadata.json()).toMatchObject({
    issuer: gateway.url,
    code_challenge_methods_supported: ['S256'],
  });

  const { answer, body, clientId } = await signInFromClient(gateway.url, clock);
  expect(answer.searchParams.get('iss')).toBe(gateway.url);
  expect(answer.searchParams.get('state')).toBe('state-1');
  const { access_token = '' } = body;
  expect(decodeProtectedHeader(access_token)).toMatchObject({ typ: 'at+jwt', alg: 'ES256' });
  expect(decodeJwt(access_token)).toMatchObject({ iss: gateway.url, aud: clock, client_id: clientId });
  expect((await callServer(clock, access_token, 'initialize', initialize)).status).toBe(200);
});

test('a token of one server is nobody at another, and at the API', async () => {
  const { body } = await signInFromClient(gateway.url, clock);
  const other = await callServer(
    `${gateway.url}/everything/mcp`,
    body.access_token,
    'initialize',
    initialize,
  );
  expect(other.status).toBe(401);
  const api = await fetch(`${gateway.url}/api/auth/me`, {
    headers: { authorization: `Bearer ${body.access_token}` },
  });
  expect(api.status).toBe(401);
});

test('refresh tokens rotate; one used twice ends its family, access tokens included', async () => {
  const { body, clientId } = await signInFromClient(gateway.url, clock);
  const refresh = (refresh_token = '') =>
    token(gateway.url, {
      grant_type: 'refresh_token',
      refresh_token,
      client_id: clientId,
      resource: clock,
    });
  const second = await refresh(body.refresh_token);
  expect(second.status).toBe(200);
  expect(second.body.refresh_token).not.toBe(body.refresh_token);
  expect((await callServer(clock, second.body.access_token, 'initialize', initialize)).status).toBe(200);
  const replayed = await refresh(body.refresh_token);
  expect(replayed).toMatchObject({ status: 400, body: { error: 'invalid_grant' } });
  expect(await refresh(second.body.refresh_token)).toMatchObject({
    status: 400,
    body: { error: 'invalid_grant' },
  });
  await expect
    .poll(async () => (await callServer(clock, second.body.access_token, 'initialize', initialize)).status)
    .toBe(401);
});
