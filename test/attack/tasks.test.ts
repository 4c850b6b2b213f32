import type { ServerResponse } from 'node:http';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
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
} from '../../src/server/gateway/gateway.test-support.ts';

/*
 * A server that binds tasks to nobody, because to it all callers are the gateway: whoever says an id gets the task, and all
 * streams are told of all tasks.
 */

interface Task {
  readonly taskId: string;
  status: string;
  readonly result: object;
}

let upstream: ScriptedUpstream;
let house: TestGateway;
let tasks: Map<string, Task>;
let streams: ServerResponse[];

const related = 'io.modelcontextprotocol/related-task';
const modern = {
  'io.modelcontextprotocol/protocolVersion': '2026-07-28',
  'io.modelcontextprotocol/clientInfo': { name: 'test', version: '1' },
  'io.modelcontextprotocol/clientCapabilities': { extensions: { 'io.modelcontextprotocol/tasks': {} } },
};

function serve({ method: verb, url, body }: Received, res: ServerResponse): void {
  if (verb === 'GET') {
    streams.push(res.writeHead(200, { 'content-type': 'text/event-stream' }));
    res.flushHeaders();
    return;
  }
  const { id, method, params = {} } = JSON.parse(body);
  if (id === undefined || method === undefined) {
    res.writeHead(202).end();
    return;
  }
  if (method === 'subscriptions/listen') {
    streams.push(res.writeHead(200, { 'content-type': 'text/event-stream' }));
    const acknowledged = { method: 'notifications/subscriptions/acknowledged', params };
    res.write(`data: ${JSON.stringify({ jsonrpc: '2.0', ...acknowledged })}\n\n`);
    return;
  }
  const text = { jsonrpc: '2.0', id, ...outcomeOf(method, params) };
  if (url.startsWith('/messages')) {
    res.writeHead(202).end('Accepted');
    streams[0]?.write(`event: message\ndata: ${JSON.stringify(text)}\n\n`);
  } else sendJson(res, text);
}

function outcomeOf(method: string, params: Record<string, unknown>): object {
  if (method === 'tools/call') {
    const made = { taskId: `t${tasks.size + 1}`, status: 'working', result: { content: [params.name] } };
    tasks.set(made.taskId, made);
    return { result: params._meta ? { resultType: 'task', ...shown(made) } : { task: shown(made) } };
  }
  if (method === 'tasks/list') return { result: { tasks: [...tasks.values()].map(shown) } };
  const task = tasks.get(String(params.taskId));
  if (!task) return { error: { code: -32602, message: 'no such task' } };
  if (method === 'tasks/cancel') task.status = 'cancelled';
  if (method !== 'tasks/result') return { result: shown(task) };
  return { result: { ...task.result, _meta: { [related]: { taskId: task.taskId } } } };
}

function shown({ taskId, status }: Task): object {
  return { taskId, status };
}

beforeEach(async () => {
  tasks = new Map();
  streams = [];
  upstream = await startUpstream(serve);
  house = await startGateway({ alice: ['* * *'], bob: ['* * *'] });
  house.routes.set('jobs', routeOf('jobs', upstream.url));
  house.routes.set('other', routeOf('other', upstream.url));
  house.routes.set('old', routeOf('old', null, { sse: new URL('/sse', upstream.url) }));
});
afterEach(async () => {
  await house.close();
  await upstream.close();
});

const at = (name = 'jobs'): string => `${house.origin}/${name}/mcp`;

/** Makes a task and gives the id that its maker got. */
async function make(as: string, name = 'jobs'): Promise<string> {
  const body = rpc('tools/call', { name: as, task: { ttl: 60_000 } });
  const made = (await send(at(name), { as, body })).json() as { result: { task: Task } };
  return made.result.task.taskId;
}

interface Said {
  readonly result?: Record<string, unknown>;
  readonly error?: { code: number };
}

async function ask(as: string, method: string, params: object, name = 'jobs'): Promise<Said> {
  const answer = await send(at(name), { as, body: rpc(method, params) });
  // As an error of the call: any other status ends sessions in some clients.
  expect(answer.status).toBe(200);
  return answer.json() as Said;
}

/** What comes on a stream until some text has come. */
async function until(stream: Answer | undefined, end: string): Promise<string> {
  let said = '';
  while (!said.includes(end)) said += (await stream?.next()) ?? end;
  return said;
}

