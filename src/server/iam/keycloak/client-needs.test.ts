import { expect, test } from 'vitest';
import { needsOf } from './client-needs.ts';
import type { FullClient } from './clients.ts';

const callback = 'https://gw.example.com/oauth2/callback/keycloak';
const good: FullClient = {
  ...{ id: '1', clientId: 'mcp-gateway-web', publicClient: false, standardFlowEnabled: true },
  ...{ implicitFlowEnabled: false, directAccessGrantsEnabled: false },
  ...{ redirectUris: [callback], defaultClientScopes: [] },
  attributes: { 'post.logout.redirect.uris': callback, 'pkce.code.challenge.method': 'S256' },
};

test.each<[string, Partial<FullClient>, string[]]>([
  ['as the guide has it', {}, []],
  [
    'with addresses relative to its root',
    { rootUrl: 'https://gw.example.com', redirectUris: ['/oauth2/callback/keycloak'] },
    [],
  ],
  [
    'with all redirect URIs for sign-out (+)',
    { attributes: { ...good.attributes, 'post.logout.redirect.uris': '+' } },
    [],
  ],
  [
    'with a pattern only',
    { redirectUris: ['https://gw.example.com/*'] },
    [`add the redirect URI ${callback}`],
  ],
  ['that is public', { publicClient: true }, ['turn Client authentication on']],
  ['with passwords', { directAccessGrantsEnabled: true }, ['turn Direct access grants off']],
  [
    'without attributes',
    { attributes: null },
    [`let people come back to ${callback} after they have signed out`, 'require PKCE with S256'],
  ],
])('a client %s is completed, and nothing else of it changes', (_, change, lines) => {
  const client = { ...good, ...change };
  const unmet = needsOf(callback).filter((need) => !need.isMet(client));
  expect(unmet.map((need) => need.change)).toEqual(lines);
  const met = unmet.reduce((one, need) => need.met(one), client);
  expect(needsOf(callback).filter((need) => !need.isMet(met))).toEqual([]);
  expect(met.redirectUris).toEqual(expect.arrayContaining(client.redirectUris));
  expect(met.attributes).toMatchObject(
    client.attributes?.['post.logout.redirect.uris'] === '+' ? client.attributes : {},
  );
});
