import { Session } from 'node:inspector';

/** What is fuzzed: it takes any bytes, and throws when it broke a promise. */
export interface Target {
  readonly name: string;
  /** Inputs to begin with. */
  readonly seeds: readonly string[];
  /** Pieces that mean something to the parser. */
  readonly words: readonly string[];
  readonly run: (input: Buffer) => void | Promise<void>;
  /** Ends what it has started. */
  readonly close?: () => Promise<void>;
}

/** What a run came to. */
export interface Outcome {
  readonly executions: number;
  /** Inputs that reached code which none before them had reached. */
  readonly corpus: readonly Buffer[];
  /** The input that broke a promise, and how. */
  readonly crash: { readonly input: Buffer; readonly error: unknown } | undefined;
}

const longest = 4096;

/** A small generator of numbers that the same seed always repeats (mulberry32). */
export function randomFrom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/**
 * Fuzzes a target, guided by V8's own precise coverage: what reaches new code joins the corpus and is changed further. Ends
 * after so many executions, when `isOver` says so, or at the first promise that is broken.
 */
export async function fuzz(
  target: Target,
  options: { seed: number; executions: number; corpus?: readonly Buffer[]; isOver?: () => boolean },
): Promise<Outcome> {
  const random = randomFrom(options.seed);
  const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)] as T;
  const coverage = openCoverage();
  const seen = new Set<string>();
  const corpus: Buffer[] = [];
  let executions = 0;
  const run = async (input: Buffer): Promise<{ error: unknown } | undefined> => {
    executions += 1;
    try {
      const running = target.run(input);
      if (running) await running;
    } catch (error) {
      return { error };
    }
    return undefined;
  };
  /** Runs several; when one of them reached new code, each alone, to know which. */
  const tryAll = async (inputs: readonly Buffer[]): Promise<Outcome['crash']> => {
    coverage.take();
    for (const input of inputs) {
      const crash = await run(input);
      if (crash) return { input, ...crash };
    }
    if (!coverage.take().some((place) => !seen.has(place))) return undefined;
    for (const input of inputs) {
      await run(input);
      const fresh = coverage.take().filter((place) => !seen.has(place));
      if (fresh.length === 0) continue;
      for (const place of fresh) seen.add(place);
      corpus.push(input);
    }
    return undefined;
  };
  try {
    const first = [...target.seeds.map((text) => Buffer.from(text)), ...(options.corpus ?? [])];
    let crash: Outcome['crash'];
    for (const input of first) crash ??= await tryAll([input]);
    while (!crash && executions < options.executions && !options.isOver?.()) {
      const batch = Array.from({ length: 32 }, () => mutate(pick(corpus.length > 0 ? corpus : first)));
      crash = await tryAll(batch);
    }
    return { executions, corpus, crash };
  } finally {
    coverage.close();
    await target.close?.();
  }

  function mutate(input: Buffer): Buffer {
    let bytes = input;
    for (let change = 1 + Math.floor(random() * 4); change > 0; change -= 1) bytes = changed(bytes);
    return bytes.subarray(0, longest);
  }

  function changed(bytes: Buffer): Buffer {
    const at = Math.floor(random() * (bytes.length + 1));
    const end = Math.min(bytes.length, at + Math.floor(random() * 16));
    const put = (middle: Buffer, until = at): Buffer =>
      Buffer.concat([bytes.subarray(0, at), middle, bytes.subarray(until)]);
    const way = Math.floor(random() * 7);
    if (way === 0) return put(Buffer.from(pick(target.words)));
    if (way === 1) return put(Buffer.from(pick(target.words)), end);
    if (way === 2) return put(Buffer.alloc(0), end);
    if (way === 3) return put(bytes.subarray(at, end), at);
    if (way === 4) return put(Buffer.from([Math.floor(random() * 256)]), Math.min(bytes.length, at + 1));
    if (way === 5) {
      const other = corpus.length > 0 ? pick(corpus) : bytes;
      return put(other.subarray(Math.floor(random() * other.length)));
    }
    return put(Buffer.from(pick(target.words).repeat(1 + Math.floor(random() * 40))));
  }
}

/** The places of our own code that ran since the last look, by V8's precise block coverage. */
function openCoverage(): { take: () => string[]; close: () => void } {
  const session = new Session();
  session.connect();
  const post = (method: string, parameters: object = {}): unknown => {
    let result: unknown;
    // Answered before `post` returns, since the session is connected to this very thread.
    session.post(method, parameters, (error: Error | null, given?: unknown) => {
      if (error) throw error;
      result = given;
    });
    return result;
  };
  post('Profiler.enable');
  post('Profiler.startPreciseCoverage', { callCount: true, detailed: true });
  return {
    take() {
      const { result } = post('Profiler.takePreciseCoverage') as {
        result: { url: string; functions: { ranges: { startOffset: number; count: number }[] }[] }[];
      };
      const places: string[] = [];
      for (const { url, functions } of result) {
        if (!url.includes('/src/')) continue;
        for (const { ranges } of functions)
          for (const { startOffset, count } of ranges)
            if (count > 0)
              places.push(`${url.slice(url.lastIndexOf('/src/'))}:${startOffset}:${bucket(count)}`);
      }
      return places;
    },
    close() {
      post('Profiler.stopPreciseCoverage');
      session.disconnect();
    },
  };
}

/** Once, a few times, often: how often a place ran tells loops apart, but not every number is news. */
function bucket(count: number): number {
  return count < 4 ? count : 4 + Math.floor(Math.log2(count));
}
