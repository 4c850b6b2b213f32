import { type Ask, isRecord, jsonOf, type Reply } from '../exchange.ts';
import type { World } from '../world.ts';
import { readCaller } from './caller.ts';
import { GraphFailure } from './failure.ts';

type Item = {
  id: string;
  method: string;
  url: string;
  headers: Record<string, string>;
  body: unknown;
  dependsOn: string[];
};
type Result = { id: string; status: number; headers?: Record<string, string>; body?: unknown };
type Answer = (ask: Ask, path: string) => Promise<Reply>;

/** `$batch`: up to twenty requests, each with its own status; what depends on a failed one fails with 424. */
export async function answerBatch(world: World, ask: Ask, answer: Answer): Promise<Reply> {
  await readCaller(world, ask);
  const items = readItems(ask);
  const done = new Map<string, Result>();
  for (const item of items) done.set(item.id, await run(item, done, ask, answer));
  // The order of the answers is free; the reverse keeps clients from relying on it.
  return { status: 200, body: { responses: [...done.values()].reverse() } };
}

function readItems(ask: Ask): Item[] {
  const requests = jsonOf(ask)?.requests;
  if (ask.method !== 'POST' || !Array.isArray(requests) || requests.length === 0)
    throw invalid('Invalid batch payload format.');
  if (requests.length > 20) throw invalid('Number of batch request steps exceeds the maximum value of 20.');
  const items = requests.map(readItem);
  const ids = new Set(items.map(({ id }) => id));
  if (ids.size !== items.length) throw invalid('Request Id values must be unique within a batch.');
  for (const { id, dependsOn } of items)
    if (dependsOn.some((other) => !ids.has(other) || other === id))
      throw invalid(`Invalid dependency in request '${id}'.`);
  return sorted(items);
}

function readItem(request: unknown): Item {
  if (!isRecord(request)) throw invalid('Invalid batch payload format.');
  const { id, method, url, headers, body, dependsOn } = request;
  if (typeof id !== 'string' || typeof method !== 'string' || typeof url !== 'string')
    throw invalid('A batch request needs id, method and url.');
  if (!url.startsWith('/')) throw invalid(`Invalid batch URL '${url.slice(0, 80)}'.`);
  const names = isRecord(headers) ? headers : {};
  return {
    id,
    method: method.toUpperCase(),
    url,
    headers: Object.fromEntries(
      Object.entries(names).map(([name, value]) => [name.toLowerCase(), String(value)]),
    ),
    body,
    dependsOn: Array.isArray(dependsOn) ? dependsOn.map(String) : [],
  };
}

/** Every request after those it depends on. */
function sorted(items: readonly Item[]): Item[] {
  const order: Item[] = [];
  let left = [...items];
  while (left.length) {
    const ready = left.filter(({ dependsOn }) =>
      dependsOn.every((id) => order.some((item) => item.id === id)),
    );
    if (ready.length === 0) throw invalid('The dependencies of the batch go round in circles.');
    order.push(...ready);
    left = left.filter((item) => !ready.includes(item));
  }
  return order;
}

async function run(item: Item, done: Map<string, Result>, outer: Ask, answer: Answer): Promise<Result> {
  if (item.dependsOn.some((id) => (done.get(id)?.status ?? 500) >= 400)) {
    const error = { code: 'FailedDependency', message: 'A request that this one depends on failed.' };
    return { id: item.id, status: 424, body: { error } };
  }
  const url = new URL(item.url, 'http://emulator');
  const inner: Ask = {
    method: item.method,
    url,
    headers: { authorization: outer.headers.authorization, ...item.headers },
    body: item.body === undefined ? '' : JSON.stringify(item.body),
  };
  const { status, headers = {}, body } = await answer(inner, url.pathname);
  const shown = Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [titled(name), String(value)]),
  );
  return { id: item.id, status, headers: shown, ...(body === undefined ? {} : { body }) };
}

function titled(name: string): string {
  return name.replaceAll(/(^|-)([a-z])/g, (_, dash: string, letter: string) => dash + letter.toUpperCase());
}

function invalid(message: string): GraphFailure {
  return new GraphFailure(400, 'BadRequest', message);
}
