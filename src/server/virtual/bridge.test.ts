import type { ServerResponse } from 'node:http';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { followed } from '../changes/feed.test-support.ts';
import { recordChange } from '../changes/record.ts';
import { type OpenDatabase, openMemory } from '../db/open.ts';
import {
  type Answer,
  open,
  type Received,
  routeOf,
  rpc,
  type ScriptedUpstream,
  send,
  sendJson,
  startGateway,
  startUpstream,
  type TestGateway,
} from '../gateway/gateway.test-support.ts';
import type { Route } from '../registry/servers/route.ts';
import { openToAll } from './virtual.test-support.ts';

/*
 * What a call may bring besides its result, where client and member speak alike and where they do not: progress, questions, five
 * megabytes, and an end before its time. The
 * member's tools are named after what they do.
 */

type Era = '2025-11-25' | '2026-07-28';
const now: Era = '2026-07-28';
const tools = ['large', 'progress', 'sampling', 'elicitation', 'hang', 'silent'].map((name) => ({
  name,
  inputSchema: { type: 'object' },
}));
const questions = {
  sampling: { method: 'sampling/createMessage', params: { messages: [], maxTokens: 1 } },
  elicitation: { method: 'elicitation/create', params: { message: 'who?', requestedSchema: {} } },
} as const;
const replies = {
  sampling: { role: 'assistant', model: 'm', content: { type: 'text', text: 'sampled' } },
  elicitation: { action: 'accept', content: { name: 'Ada' } },
} as const;
const large = 'x'.repeat(5_000_000);

let database: OpenDatabase;
let upstream: ScriptedUpstream;
let house: TestGateway;
/** Another process on the same database. */
let other: TestGateway;
/** Answers of the member that are not at their end, and what was said when its clients left. */
let held: { readonly res: ServerResponse; readonly message: Message }[];
let notices: string[];
let speaks: Era;
let stream: ServerResponse | undefined;
const ends: (() => Promise<void>)[] = [];

interface Message {
  readonly id?: string | number;
  readonly method?: string;
  readonly params?: { name?: string; inputResponses?: object; _meta?: { progressToken?: unknown } };
  readonly result?: object;
}

beforeEach(async () => {
  [held, notices] = [[], []];
  database = await openMemory();
  upstream = await startUpstream(member);
});
afterEach(async () => {
  await Promise.all([house.close(), other.close()]);
  await upstream.close();
  for (const end of ends.splice(0)) await end();
  await database.close();
});

async function serve(of: Era | 'HTTP+SSE', limits: object = {}): Promise<void> {
  speaks = of === now ? now : '2025-11-25';
  const protocolVersion = speaks;
  if (of === 'HTTP+SSE') upstream.script = oldestMember;
  const sse = new URL('/sse', upstream.url);
  const routes = new Map<string, Route>([
    [
      'm',
      of === 'HTTP+SSE'
        ? routeOf('m', null, { tools, sse })
        : routeOf('m', upstream.url, { tools, protocolVersion }),
    ],
  ]);
  const feed = await followed(database);
  ends.push(() => feed.close());
  const elsewhere = {
    cancelled: (call: string) => recordChange(database.db, 'call', call),
    follow: (listener: (call: string) => void) =>
      feed.follow(['call'], ({ key }) => {
        if (key !== null) listener(key);
      }),
  };
  const start = () =>
    startGateway({ ann: ['* * *'] }, { ...openToAll(routes, database.db, () => 1_000, elsewhere), limits });
  [house, other] = [await start(), await start()];
}

/** A member of either version, and of no other. */
function member({ body, headers, method }: Received, res: ServerResponse): void {
  if (method !== 'POST') return void res.writeHead(405).end();
  const message = JSON.parse(body) as Message;
  const isModern = headers['mcp-protocol-version'] === now;
  if (message.method === 'initialize') {
    res.setHeader('mcp-session-id', 'member');
    const refused = { error: { code: -32601, message: 'no such method' } };
    const begun = speaks === now ? refused : { result: { protocolVersion: '2025-11-25' } };
    return void sendJson(res, { jsonrpc: '2.0', id: message.id, ...begun });
  }
  if (message.method === 'notifications/cancelled') notices.push('cancelled');
  // The reply to a question of before.
  if (message.method === undefined) {
    const asking = held.pop();
    asking?.res.end(eventOf({ id: asking.message.id, result: { replied: message.result } }));
  }
  if (message.id === undefined || message.method === undefined) return void res.writeHead(202).end();
  const { name = '', inputResponses, _meta } = message.params ?? {};
  const result = (value: object) => ({ id: message.id, result: { resultType: 'complete', ...value } });
  if (name === 'large') return void sendJson(res, { jsonrpc: '2.0', ...result({ large }) });
  if (name === 'silent') return void held.push({ res, message });
  if (isModern !== (speaks === now)) return void sendJson(res, {}, 400);
  const isQuestion = name === 'sampling' || name === 'elicitation';
  if (isQuestion && isModern) {
    const asked = { resultType: 'input_required', inputRequests: { q: questions[name] }, requestState: 's' };
    const value = inputResponses
      ? result({ replied: (inputResponses as { q: object }).q })
      : { id: message.id, result: asked };
    return void sendJson(res, { jsonrpc: '2.0', ...value });
  }
  res.writeHead(200, { 'content-type': 'text/event-stream' });
  if (isQuestion) res.write(eventOf({ id: 'question', ...questions[name] }));
  else {
    const params = { progressToken: _meta?.progressToken, progress: 1 };
    res.write(eventOf({ method: 'notifications/progress', params }));
    if (name === 'progress') return void res.end(eventOf(result({ done: true })));
  }
  held.push({ res, message });
  res.once('close', () => res.writableFinished || notices.push('left'));
}

