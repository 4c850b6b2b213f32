// biome-ignore-all lint/suspicious/noTemplateCurlyInString: placeholders of clients look like this
import { strict as assert } from 'node:assert';
import { agentCard } from '../../src/contract/agents/agent-card.ts';
import { FileFault, readRegistryFile } from '../../src/contract/files/read.ts';
import { serverEndpoints } from '../../src/contract/servers/servers.ts';
import { Failure } from '../../src/server/failure/errors.ts';
import type { Exchange } from '../../src/server/gateway/exchange.ts';
import { prune } from '../../src/server/gateway/lists/prune.ts';
import { EventFilter } from '../../src/server/gateway/lists/sse.ts';
import { readCall } from '../../src/server/gateway/read/read-call.ts';
import { createTasks } from '../../src/server/gateway/sessions/tasks.ts';
import type { Target } from './engine.ts';
import { head } from './head.ts';

const json = [
  '{',
  '}',
  '[',
  ']',
  ',',
  ':',
  '"',
  '\\',
  '\\u0074',
  '\\ud800',
  'null',
  'true',
  '1e999',
  '-0',
  ' ',
  '\n',
  '\ufeff',
];
const call = '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"now","arguments":{}}}';

/**
 * A body that is taken must mean to us what it means to JSON.parse: a server that reads another tool out of the same bytes
 * would run what was never decided on.
 */
const body: Target = {
  name: 'body',
  seeds: [
    call,
    `[${call},{"jsonrpc":"2.0","method":"notifications/initialized"}]`,
    '{"jsonrpc":"2.0","id":"a","result":{}}',
    '{"jsonrpc":"2.0","id":2,"method":"completion/complete","params":{"ref":{"type":"ref/prompt","name":"x"}}}',
    '{"jsonrpc":"2.0","id":3,"method":"tools/call","params":{"name":"a","_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","traceparent":"00-x"},"task":{"ttl":1}}}',
  ],
  words: [
    ...json,
    '"jsonrpc"',
    '"2.0"',
    '"id"',
    '"method"',
    '"params"',
    '"name"',
    '"Method"',
    '"uri"',
    '"tools/call"',
    '"secret"',
    '"_meta"',
    '"ref"',
    '"task"',
    '"result"',
    '"error"',
    '"__proto__"',
  ],
  run(input) {
    const asked = readCall(input, 50);
    if (asked.is !== 'asked') return;
    const value: unknown = JSON.parse(input.toString('utf8'));
    const messages = Array.isArray(value) ? value : [value];
    assert.equal(messages.length, asked.messages.length);
    for (const [at, { kind, method, tool }] of asked.messages.entries()) {
      const message = messages[at] as { method?: string; params?: { name?: unknown } };
      if (kind === 'response') assert.equal(message.method, undefined);
      else assert.equal(message.method, method);
      if (method === 'tools/call') assert.equal(message.params?.name, tool);
    }
  },
};

const shown = new Map([['tools', { named: 'name', shows: (name: string) => name === 'now' }]]);
const list =
  '{"jsonrpc":"2.0","id":1,"result":{"tools":[{"name":"now"},{"name":"secret","inputSchema":{"type":"object"}}],"cacheScope":"public"}}';

/** Whatever a server sends as a list, no tool that is not shown is left in it. */
const lists: Target = {
  name: 'list',
  seeds: [
    list,
    `[${list}]`,
    '{"result":{"tools":[]}}',
    '{"result":{"to\\u006fls":[{"na\\u006de":"secret"}]}}',
  ],
  words: [
    ...json,
    '"result"',
    '"tools"',
    '"name"',
    '"now"',
    '"secret"',
    '"nextCursor"',
    '"cacheScope"',
    '"Tools"',
    '"na\\u006de"',
    '[{"name":"secret"}]',
  ],
  run(input) {
    const text = input.toString('utf8');
    let after: string;
    try {
      after = prune(text, shown) ?? text;
    } catch (error) {
      if (error instanceof Failure) return;
      throw error;
    }
    let value: unknown;
    try {
      value = JSON.parse(after);
    } catch {
      return;
    }
    for (const message of Array.isArray(value) ? value : [value]) {
      const tools: unknown = (message as { result?: { tools?: unknown } } | null)?.result?.tools;
      if (Array.isArray(tools))
        for (const tool of tools) assert.equal((tool as { name?: unknown } | null)?.name, 'now');
    }
  },
};

/** A stream means the same however its bytes are cut, and no event with the hidden word passes. */
const events: Target = {
  name: 'events',
  seeds: [
    'data: a\n\n',
    ': hello\r\n\r\nevent: message\r\nid: 7\r\ndata: one\r\ndata: two\r\n\r\n',
    '\ufeffdata: secret\r\rdata: x\n\n',
  ],
  words: [
    'data:',
    'data: ',
    'event: message',
    'id: ',
    'retry: 1',
    ': ',
    '\n',
    '\r',
    '\r\n',
    '\n\n',
    '\r\r',
    'secret',
    '\ufeff',
    '\0',
    'data',
  ],
  run(input) {
    const rewrite = (_: string, data: string): string | undefined =>
      data.includes('secret') ? 'gone' : undefined;
    const through = (parts: readonly Buffer[]): string => {
      const filter = new EventFilter(8192, rewrite);
      return Buffer.concat(parts.map((part) => filter.write(part))).toString('latin1');
    };
    const whole = through([input]);
    const single = Array.from(input, (byte) => Buffer.from([byte]));
    assert.equal(through(single), whole);
    const middle = Math.floor(input.length / 2);
    assert.equal(through([input.subarray(0, middle), input.subarray(middle)]), whole);
    const lines = whole.split(/\r\n|\r|\n/);
    assert.ok(!lines.some((line) => line.startsWith('data:') && line.includes('secret')));
  },
};