/** What the server was asked since then is about no task that there is, neither by its body nor by a header. */
function expectNoTaskAsked(before: number): void {
  for (const { body, headers } of upstream.received.slice(before)) {
    expect(body).not.toMatch(/"t\d+"/);
    expect(String(headers['mcp-name'] ?? '')).not.toMatch(/^t\d+$/);
  }
}

const reaching = ['tasks/get', 'tasks/result', 'tasks/cancel', 'tasks/update', 'tasks/x'];

describe('a task of 2025-11-25', () => {
  test('is its maker’s, who finds it by the id that came with it', async () => {
    const id = await make('alice');
    expect(id).not.toBe('t1');
    expect(await ask('alice', 'tasks/get', { taskId: id })).toMatchObject({
      result: { taskId: id, status: 'working' },
    });
    expect(await ask('alice', 'tasks/result', { taskId: id })).toMatchObject({
      result: { content: ['alice'], _meta: { [related]: { taskId: id } } },
    });
    expect(await ask('alice', 'tasks/cancel', { taskId: id })).toMatchObject({
      result: { taskId: id, status: 'cancelled' },
    });
    expect(JSON.parse(upstream.received.at(-1)?.body ?? '')).toMatchObject({ params: { taskId: 't1' } });
  });

  test('is no one else’s, whatever id they say', async () => {
    const id = await make('alice');
    const before = upstream.received.length;
    for (const method of reaching) {
      for (const taskId of [id, 't1', '', 1, null, ['t1'], { toString: 't1' }, `${id}=`, id.slice(0, -1)])
        expect(await ask('bob', method, { taskId })).toMatchObject({ error: { code: -32602 } });
      // To the maker, too, it is unknown at another server and under the server's own id.
      expect(await ask('alice', method, { taskId: 't1' })).toMatchObject({ error: { code: -32602 } });
      expect(await ask('alice', method, { taskId: id }, 'other')).toMatchObject({ error: { code: -32602 } });
    }
    expectNoTaskAsked(before);
    await expect
      .poll(() => house.events.at(-1), { timeout: 60_000 })
      .toMatchObject({ decision: 'deny', reason: 'task' });
    const spelt = `{"jsonrpc":"2.0","id":1,"method":"tasks\\/get","params":{"task\\u0049d":"t1"}}`;
    expect((await send(at(), { as: 'bob', body: spelt })).json()).toMatchObject({ error: { code: -32602 } });
    const batch = [rpc('ping'), rpc('tasks/get', { taskId: 't1' }, 2)];
    const headers = { 'mcp-protocol-version': '2025-03-26' };
    await send(at(), { as: 'bob', body: batch, headers });
    expectNoTaskAsked(before);
  });

  test('is listed to its maker alone, whatever the form of the list', async () => {
    const [alices, bobs] = [await make('alice'), await make('bob')];
    for (const [as, id] of [
      ['alice', alices],
      ['bob', bobs],
    ] as const)
      expect((await ask(as, 'tasks/list', {})).result?.tasks).toEqual([{ taskId: id, status: 'working' }]);
    const odd = [
      ['{"jsonrpc":"2.0","id":1,"result":{"Tasks":[{"taskId":"t1"}]}}', 'application/json'],
      ['{"jsonrpc":"2.0","id":1,"result":{"tasks":{"taskId":"t1"}}}', 'application/json'],
      ['{"jsonrpc":"2.0","id":1,"result":{"tasks":[],"tasks":[{"taskId":"t1"}]}}', 'text/plain'],
      ['[{"jsonrpc":"2.0","id":1,"result":{"tasks":[{"taskId":"t1"}]}}', 'application/json'],
    ];
    for (const [text, type = ''] of odd) {
      upstream.script = (_, res) => void res.writeHead(200, { 'content-type': type }).end(text);
      const answer = await send(at(), { as: 'bob', body: rpc('tasks/list') });
      expect(answer.text).not.toContain('"t1"');
    }
  });

  test('is found by nobody else beside the data of a stream of events', async () => {
    await make('alice');
    const whole = JSON.stringify({
      jsonrpc: '2.0',
      id: 1,
      result: { tasks: [...tasks.values()].map(shown) },
    });
    const forms = [
      `DATA: ${whole}`,
      ` data: ${whole}`,
      `: ${whole}`,
      `: x\u2028data: ${whole}`,
      `more: ${whole}`,
      whole,
    ];
    for (const form of [...forms, `data: x\u2028data: ${whole}`]) {
      upstream.script = (_, res) =>
        void res.writeHead(200, { 'content-type': 'text/event-stream' }).end(`${form}\n\n`);
      const answer = await send(at(), { as: 'bob', body: rpc('tasks/list') });
      expect(answer.text).not.toContain('"t1"');
    }
  });

  test('is listed at another process, and after a start, to its maker alone', async () => {
    const told = new Set<string>();
    const listeners = new Set<(task: string) => void>();
    // What the change feed does for several processes.
    const taskNotes = {
      note(task: string) {
        told.add(task);
        for (const listener of listeners) listener(task);
      },
      follow(listener: (task: string) => void) {
        listeners.add(listener);
        for (const task of told) listener(task);
        return () => listeners.delete(listener);
      },
    };
    const keys = {
      ticket: [Buffer.alloc(32, 1)],
      session: [Buffer.alloc(32, 2)],
      task: [Buffer.alloc(32, 3)],
    };
    const another = async () => {
      const one = await startGateway({ alice: ['* * *'], bob: ['* * *'] }, { taskNotes, keys } as never);
      one.routes.set('jobs', routeOf('jobs', upstream.url));
      return one;
    };
    await house.close();
    house = await another();
    const other = await another();
    const [alices, bobs] = [await make('alice'), await make('bob')];
    const later = await another();
    for (const { origin } of [house, other, later])
      for (const [as, taskId] of [
        ['alice', alices],
        ['bob', bobs],
      ] as const) {
        const answer = await send(`${origin}/jobs/mcp`, { as, body: rpc('tasks/list') });
        expect(answer.json()).toMatchObject({ result: { tasks: [{ taskId, status: 'working' }] } });
        expect(answer.text).not.toContain(as === 'alice' ? bobs : alices);
      }
    await Promise.all([other.close(), later.close()]);
    expect(listeners.size).toBe(1);
  });

  test('is told of on the streams of its maker alone', async () => {
    const id = await make('alice');
    const [alices, bobs] = await Promise.all(['alice', 'bob'].map((as) => open(at(), { as })));
    for (const stream of streams) {
      const told = { jsonrpc: '2.0', method: 'notifications/tasks/status' };
      stream.write(
        `event: message\ndata: ${JSON.stringify({ ...told, params: { taskId: 't1', status: 'x' } })}\n\n`,
      );
      const asked = { jsonrpc: '2.0', id: 1, method: 'elicitation/create' };
      const params = { message: 'which?', _meta: { [related]: { taskId: 't1' } } };
      stream.write(`data: ${JSON.stringify({ ...asked, params })}\n\n`);
    }
    const said = await until(alices, 'elicitation');
    expect(said).toContain(`"taskId":"${id}","status":"x"`);
    expect(said).toContain(`{"taskId":"${id}"}`);
    expect(await until(bobs, 'elicitation')).not.toContain('"status":"x"');
    const reply = {
      jsonrpc: '2.0',
      id: 1,
      result: { action: 'accept', _meta: { [related]: { taskId: id } } },
    };
    expect(await send(at(), { as: 'alice', body: reply })).toMatchObject({ status: 202 });
    expect(upstream.received.at(-1)?.body).toContain('{"taskId":"t1"}');
  });

  test('a task of the client’s own keeps the id that it has', async () => {
    for (const body of [
      { jsonrpc: '2.0', id: 1, result: { task: { taskId: 'mine', status: 'working' } } },
      { jsonrpc: '2.0', id: 1, result: { taskId: 'mine', status: 'working' } },
      { jsonrpc: '2.0', method: 'notifications/tasks/status', params: { taskId: 'mine', status: 'x' } },
    ]) {
      await send(at(), { as: 'alice', body });
      expect(JSON.parse(upstream.received.at(-1)?.body ?? '')).toEqual(body);
    }
    const stream = await open(at(), { as: 'alice' });
    const asked = rpc('tasks/get', { taskId: 'mine' });
    streams.at(-1)?.write(`data: ${JSON.stringify(asked)}\n\n`);
    expect(await stream.event()).toContain('"mine"');
  });
});

