import { setTimeout as delay } from 'node:timers/promises';

/** For whatever is waited for here, in milliseconds: the machine may be busy, but nothing hangs. */
const limit = 100_000;

/** Asks until the answer is yes; fails with what was said last when it never is. */
export async function until(ask: () => Promise<true | string>): Promise<void> {
  const begun = performance.now();
  for (;;) {
    const said = await ask();
    if (said === true) return;
    if (performance.now() - begun > limit) throw new Error(said);
    await delay(5);
  }
}

/** A stream of server-sent events that is open. */
export interface EventStream {
  /** The address of the replica that serves it, as nginx says it. */
  readonly servedBy: string;
  said(): string;
  /** Resolves when that was in it. */
  says(part: string): Promise<void>;
  /** Resolves when it has ended, however. */
  readonly ended: Promise<void>;
  close(): void;
}

/** Opens a stream. */
export async function eventsOf(url: string, headers: Record<string, string>): Promise<EventStream> {
  const ending = new AbortController();
  const answer = await fetch(url, { headers, signal: ending.signal });
  if (!answer.ok || !answer.body) throw new Error(`${answer.status} ${await answer.text()}`);
  let text = '';
  const body = answer.body.pipeThrough(new TextDecoderStream());
  const ended = (async () => {
    for await (const part of body) text += part;
  })().catch(() => {});
  return {
    servedBy: answer.headers.get('x-served-by') ?? '',
    said: () => text,
    says: (part) => until(async () => (text.includes(part) ? true : `the stream has only: ${text}`)),
    ended,
    close: () => ending.abort(),
  };
}