/** A file is read or refused in words; what is read is held to the schema of the API without ever failing otherwise. */
const files: Target = {
  name: 'files',
  seeds: [
    '{"server_name":"A","path":"/a","proxy_pass_url":"https://a.example/mcp","auth_scheme":"bearer","tags":"a,b"}',
    '{"mcpServers":{"docs":{"type":"http","url":"https://a.example/mcp","headers":{"X-Key":"${K}"}}}}',
    '{"mcpServers":{"r":{"command":"npx","args":["mcp-remote","https://a.example/mcp","--header","A: b"]}}}',
    '[mcp_servers.docs]\nurl = "https://a.example/mcp"\n',
    '{"$schema":"https://static.modelcontextprotocol.io/schemas/2025-12-11/server.schema.json","name":"a.b/c","description":"d","version":"1","remotes":[{"type":"sse","url":"https://{t}.a/","variables":{"t":{"default":"x"}}}]}',
    '{"name":"Agent","description":"","url":"https://a.example/","version":"1","capabilities":{},"skills":[],"defaultInputModes":[],"defaultOutputModes":[]}',
    '{"scope_name":"t","ui_permissions":{"list_service":["*"]},"server_access":[]}',
  ],
  words: [
    ...json,
    '"servers"',
    '"url"',
    '"headers"',
    '"remotes"',
    '"metadata"',
    '"card"',
    '"skills"',
    '"command"',
    '"args"',
    '=',
    '#',
    '//',
    '/*',
    '"__proto__"',
    '"constructor"',
    '"https://a.example/mcp"',
    'null',
  ],
  run(input) {
    let entries: ReturnType<typeof readRegistryFile>;
    try {
      entries = readRegistryFile(input.toString('utf8'));
    } catch (error) {
      if (error instanceof FileFault) return;
      throw error;
    }
    for (const entry of entries) {
      if (entry.kind === 'server') {
        const { body, credential } = entry;
        serverEndpoints['servers.register'].body.safeParse({
          ...body,
          ...(credential ? { credential } : {}),
        });
      }
      if (entry.kind === 'agent') agentCard.safeParse(entry.body);
      if (entry.kind === 'refused') assert.ok(entry.reason !== '' && entry.remedy !== '');
    }
    assert.equal(({} as { polluted?: unknown }).polluted, undefined);
  },
};

const tasksOfAll = createTasks([Buffer.alloc(32, 1)]);
const somebody = { serverId: 's', origin: 'http://s.example', holder: 'h' };

/** Whatever a client writes, no id of a task reaches a server that was not sealed for that client. */
const tasks: Target = {
  name: 'tasks',
  seeds: [
    '{"jsonrpc":"2.0","id":1,"method":"tasks/get","params":{"taskId":"t1"}}',
    '{"jsonrpc":"2.0","method":"tasks/cancel","params":{"taskId":1,"_meta":{"io.modelcontextprotocol/related-task":{"taskId":"t1"}}}}',
    '[{"jsonrpc":"2.0","id":1,"method":"tasks/list"},{"jsonrpc":"2.0","id":2,"method":"tasks/result","params":{"taskId":"t1"}}]',
    '{"jsonrpc":"2.0","id":1,"method":"subscriptions/listen","params":{"notifications":{"taskIds":["t1"]}}}',
  ],
  words: [
    ...json,
    ...['"taskId"', '"t1"', '"params"', '"method"', '"tasks/get"', '"tasks/update"', '"tasks\\/get"'],
    ...['"task\\u0049d"', '"taskIds"', '"notifications"', '"_meta"', '"TaskId"', '"tasks/list"', '"id"'],
  ],
  run(input) {
    const asked = readCall(input, 50);
    if (asked.is !== 'asked') return;
    let sent = input;
    try {
      sent = tasksOfAll.of(somebody, asked, input)?.opened({} as Exchange, input).body ?? input;
    } catch (error) {
      if (error instanceof Failure) return;
      throw error;
    }
    const value: unknown = JSON.parse(sent.toString('utf8'));
    for (const message of Array.isArray(value) ? value : [value]) {
      const { method, params } = message as { method?: unknown; params?: Record<string, unknown> };
      if (typeof method !== 'string' || !params) continue;
      // What is nobody's goes on as the name of none.
      if (method.startsWith('tasks/')) assert.match(String(params.taskId ?? 'none-'), /^none-[\da-f-]*$/);
      const listened = (params.notifications as { taskIds?: unknown } | undefined)?.taskIds;
      if (method === 'subscriptions/listen' && Array.isArray(listened)) assert.deepEqual(listened, []);
    }
  },
};

/** Everything that is fuzzed. */
export const targets: readonly Target[] = [body, tasks, lists, events, files, head];
