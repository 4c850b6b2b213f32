import { createHash } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { LRUCache } from 'lru-cache';
import type { Db } from '../db/tables.ts';
import type { Fetch } from '../net/outbound.ts';
import { toBytes } from './byte-rows.ts';
import type { SearchIndex } from './search-index.ts';

/** A service of embeddings that speaks OpenAI's API (`POST {url}/embeddings`). */
export interface EmbeddingsConfig {
  /** Up to and without `/embeddings`, such as https://api.openai.com/v1. */
  readonly url: string;
  readonly model: string;
  /** Sent as a bearer token; empty: none is. */
  readonly key: string;
}

/** What the vectors of a service are made with. */
export interface EmbeddingsWorld {
  readonly config: EmbeddingsConfig;
  readonly db: Db;
  readonly fetch: Fetch;
  /** The index as it is now. */
  readonly index: () => SearchIndex;
  readonly log: { warn(facts: object, message: string): void; info(facts: object, message: string): void };
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** Milliseconds between two looks for what has no vector yet; 5 s unless given, none when 0. */
  readonly pollMs?: number;
}

/** How near two texts are by the service: the cosine; undefined where a vector is missing. */
export type Nearness = (text: string) => number | undefined;

/** The vectors that a service makes; without it, or where it fails, the search goes on with its own. */
export interface Embeddings {
  /** How near texts of things are to a query; undefined when the service does not reply in time. */
  nearnessTo(query: string): Promise<Nearness | undefined>;
  /** Gets vectors for what has none yet; returns how many are still missing. */
  catchUp(): Promise<number>;
  close(): void;
}

interface Stored {
  readonly bytes: Int8Array;
  readonly scale: number;
}

/** Texts of one request: few, so that reading the response never holds up calls for long. */
const together = 8;
/** Milliseconds that a search waits for the vector of its query. */
const patienceMs = 800;
const restMs = 60_000;
const longestText = 2000;