describe('a task of 2026-07-28', () => {
  const call = (method: string, params: object, named: string) => ({
    body: rpc(method, { ...params, _meta: modern }),
    headers: { 'mcp-protocol-version': '2026-07-28', 'mcp-method': method, 'mcp-name': named },
  });
  const makeModern = async (as: string): Promise<string> => {
    const answer = await send(at(), { as, ...call('tools/call', { name: 'now' }, 'now') });
    return (answer.json() as { result: Task }).result.taskId;
  };

  test('comes unasked, and is its maker’s alone; what routes by the name gets the server’s own id', async () => {
    const id = await makeModern('alice');
    expect(id).not.toBe('t1');
    for (const method of ['tasks/get', 'tasks/update', 'tasks/cancel']) {
      const params = { taskId: id, inputResponses: { n: 1 } };
      const own = await send(at(), { as: 'alice', ...call(method, params, id) });
      expect(own.json()).toMatchObject({ result: { taskId: id } });
      expect(upstream.received.at(-1)?.headers).toMatchObject({ 'mcp-name': 't1', 'mcp-method': method });
      const before = upstream.received.length;
      for (const other of [id, 't1']) {
        const answer = await send(at(), { as: 'bob', ...call(method, { taskId: other }, other) });
        expect(answer.json()).toMatchObject({ error: { code: -32602 } });
      }
      expectNoTaskAsked(before);
    }
  });

  test('is listened to by its maker alone', async () => {
    const id = await makeModern('alice');
    await makeModern('bob');
    const listen = (taskIds: unknown) => {
      const params = { notifications: { taskIds }, _meta: modern };
      const headers = { 'mcp-protocol-version': '2026-07-28', 'mcp-method': 'subscriptions/listen' };
      return { body: rpc('subscriptions/listen', params), headers };
    };
    for (const taskIds of [[id], ['t1'], 't1', [1], { 0: 't1' }])
      expect((await send(at(), { as: 'bob', ...listen(taskIds) })).json()).toMatchObject({
        error: { code: -32602 },
      });
    const stream = await open(at(), { as: 'alice', ...listen([id]) });
    expect(await until(stream, 'taskIds')).toContain(`{"taskIds":["${id}"]}`);
    for (const taskId of ['t2', 't1']) {
      const told = { jsonrpc: '2.0', method: 'notifications/tasks', params: { taskId, status: 'x' } };
      streams[0]?.write(`data: ${JSON.stringify(told)}\n\n`);
    }
    const said = await until(stream, id);
    expect(said).not.toContain('"t2"');
  });
});

