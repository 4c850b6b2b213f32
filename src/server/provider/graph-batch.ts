import { z } from 'zod';
import { isWorthRepeating, type Pause, retryAfter, waitBefore } from './retry.ts';

/** As many requests as Graph takes in one. */
const size = 20;

/** One request of a batch; `path` is below `/v1.0`. */
export interface BatchRequest {
  readonly method?: string;
  readonly path: string;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Its answer: a batch that succeeds proves nothing of what is in it. */
export interface BatchAnswer {
  readonly status: number;
  readonly body: unknown;
}

const answers = z.object({
  responses: z.array(
    z.object({
      id: z.string(),
      status: z.number(),
      headers: z.record(z.string(), z.string()).catch({}),
      body: z.unknown(),
    }),
  ),
});

/** Sends requests twenty at a time; those that Graph throttles are sent again, the others not. */
export async function sendBatch(
  requests: readonly BatchRequest[],
  send: (body: unknown) => Promise<unknown>,
  pause: Pause,
): Promise<BatchAnswer[]> {
  const done: BatchAnswer[] = [];
  for (let at = 0; at < requests.length; at += size)
    done.push(...(await sendSome(requests.slice(at, at + size), send, pause)));
  return done;
}

async function sendSome(
  requests: readonly BatchRequest[],
  send: (body: unknown) => Promise<unknown>,
  pause: Pause,
): Promise<BatchAnswer[]> {
  const done = new Map<string, BatchAnswer>();
  const items = requests.map((request, index) => itemOf(request, String(index)));
  let open = items;
  for (let attempt = 1; open.length > 0; attempt++) {
    const { responses } = answers.parse(await send({ requests: open }));
    let longest = 0;
    const again = new Set<string>();
    for (const { id, status, headers, body } of responses) {
      done.set(id, { status, body });
      const after = retryAfter(headers['Retry-After'] ?? headers['retry-after']);
      const method = items[Number(id)]?.method ?? 'GET';
      const wait = isWorthRepeating(method, status) ? waitBefore(attempt + 1, after) : undefined;
      if (wait === undefined) continue;
      again.add(id);
      longest = Math.max(longest, wait);
    }
    open = items.filter(({ id }) => again.has(id));
    if (open.length > 0) await pause(longest);
  }
  return requests.map((_, index) => done.get(String(index)) ?? { status: 0, body: undefined });
}

function itemOf({ method = 'GET', path, body, headers = {} }: BatchRequest, id: string) {
  const type = body === undefined ? {} : { 'Content-Type': 'application/json' };
  return { id, method, url: path, headers: { ...type, ...headers }, ...(body === undefined ? {} : { body }) };
}
