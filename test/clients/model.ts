import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';

/** One thing that the model does: call a tool, by the name that its server gives it. */
export interface Step {
  readonly tool: string;
  readonly args?: Readonly<Record<string, string | number>>;
  /** What happens first, after the results of the steps before. */
  readonly before?: () => Promise<unknown>;
}

/** What a program told its model: the tools it first offered, and the results of the calls as JSON, in order. */
export interface Heard {
  readonly offered: readonly string[];
  readonly results: readonly string[];
  /** All that it said before the first call, as JSON or as it was printed. */
  readonly told: string;
}

/** One model service's way of saying things. */
interface Dialect {
  readonly path: RegExp;
  read(body: Body): { tools: string[]; results: unknown[] };
  /** `call` is absent at the end of the conversation. */
  say(answer: Answer, call: Call | undefined, number: number): void;
}

/** A call, by the name under which the program offered the tool. */
interface Call {
  readonly name: string;
  readonly args: object;
}

// biome-ignore lint/suspicious/noExplicitAny: three services' requests, of which a few members are read
type Body = Record<string, any>;

/** Sends the events of a stream, or the whole as JSON. */
interface Answer {
  readonly wantsStream: boolean;
  events(...events: object[]): void;
  json(body: object): void;
}

/**
 * A model on loopback that does what a test says, for programs that cannot work without one: it speaks as the services of
 * Anthropic (`/v1/messages`), OpenAI (`/v1/responses`) and Google (`:streamGenerateContent`) do.
 */
export async function startModel() {
  let steps: readonly Step[] = [];
  let offered: string[] = [];
  let results: string[] = [];
  let told = '';
  const failures: string[] = [];
  /** How many results a session had when the conversation began. */
  let before: number | undefined;
  let lastOffered: readonly string[] = [];
  const waiting = new Set<() => void>();
  const handle = async (req: IncomingMessage, res: ServerResponse): Promise<void> => {
    const path = new URL(req.url ?? '/', 'http://localhost').pathname;
    const json = await text(req);
    const body = parsed(json);
    const dialect = dialects.find((one) => one.path.test(path));
    if (!dialect || path.endsWith('count_tokens')) return void res.writeHead(404).end('{}');
    const read = dialect.read(body);
    if (read.tools.length > 0) lastOffered = read.tools;
    const isTold = read.tools.length > 0 && steps.length > 0;
    if (isTold && offered.length === 0) [offered, told] = [read.tools, json];
    if (isTold) before ??= read.results.length;
    const since = read.results.slice(before ?? read.results.length);
    if (since.length > results.length) results = since.map((one) => JSON.stringify(one));
    const step = isTold ? steps[since.length] : undefined;
    await step?.before?.();
    const name = step && offered.find((one) => one === step.tool || one.endsWith(`_${step.tool}`));
    if (step && !name) failures.push(`${step.tool} is not among ${offered.join(', ')}`);
    const call = name === undefined ? undefined : { name, args: step?.args ?? {} };
    dialect.say(answer(res, body.stream === true || path.includes('stream')), call, read.results.length);
    if (!call && read.tools.length > 0) for (const told of waiting) told();
  };
  const http = createServer((req, res) => {
    handle(req, res).catch((error: unknown) => {
      failures.push(String(error));
      res.destroy();
    });
  });
  await new Promise<void>((done) => http.listen(0, '127.0.0.1', done));
  return {
    url: `http://127.0.0.1:${(http.address() as AddressInfo).port}`,
    /** Has a program, which `run` starts, do these steps in one conversation. */
    async converse(next: readonly Step[], run: () => Promise<unknown>): Promise<Heard> {
      [steps, offered, results, told] = [next, [], [], ''];
      [failures.length, before] = [0, undefined];
      const printed = String(await run());
      steps = [];
      if (results.length < next.length || failures.length > 0)
        throw new Error(
          `${results.length} of ${next.length} calls. ${failures.join('; ')}\n${printed.slice(-3000)}`,
        );
      return { offered, results, told };
    },
    /** The next time that it has said all it had to: for a program that stays open, whose `run` waits for this. */
    said(): Promise<void> {
      return new Promise((done) => {
        const tell = (): void => {
          waiting.delete(tell);
          done();
        };
        waiting.add(tell);
      });
    },
    /** Whether the program last offered such a tool. */
    isOffered: (tool: string) => lastOffered.some((one) => one.endsWith(`_${tool}`)),
    close(): void {
      http.closeAllConnections();
      http.close();
    },
  };
}

