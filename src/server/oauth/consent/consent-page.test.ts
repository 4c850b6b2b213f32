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

function page(resource: string, who = client, redirectUri = 'https://client.example/x'): string {
  const found = resourceOf(resource, 'https://gateway.example');
  if (!found) throw new Error('no resource');
  return consentPage({
    ...{ client: who, redirectUri, scopes: ['mcp:read', 'mcp:call'] },
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

test.each([
  ['https://files.example/people/mallory/client.json', true],
  ['https://client.example/client.json', false],
  ['https://client.example:8443/client.json', true],
])('whose document is at %s, and where its access goes, is said where they differ: %s', (id, differs) => {
  const text = page('https://gateway.example/everything/mcp', { ...client, id, kind: 'document' });
  expect(text).toContain(`<strong>${new URL(id).host}</strong>`);
  expect(text.includes('The access goes to client.example')).toBe(differs);
  expect(text.includes('has the sign-in sent to <strong>client.example</strong>')).toBe(differs);
});

test('what a program calls itself is text', () => {
  expect(page('https://gateway.example/everything/mcp')).toContain('<bdi>&lt;b&gt;Gateway&lt;/b&gt;</bdi>');
});
