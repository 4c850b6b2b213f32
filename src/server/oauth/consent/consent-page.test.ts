import { expect, test } from 'vitest';
import type { StoredClient } from '../clients/clients.ts';
import { resourceOf } from '../resources.ts';
import { reachOf } from './consent.ts';
import { consentPage } from './consent-page.ts';

const client: StoredClient = {
  ...{ id: 'client_x', kind: 'registered', alias: null, name: '<b>Gateway</b>', secretHash: null },
  ...{ groups: [], status: 'open', fetchedAt: null },
  metadata: {
    ...{ client_name: 'x', redirect_uris: [], grant_types: [], token_endpoint_auth_method: 'none' },
  },
};

function page(resource: string): string {
  const found = resourceOf(resource, 'https://gateway.example');
  if (!found) throw new Error('no resource');
  return consentPage({
    ...{ client, redirectUri: 'https://client.example/x', scopes: ['mcp:read', 'mcp:call'] },
    reach: reachOf({ titleOf: (_, at) => at }, found, undefined),
    ...{ onlyReading: false, onlyAt: null, places: [], days: 1, person: undefined, providers: [] },
    ...{ action: '/x', hidden: {} },
  });
}

test('a program that asks for the registry’s own tools alone is said to reach every server through them', () => {
  expect(page('https://gateway.example/airegistry-tools/mcp')).toContain(
    'Through it, this program reaches every server that you may use.',
  );
  expect(page('https://gateway.example/everything/mcp')).not.toContain('every server');
});

test('what a program calls itself is text', () => {
  expect(page('https://gateway.example/everything/mcp')).toContain('<bdi>&lt;b&gt;Gateway&lt;/b&gt;</bdi>');
});