const usage = { input_tokens: 1, output_tokens: 1, total_tokens: 2 };

const dialects: readonly Dialect[] = [
  {
    path: /\/v1\/messages/,
    read: ({ tools = [], messages = [] }) => ({
      tools: names(tools),
      results: messages
        .flatMap(({ content }: Body) => (Array.isArray(content) ? content : []))
        .filter(({ type }: Body) => type === 'tool_result')
        .map(({ content }: Body) => content),
    }),
    say(to, call, number) {
      const block = call
        ? { type: 'tool_use', id: `toolu_${number}`, name: call.name, input: call.args }
        : { type: 'text', text: 'done' };
      const delta = call
        ? { type: 'input_json_delta', partial_json: JSON.stringify(call.args) }
        : { type: 'text_delta', text: 'done' };
      const message = { id: 'msg_1', type: 'message', role: 'assistant', model: 'fake', usage };
      const stop = { stop_reason: call ? 'tool_use' : 'end_turn', stop_sequence: null };
      if (!to.wantsStream) return to.json({ ...message, ...stop, content: [block] });
      to.events(
        {
          type: 'message_start',
          message: { ...message, content: [], stop_reason: null, stop_sequence: null },
        },
        {
          type: 'content_block_start',
          index: 0,
          content_block: call ? { ...block, input: {} } : { type: 'text', text: '' },
        },
        { type: 'content_block_delta', index: 0, delta },
        { type: 'content_block_stop', index: 0 },
        { type: 'message_delta', delta: stop, usage },
        { type: 'message_stop' },
      );
    },
  },
  {
    path: /\/responses$/,
    read: ({ tools = [], input = [] }) => ({
      // Codex gives each server's tools a namespace.
      tools: tools.flatMap((tool: Body) =>
        tool.tools ? names(tool.tools).map((name) => `${tool.name}\n_${name}`) : names([tool]),
      ),
      results: (Array.isArray(input) ? input : [])
        .filter(({ type }: Body) => type === 'function_call_output')
        .map(({ output }: Body) => output),
    }),
    say(to, call, number) {
      const [namespace, within] = call?.name.split('\n_') ?? [];
      const name = within === undefined ? { name: namespace } : { namespace, name: within };
      const item = call
        ? {
            type: 'function_call',
            id: `fc_${number}`,
            call_id: `call_${number}`,
            ...name,
            arguments: JSON.stringify(call.args),
            status: 'completed',
          }
        : {
            ...{ type: 'message', id: 'msg_1', role: 'assistant', status: 'completed' },
            content: [{ type: 'output_text', text: 'done', annotations: [] }],
          };
      const response = {
        id: 'resp_1',
        object: 'response',
        created_at: 1,
        model: 'fake',
        status: 'completed',
        usage,
      };
      if (!to.wantsStream) return to.json({ ...response, output: [item] });
      to.events(
        { type: 'response.created', response: { ...response, output: [] } },
        { type: 'response.output_item.done', output_index: 0, item },
        { type: 'response.completed', response: { ...response, output: [item] } },
      );
    },
  },
  {
    path: /enerateContent$/,
    read: ({ tools = [], contents = [] }) => ({
      tools: names(tools.flatMap(({ functionDeclarations = [] }: Body) => functionDeclarations)),
      results: contents
        .flatMap(({ parts = [] }: Body) => parts)
        .flatMap(({ functionResponse }: Body) => (functionResponse ? [functionResponse.response] : [])),
    }),
    say(to, call) {
      const part = call ? { functionCall: call } : { text: 'done' };
      const whole = {
        candidates: [{ content: { role: 'model', parts: [part] }, finishReason: 'STOP', index: 0 }],
        usageMetadata: { promptTokenCount: 1, candidatesTokenCount: 1, totalTokenCount: 2 },
      };
      if (to.wantsStream) to.events(whole);
      else to.json(whole);
    },
  },
];

function names(tools: readonly Body[]): string[] {
  return tools.flatMap(({ name }) => (typeof name === 'string' ? [name] : []));
}

function answer(res: ServerResponse, wantsStream: boolean): Answer {
  return {
    wantsStream,
    json(body) {
      res.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(body));
    },
    events(...events) {
      res.writeHead(200, { 'content-type': 'text/event-stream' });
      for (const event of events as { type?: string }[])
        res.write(`${event.type ? `event: ${event.type}\n` : ''}data: ${JSON.stringify(event)}\n\n`);
      res.end();
    },
  };
}

function parsed(json: string): Body {
  try {
    return JSON.parse(json) as Body;
  } catch {
    return {};
  }
}
