import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import type { Diagnosis } from '../../../contract/diagnosis/doctor.ts';
import { readConfig } from '../../config/config.ts';
import {
  type IndependentIssuer,
  startIndependentIssuer,
} from '../../identity/independent-issuer.test-support.ts';
import { providersOf } from '../../identity/providers/index.ts';
import { type ScriptedIssuer, startIssuer } from '../../identity/providers/issuer.test-support.ts';
import { shapes } from '../../identity/providers/shapes.test-support.ts';
import type { Fetch } from '../../net/outbound.ts';
import { runOidcDoctor } from './doctor.ts';

const redirectUri = 'https://gateway.example.com/oauth2/callback/oidc';
const now = Date.now;
let issuer: IndependentIssuer;
let scripted: ScriptedIssuer | undefined;

beforeAll(async () => {
  issuer = await startIndependentIssuer(redirectUri);
});
afterAll(() => issuer.close());
afterEach(async () => {
  await scripted?.close();
  scripted = undefined;
});

function examine(settings: Record<string, string>, fetch: Fetch): Promise<Diagnosis> {
  const config = readConfig(
    {
      ...{ SECRET_KEY: '3f6c1c0d9e8b7a6f5e4d3c2b1a0f9e8d', REGISTRY_URL: 'https://gateway.example.com' },
      ...settings,
    },
    '/srv',
  );
  return runOidcDoctor({ provider: providersOf(config)[0]!, fetch, now });
}

const examineIndependent = (change: Record<string, string> = {}): Promise<Diagnosis> =>
  examine(
    {
      ...{ AUTH_PROVIDER: 'oidc', OIDC_ISSUER: issuer.url, OIDC_CLIENT_ID: issuer.client.id },
      OIDC_CLIENT_SECRET: issuer.client.secret,
      ...change,
    },
    (url, init) => fetch(url, { ...init, redirect: 'manual' }),
  );

const levelsOf = ({ findings }: Diagnosis) =>
  Object.fromEntries(findings.map(({ id, level }) => [id, level]));
const said = ({ findings }: Diagnosis, id: string): string =>
  findings.find((finding) => finding.id === id)?.what ?? '';

test('a provider that is set up right is healthy, and no secret is told', async () => {
  const diagnosis = await examineIndependent();
  expect(diagnosis.healthy).toBe(true);
  expect(levelsOf(diagnosis)).toEqual({
    discovery: 'ok',
    'signing-keys': 'ok',
    'redirect-uri': 'ok',
    'client-credential': 'ok',
    ...(said(diagnosis, 'pkce') ? { pkce: 'ok' } : {}),
  });
  expect(JSON.stringify(diagnosis)).not.toContain('gateway-secret');
});

test.each([
  ['a wrong secret', { OIDC_CLIENT_SECRET: 'wrong' }, 'client-credential'],
  ['an unknown client', { OIDC_CLIENT_ID: 'nobody' }, 'client-credential'],
  ['an address that is not registered', { REGISTRY_URL: 'https://other.example.com' }, 'redirect-uri'],
])('%s is found, with a remedy', async (_, change, id) => {
  const diagnosis = await examineIndependent(change as Record<string, string>);
  expect(diagnosis.healthy).toBe(false);
  expect(diagnosis.findings.find((finding) => finding.id === id)).toMatchObject({
    level: 'fail',
    remedy: expect.anything(),
  });
});

test('an issuer that calls itself otherwise is the only finding, with both names', async () => {
  const diagnosis = await examineIndependent({ OIDC_ISSUER: `${issuer.url}/` });
  expect(levelsOf(diagnosis)).toEqual({ discovery: 'fail' });
  expect(said(diagnosis, 'discovery')).toMatch(new RegExp(`${issuer.url}, .*${issuer.url}/`));
});

test('a provider that is away is a finding, not an error', async () => {
  const diagnosis = await examine(
    { AUTH_PROVIDER: 'oidc', OIDC_ISSUER: issuer.url, OIDC_CLIENT_ID: 'x', OIDC_CLIENT_SECRET: 'y' },
    () => Promise.reject(new TypeError('fetch failed')),
  );
  expect(levelsOf(diagnosis)).toEqual({ discovery: 'fail' });
});

const keycloak = shapes.find(({ name }) => name === 'keycloak')!;
const agentToken = (change: object) => () => ({
  ...keycloak.bearer!.agent(['agents']),
  ...{ azp: 'mcp-gateway-web', client_id: 'mcp-gateway-web' },
  preferred_username: 'service-account-mcp-gateway-web',
  ...change,
});

test.each([
  ['lists its groups', {}, 'ok', /lists 1 group/],
  ['lists none', { groups: undefined }, 'ok', /lists no groups/],
  ['has no audience mapper', { aud: 'account' }, 'fail', /add an audience mapper/],
])('an agent’s token that %s is told of', async (_, change, level, what) => {
  scripted = await startIssuer(keycloak.endpoints, keycloak.client, now);
  scripted.script.agentToken = agentToken(change);
  const diagnosis = await examine(
    { AUTH_PROVIDER: 'keycloak', ...(keycloak.settings as Record<string, string>) },
    scripted.send,
  );
  expect(levelsOf(diagnosis)['agent-token']).toBe(level);
  expect(said(diagnosis, 'agent-token')).toMatch(what);
});