/** A member of HTTP+SSE: everything that it says comes on one stream. */
function oldestMember({ body, method }: Received, res: ServerResponse): void {
  if (method === 'GET') {
    res.writeHead(200, { 'content-type': 'text/event-stream' });
    res.write('event: endpoint\ndata: /messages\n\n');
    stream = res;
    return;
  }
  res.writeHead(202).end();
  const message = JSON.parse(body) as Message;
  const say = (said: object) => void stream?.write(eventOf(said));
  if (message.method === 'notifications/cancelled') notices.push('cancelled');
  if (message.method === undefined) say({ id: held.pop()?.message.id, result: { replied: message.result } });
  if (message.id === undefined || message.method === undefined) return;
  const { name = '', _meta } = message.params ?? {};
  const { id } = message;
  if (message.method === 'initialize') return void say({ id, result: { protocolVersion: '2024-11-05' } });
  if (name === 'large') return void say({ id, result: { large } });
  held.push({ res, message });
  if (name === 'silent') return;
  if (name === 'sampling' || name === 'elicitation') return void say({ id: 'question', ...questions[name] });
  const params = { progressToken: _meta?.progressToken, progress: held.length };
  say({ method: 'notifications/progress', params });
  if (name === 'progress') say({ id, result: { done: true } });
}

function eventOf(message: object): string {
  return `data: ${JSON.stringify({ jsonrpc: '2.0', ...message })}\n\n`;
}

const at = (there = house) => `${there.origin}/virtual/v/mcp`;

/** A client of one version; a session of its own where the version has them. */
async function clientOf(era: Era) {
  const capabilities = { sampling: {}, elicitation: {} };
  const clientInfo = { name: 't', version: '1' };
  let headers: Record<string, string> = { 'mcp-protocol-version': era };
  if (era !== now) {
    const begun = await send(at(), {
      as: 'ann',
      body: rpc('initialize', { protocolVersion: era, capabilities, clientInfo }),
    });
    headers = { ...headers, 'mcp-session-id': String(begun.headers['mcp-session-id']) };
  }
  const meta = era === now && {
    'io.modelcontextprotocol/protocolVersion': era,
    'io.modelcontextprotocol/clientCapabilities': capabilities,
    'io.modelcontextprotocol/clientInfo': clientInfo,
  };
  return {
    post: (body: object, there = house) => send(at(there), { as: 'ann', headers, body }),
    call(tool: string, more: object = {}, there = house): Promise<Answer> {
      const _meta = { progressToken: 'token', ...meta };
      const names = { 'mcp-method': 'tools/call', 'mcp-name': `m__${tool}` };
      return open(at(there), {
        ...{ as: 'ann', headers: era === now ? { ...headers, ...names } : headers },
        body: rpc('tools/call', { name: `m__${tool}`, arguments: {}, ...more, _meta }),
      });
    },
  };
}

const messagesIn = (text: string): Record<string, never>[] =>
  text.startsWith('{')
    ? [JSON.parse(text)]
    : text.split('\n').flatMap((line) => (line.startsWith('data: ') ? [JSON.parse(line.slice(6))] : []));

const eras: readonly Era[] = ['2025-11-25', now];
const pairs = eras.flatMap((client) => ([...eras, 'HTTP+SSE'] as const).map((of) => ({ client, of })));

