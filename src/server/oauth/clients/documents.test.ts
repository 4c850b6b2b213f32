import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type OpenDatabase, openMemory } from '../../db/open.ts';
import type { Fetch } from '../../net/outbound.ts';
import { createDocuments, type DocumentsWorld } from './documents.ts';

/** Client metadata documents: which are believed, how often anybody is asked, and what closed networks have. */
let database: OpenDatabase;
let asked: string[];
let clock: number;
beforeEach(async () => {
  database = await openMemory();
  [asked, clock] = [[], Date.parse('2026-11-29T10:00:00Z')];
});
afterEach(() => database.close());

const id = 'https://app.example/client.json';
const document = { client_id: id, client_name: 'App', redirect_uris: ['https://app.example/callback'] };

function documents(respond: () => Response, mode: DocumentsWorld['mode'] = 'open') {
  const fetch = (async (url: string) => {
    asked.push(url);
    return respond();
  }) as unknown as Fetch;
  const log = { info: () => undefined };
  return createDocuments({ db: database.db, fetch, now: () => clock, log, mode });
}

test('a document about this very client is believed for as long as it says', async () => {
  const find = documents(() => Response.json(document, { headers: { 'cache-control': 'max-age=600' } }));
  expect((await find(id))?.metadata).toMatchObject({
    client_name: 'App',
    token_endpoint_auth_method: 'none',
  });
  clock += 599_000;
  await find(id);
  expect(asked).toEqual([id]);
  clock += 2000;
  await find(id);
  expect(asked).toEqual([id, id]);
});

describe('a client whose document', () => {
  test.each<[string, () => Response]>([
    ['is about another client', () => Response.json({ ...document, client_id: `${id}?x` })],
    ['publishes a secret', () => Response.json({ ...document, client_secret: 's' })],
    [
      'wants a shared secret',
      () => Response.json({ ...document, token_endpoint_auth_method: 'client_secret_post' }),
    ],
    [
      'names no keys of its own',
      () => Response.json({ ...document, token_endpoint_auth_method: 'private_key_jwt' }),
    ],
    ['has no redirects', () => Response.json({ ...document, redirect_uris: [] })],
    [
      'leads to a page over http',
      () => Response.json({ ...document, redirect_uris: ['http://app.example/callback'] }),
    ],
    ['is a page', () => new Response(JSON.stringify(document), { headers: { 'content-type': 'text/html' } })],
    ['is elsewhere', () => new Response(null, { status: 302, headers: { location: 'https://b.example/' } })],
    ['is cut off', () => new Response('{"client_id"', { headers: { 'content-type': 'application/json' } })],
  ])('%s is no one, and is not asked again at once', async (_, respond) => {
    const find = documents(respond);
    expect(await find(id)).toBeUndefined();
    expect(await find(id)).toBeUndefined();
    expect(asked).toHaveLength(1);
  });
});

test('strangers cause thirty requests a minute at most', async () => {
  const find = documents(() => new Response(null, { status: 404 }));
  for (let number = 0; number < 50; number += 1) await find(`https://app.example/${number}.json`);
  expect(asked).toHaveLength(30);
  clock += 60_001;
  await find('https://app.example/later.json');
  expect(asked).toHaveLength(31);
});

describe.each([
  ['https://claude.ai/oauth/claude-code-client-metadata', 'claude-code', 'http://localhost/callback'],
  ['https://chatgpt.com/oauth/codex/client.json', 'codex', 'http://127.0.0.1/callback'],
  ['https://vscode.dev/oauth/client-metadata.json', 'vscode', 'http://127.0.0.1:33418/'],
])('on a network without a way out, %s', (known, alias, redirect) => {
  const away = (): Response => {
    throw new TypeError('fetch failed');
  };

  test('is known all the same', async () => {
    const found = await documents(away)(known);
    expect(found).toMatchObject({ alias, metadata: { redirect_uris: expect.arrayContaining([redirect]) } });
  });

  test('is known where nothing may be fetched, and nobody is asked', async () => {
    const find = documents(away, 'known');
    expect(await find(known)).toMatchObject({ alias });
    expect(await find(id)).toBeUndefined();
    expect(asked).toEqual([]);
  });
});

test.each([
  ['alias', 'of-an-administrator', 'codex'],
  ['id', 'codex', null],
])('a known program whose name is the %s of another client goes without it', async (_, client_id, alias) => {
  await database.db
    .insertInto('oauth_clients')
    .values({
      ...{
        client_id,
        kind: 'administrator',
        alias,
        name: 'Ours',
        metadata: '{}',
        secret_hash: null,
        groups: '[]',
      },
      ...{ status: 'approved', registered_from: null, created_by: 'alice', last_used_at: null },
      ...{ created_at: '2026-01-01T00:00:00.000Z', expires_at: null, fetched_at: null },
    })
    .execute();
  const find = documents(() => new Response(null, { status: 404 }));
  const id = 'https://chatgpt.com/oauth/codex/client.json';
  expect(await find(id)).toMatchObject({ id, alias: null });
});
