import { afterEach, beforeEach, expect, test } from 'vitest';
import { createAllow } from '../db/allowance.ts';
import { type OpenDatabase, openMemory } from '../db/open.ts';
import { createEmbeddings } from './embeddings.ts';
import { createFinder } from './finder.ts';
import type { Item } from './item.ts';
import { createEngine } from './search.ts';

let database: OpenDatabase;
let asked: { url: string; authorization: string | null; input: string[] }[];
let reply: (texts: string[]) => Response;
let time: number;

beforeEach(async () => {
  database = await openMemory();
  [asked, time] = [[], 0];
  reply = (texts) =>
    Response.json({ data: texts.map((text, index) => ({ index, embedding: meaning(text) })) });
});
afterEach(() => database.close());

/** A service that knows that a gizmo files a complaint. */
function meaning(text: string): number[] {
  const about = (words: RegExp): number => (words.test(text) ? 1 : 0);
  return [about(/complain|gizmo/i), about(/paint/i), 0.1, 0, 0, 0, 0, 0];
}

const tool = (name: string, description: string): Item => ({
  ...{ kind: 'tool', id: `/x#${name}`, path: '/x', name, title: null, description, tags: [], owner: 'x' },
  ...{ enabled: true, more: '', definition: null },
});
const engine = createEngine();
engine.index.put('x', [
  tool('file_complaint', 'Writes down that somebody is not content.'),
  tool('gizmo', 'Does what it does.'),
  tool('paint_wall', 'Paints a wall.'),
]);

function open(key = 'k') {
  return createEmbeddings({
    ...{ db: database.db, index: () => engine.index, now: () => time, pollMs: 0 },
    config: { url: 'https://ai.example/v1', model: 'm', key },
    log: { warn() {}, info() {} },
    fetch: async (url, init) => {
      const { input } = JSON.parse(String(init?.body)) as { input: string[] };
      asked.push({ url: String(url), authorization: new Headers(init?.headers).get('authorization'), input });
      return reply(input);
    },
  });
}

function finderWith(embeddings: ReturnType<typeof open> | undefined) {
  const rights = { key: {}, maySee: () => true, mayCall: () => true };
  return createFinder<string>({
    ...{ engine, embeddings, ready: Promise.resolve(), perMinute: 0, allow: createAllow(() => time) },
    ...{ rightsOf: () => rights, nameOf: (who) => who },
  });
}

test('each text is sent once, with the key, and kept in the database', async () => {
  const first = open();
  expect(await first.catchUp()).toBe(0);
  expect(asked).toMatchObject([{ url: 'https://ai.example/v1/embeddings', authorization: 'Bearer k' }]);
  expect(asked[0]?.input).toHaveLength(3);
  expect(await first.catchUp()).toBe(0);
  expect(await open().catchUp()).toBe(0);
  expect(asked).toHaveLength(1);
});

test('the service has a say in the scores, and a query is sent once', async () => {
  const embeddings = open();
  await embeddings.catchUp();
  const scoreBy = async (finder: ReturnType<typeof finderWith>, name: string): Promise<number> => {
    const { hits } = await finder.search('me', 'complain about the wall');
    return hits.find(({ item }) => item.name === name)?.score ?? 0;
  };
  const [without, withIt] = [finderWith(undefined), finderWith(embeddings)];
  expect(await scoreBy(withIt, 'gizmo')).toBeGreaterThan(await scoreBy(without, 'gizmo'));
  expect(await scoreBy(withIt, 'paint_wall')).toBeLessThan(await scoreBy(without, 'paint_wall'));
  expect(asked).toHaveLength(2);
});

test.each<[string, () => Response]>([
  ['an error', () => new Response('no', { status: 500 })],
  ['something else', () => Response.json({ data: [{ embedding: 'x' }] })],
  ['no vectors', () => Response.json({})],
])(
  'with %s from the service the search goes on without, and asks again a minute later',
  async (_, broken) => {
    const embeddings = open();
    await embeddings.catchUp();
    const healthy = reply;
    reply = broken;
    const finder = finderWith(embeddings);
    const { hits } = await finder.search('me', 'paint wall');
    expect(hits[0]?.item.name).toBe('paint_wall');
    await finder.search('me', 'paint a wall');
    expect(asked).toHaveLength(2);
    reply = healthy;
    time += 60_001;
    await finder.search('me', 'paint the wall');
    expect(asked).toHaveLength(3);
  },
);