describe.each(pairs)('a client of $client at a member of $of', ({ client: era, of }) => {
  beforeEach(() => serve(of));

  test('is told of progress, by its own token', async () => {
    const client = await clientOf(era);
    const messages = messagesIn(await (await client.call('progress')).rest());
    expect(messages).toMatchObject([
      { method: 'notifications/progress', params: { progressToken: 'token', progress: 1 } },
      { id: 1, result: { done: true } },
    ]);
  });

  test('gets five megabytes', async () => {
    const client = await clientOf(era);
    const [message] = messagesIn(await (await client.call('large')).rest());
    expect(message).toMatchObject({ id: 1 });
    expect((message?.result as { large: string } | undefined)?.large === large).toBe(true);
  });

  const places = ['here', 'at another process'];
  const asked = places.flatMap((where) =>
    (['sampling', 'elicitation'] as const).map((kind) => [kind, where] as const),
  );

  test.each(asked)('is asked back: %s, and replies %s', async (kind, where) => {
    const there = where === 'here' ? house : other;
    const client = await clientOf(era);
    const answer = await client.call(kind);
    let last: unknown;
    if (era === now) {
      const { result } = messagesIn(await answer.rest())[0] as unknown as {
        result: { inputRequests: Record<string, object>; requestState: string };
      };
      const [[key, question] = ['', undefined]] = Object.entries(result.inputRequests);
      expect(question).toMatchObject(questions[kind]);
      const again = { inputResponses: { [key]: replies[kind] }, requestState: result.requestState };
      [last] = messagesIn(await (await client.call(kind, again, there)).rest());
    } else {
      const [question] = messagesIn(await answer.event());
      expect(question).toMatchObject(questions[kind]);
      const reply = { jsonrpc: '2.0', id: question?.id, result: replies[kind] };
      expect((await client.post(reply, there)).status).toBe(202);
      [last] = messagesIn(await answer.rest());
    }
    expect(last).toMatchObject({ id: 1, result: { replied: replies[kind] } });
  });

  test('ends a call by leaving, and the member is told', async () => {
    const client = await clientOf(era);
    const answer = await client.call('hang');
    expect(await answer.event()).toContain('progress');
    answer.leave();
    if (of === 'HTTP+SSE') return await expect.poll(() => notices).toEqual(['cancelled']);
    await expect.poll(() => notices).toContain('left');
    if (of !== now && era === now) await expect.poll(() => notices).toContain('cancelled');
  });
});

test.each(
  (['here', 'at another process'] as const).flatMap((where) =>
    ([...eras, 'HTTP+SSE'] as const).map((of) => [of, where] as const),
  ),
)(
  'a call that is cancelled by a client of 2025-11-25 ends, at a member of %s too: cancelled %s',
  async (of, where) => {
    await serve(of);
    const client = await clientOf('2025-11-25');
    const answer = await client.call('hang');
    await answer.event();
    const there = where === 'here' ? house : other;
    const cancel = (requestId: unknown) =>
      client.post({ jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId } }, there);
    // No call has that id.
    await cancel('1');
    await cancel(1);
    if (of !== '2025-11-25') {
      await expect.poll(() => notices).toEqual([of === now ? 'left' : 'cancelled']);
      expect(await answer.rest()).toBe('');
    } else {
      // What passes as it is ends when the member ends it.
      await expect.poll(() => notices).toEqual(['cancelled', 'cancelled']);
      answer.leave();
    }
  },
);

test.each(pairs.filter(({ of }) => of !== 'HTTP+SSE'))(
  'a call of $client at $of may take longer than what is at hand',
  async ({ client: era, of }) => {
    await serve(of, { headersMs: 2_000, callMs: 600_000 });
    const client = await clientOf(era);
    const call = client.call('silent').then((answer) => answer.rest());
    await expect.poll(() => held.length).toBe(1);
    // A list that nobody answers shows that that limit is over.
    const listed = await send(`${house.origin}/m/mcp`, {
      as: 'ann',
      body: rpc('tools/list', { name: 'silent' }),
    });
    expect(listed.status).toBe(504);
    const [first] = held;
    if (first) sendJson(first.res, { jsonrpc: '2.0', id: first.message.id, result: { late: true } });
    expect(messagesIn(await call)).toMatchObject([{ result: { late: true } }]);
  },
);

test.each(eras)('a call of %s that a member of HTTP+SSE says nothing to ends at its limit', async (era) => {
  await serve('HTTP+SSE', { callMs: 50 });
  const client = await clientOf(era);
  const answer = await client.call('silent');
  const late = 'did not start to respond within 0.05 s; the setting MCP_CALL_TIMEOUT_SECONDS';
  expect(await answer.rest()).toContain(late);
  await expect.poll(() => notices).toEqual(['cancelled']);
});

test('of two calls on one stream of HTTP+SSE each is told of its own progress', async () => {
  await serve('HTTP+SSE');
  const client = await clientOf('2025-11-25');
  const [first, second] = [await client.call('hang'), await client.call('hang')];
  expect(messagesIn(await first.event())).toMatchObject([
    { params: { progress: 1, progressToken: 'token' } },
  ]);
  expect(messagesIn(await second.event())).toMatchObject([
    { params: { progress: 2, progressToken: 'token' } },
  ]);
  const [one] = held;
  const params = { progressToken: one?.message.params?._meta?.progressToken, progress: 3 };
  stream?.write(eventOf({ method: 'notifications/progress', params }));
  expect(messagesIn(await first.event())).toMatchObject([
    { params: { progress: 3, progressToken: 'token' } },
  ]);
  for (const { message } of held) stream?.write(eventOf({ id: message.id, result: {} }));
  expect([await first.rest(), await second.rest()].map((text) => messagesIn(text).length)).toEqual([1, 1]);
});