/** Starts to get vectors in the background; those in the database are not asked for again. */
export function createEmbeddings(world: EmbeddingsWorld): Embeddings {
  const { config, db, log, now, pollMs = 5000 } = world;
  const vectors = new Map<string, Stored>();
  const queries = new LRUCache<string, Stored>({ max: 500 });
  let [closed, loaded, restsUntil] = [false, false, 0];
  const hashOf = (text: string): string =>
    createHash('sha256').update(`${config.url}\n${config.model}\n${text}`).digest('base64url');
  const hashes = new LRUCache<string, string>({ max: 50_000 });
  const keyOf = (text: string): string => {
    const known = hashes.get(text) ?? hashOf(text);
    hashes.set(text, known);
    return known;
  };

  const ask = async (texts: readonly string[], signal?: AbortSignal): Promise<Stored[]> => {
    const response = await world.fetch(`${config.url}/embeddings`, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        ...(config.key ? { authorization: `Bearer ${config.key}` } : {}),
      },
      body: JSON.stringify({ model: config.model, input: texts.map((text) => text.slice(0, longestText)) }),
      ...(signal ? { signal } : {}),
    });
    if (!response.ok) throw new Error(`the service of embeddings replied with ${response.status}`);
    return readVectors(await response.json(), texts.length);
  };
  const rest = (error: unknown): void => {
    if (now() >= restsUntil)
      log.warn({ err: error }, 'no embeddings; the search continues with its own vectors');
    restsUntil = now() + restMs;
  };
  const load = async (): Promise<void> => {
    for (let after = ''; ; ) {
      const rows = db.selectFrom('search_vectors').select(['hash', 'vector']).where('hash', '>', after);
      const page = await rows.orderBy('hash').limit(200).execute();
      for (const { hash, vector } of page) vectors.set(hash, decode(vector));
      if (page.length < 200) break;
      after = page.at(-1)?.hash ?? '';
      await new Promise(setImmediate);
    }
    loaded = true;
  };
  /** Takes what another process has got meanwhile. */
  const take = async (asked: readonly string[]): Promise<void> => {
    const rows = db.selectFrom('search_vectors').select(['hash', 'vector']).where('hash', 'in', asked);
    for (const { hash, vector } of await rows.execute()) vectors.set(hash, decode(vector));
  };
  const missing = (): Map<string, string> => {
    const texts = new Map<string, string>();
    for (const entry of world.index().entries) {
      if (!entry) continue;
      const hash = keyOf(entry.text);
      if (!vectors.has(hash)) texts.set(hash, entry.text);
    }
    return texts;
  };
  const catchUp = async (): Promise<number> => {
    if (!loaded) await load();
    const wanted = [...missing()];
    while (wanted.length > 0 && !closed && now() >= restsUntil) {
      const batch = wanted.splice(0, together);
      try {
        await take(batch.map(([hash]) => hash));
        batch.splice(0, batch.length, ...batch.filter(([hash]) => !vectors.has(hash)));
        if (batch.length === 0) continue;
        const made = await ask(batch.map(([, text]) => text));
        const created_at = new Date(now()).toISOString();
        const rows = batch.map(([hash], at) => ({ hash, vector: encode(made[at] as Stored), created_at }));
        await db
          .insertInto('search_vectors')
          .values(rows)
          .onConflict((c) => c.column('hash').doNothing())
          .execute();
        batch.forEach(([hash], at) => {
          vectors.set(hash, made[at] as Stored);
        });
      } catch (error) {
        wanted.unshift(...batch);
        rest(error);
      }
    }
    return wanted.length;
  };
  const run = async (): Promise<void> => {
    while (!closed) {
      await catchUp().catch(rest);
      await delay(pollMs, undefined, { ref: false });
    }
  };
  if (pollMs > 0) void run();
  return {
    catchUp,
    async nearnessTo(query) {
      if (vectors.size === 0 || now() < restsUntil) return undefined;
      try {
        const known = queries.get(query) ?? (await ask([query], AbortSignal.timeout(patienceMs)))[0];
        if (!known) return undefined;
        queries.set(query, known);
        return (text) => {
          const other = vectors.get(keyOf(text));
          return other && cosineOf(known, other);
        };
      } catch (error) {
        rest(error);
        return undefined;
      }
    },
    close() {
      closed = true;
    },
  };
}

/** The vectors of a response in the order of the texts, of length 1; throws when it is not one. */
function readVectors(body: unknown, count: number): Stored[] {
  const data = (body as { data?: unknown } | null)?.data;
  if (!Array.isArray(data) || data.length !== count)
    throw new Error('the service of embeddings sent no list of vectors');
  const made: Stored[] = [];
  for (const [at, { index, embedding }] of (data as { index?: number; embedding?: unknown }[]).entries()) {
    const isVector = Array.isArray(embedding) && embedding.length >= 8 && embedding.length <= 8192;
    if (!isVector || !embedding.every(Number.isFinite))
      throw new Error('the service of embeddings sent a broken vector');
    made[index ?? at] = quantized(Float32Array.from(embedding as number[]));
  }
  return made;
}

function quantized(vector: Float32Array): Stored {
  let sum = 0;
  for (const value of vector) sum += value * value;
  const length = Math.sqrt(sum) || 1;
  const bytes = new Int8Array(vector.length);
  const scale = toBytes(
    vector.map((value) => value / length),
    bytes,
    0,
  );
  return { bytes, scale };
}

function cosineOf(a: Stored, b: Stored): number | undefined {
  if (a.bytes.length !== b.bytes.length) return undefined;
  let dot = 0;
  for (let at = 0; at < a.bytes.length; at++)
    dot = (dot + Math.imul(a.bytes[at] as number, b.bytes[at] as number)) | 0;
  return dot * a.scale * b.scale;
}

function encode({ bytes, scale }: Stored): string {
  return `${scale}:${Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('base64')}`;
}

function decode(text: string): Stored {
  const at = text.indexOf(':');
  return {
    scale: Number(text.slice(0, at)),
    bytes: new Int8Array(Buffer.from(text.slice(at + 1), 'base64')),
  };
}