test('on the older transport a task comes on the stream, and is its maker’s alone', async () => {
  const session = async (as: string): Promise<{ stream: Answer; address: string }> => {
    const stream = await open(`${house.origin}/old/sse`, { as });
    streams.at(-1)?.write('event: endpoint\ndata: /messages?s=1\n\n');
    const [, address = ''] = /^event: endpoint\ndata: (.*)\n\n$/.exec(await stream.event()) ?? [];
    return { stream, address: house.origin + address };
  };
  const { stream, address } = await session('alice');
  await send(address, { as: 'alice', body: rpc('tools/call', { name: 'now', task: {} }) });
  const [, id = ''] = /"taskId":"([^"]+)"/.exec(await stream.event()) ?? [];
  expect(id).not.toBe('t1');
  await send(address, { as: 'alice', body: rpc('tasks/get', { taskId: id }) });
  expect(await stream.event()).toContain(`"taskId":"${id}"`);
  tasks.set('t9', { taskId: 't9', status: 'working', result: {} });
  await send(address, { as: 'alice', body: rpc('tasks/list') });
  expect(await stream.event()).toContain(`[{"taskId":"${id}","status":"working"}]`);
  const bobs = await session('bob');
  const before = upstream.received.length;
  for (const taskId of [id, 't1'])
    await send(bobs.address, { as: 'bob', body: rpc('tasks/result', { taskId }) });
  expectNoTaskAsked(before);
});

test('a task outlives a restart and is known in every process with the key', async () => {
  const id = await make('alice');
  const other = await startGateway({ alice: ['* * *'], bob: ['* * *'] });
  other.routes.set('jobs', routeOf('jobs', upstream.url));
  const get = async (as: string) =>
    (await send(`${other.origin}/jobs/mcp`, { as, body: rpc('tasks/get', { taskId: id }) })).json();
  expect(await get('alice')).toMatchObject({ result: { taskId: id } });
  expect(await get('bob')).toMatchObject({ error: { code: -32602 } });
  await other.close();
});
