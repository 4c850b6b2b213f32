import { Client, StreamableHTTPClientTransport, UnauthorizedError } from '@modelcontextprotocol/client';
import { Login, type Registered } from './login.ts';

/**
 * A client that the official suite starts with the address of its server as last argument: it does what the scenario asks
 * of a client. With GATEWAY what it sends to that server goes there, with TOKEN to prove who it is; see `startRelay`.
 */
const {
  MCP_CONFORMANCE_PROTOCOL_VERSION: revision,
  MCP_CONFORMANCE_CONTEXT,
  GATEWAY,
  TOKEN = '',
} = process.env;
const context = JSON.parse(MCP_CONFORMANCE_CONTEXT ?? '{}') as Registered & { toolCalls?: ToolCall[] };
const server = new URL(process.argv.at(-1) ?? '');
const login = new Login(context);

interface ToolCall {
  readonly name: string;
  readonly arguments?: Record<string, unknown>;
}

interface Tool {
  readonly name: string;
  readonly inputSchema: {
    readonly properties?: Record<string, unknown>;
    readonly required?: readonly string[];
  };
}

/** Calls of a tool: those that the scenario names, else one with a value of the right type for what is required. */
function callsOf({ name, inputSchema }: Tool, tools: readonly Tool[]): readonly ToolCall[] {
  const named = (context.toolCalls ?? []).filter((call) => call.name === name);
  if (named.length > 0) return named;
  const other = tools.find((tool) => tool.name !== name);
  const values = (inputSchema.required ?? []).map((key) => {
    const { type } = (inputSchema.properties?.[key] ?? {}) as { type?: string };
    const isNumber = type === 'number' || type === 'integer';
    return [key, isNumber ? 5 : type === 'object' ? (other?.inputSchema ?? {}) : 'us-west1'];
  });
  return [{ name, arguments: Object.fromEntries(values) }];
}

function send(url: string | URL, init: RequestInit = {}): Promise<Response> {
  if (!GATEWAY || new URL(url).href !== server.href) return fetch(url, init);
  const headers = new Headers(init.headers);
  headers.set('x-authorization', `Bearer ${TOKEN}`);
  headers.set('x-scenario', server.href);
  return fetch(GATEWAY, { ...init, headers });
}

function makeClient(): Client {
  const client = new Client(
    { name: 'conformance-client', version: '1.0.0' },
    {
      capabilities: { elicitation: { form: { applyDefaults: true } }, sampling: {}, roots: {} },
      versionNegotiation: { mode: revision === '2026-07-28' ? { pin: revision } : 'legacy' },
    },
  );
  client.setRequestHandler('elicitation/create', async ({ params }) => {
    const { requestedSchema = {} } = params as { requestedSchema?: { properties?: object } };
    const content: Record<string, boolean> = {};
    if ('confirmed' in (requestedSchema.properties ?? {})) content.confirmed = true;
    return { action: 'accept', content };
  });
  return client;
}

let transport: StreamableHTTPClientTransport;

let signIns = 0;

/** Does it, and again after a sign-in where it turned out to need one: two for all that this client does. */
async function signedIn<T>(run: () => Promise<T>): Promise<T> {
  for (;;)
    try {
      return await run();
    } catch (error) {
      if (!(error instanceof UnauthorizedError) || signIns++ === 2) throw error;
      await transport.finishAuth(login.callback);
    }
}

const client = await signedIn(async () => {
  transport = new StreamableHTTPClientTransport(server, { authProvider: login, fetch: send });
  const one = makeClient();
  await one.connect(transport);
  return one;
});
const { tools } = await signedIn(() => client.listTools());
for (const tool of tools as Tool[])
  for (const call of callsOf(tool, tools as Tool[]))
    await signedIn(() => client.callTool(call as never)).catch(note);
const can = client.getServerCapabilities() ?? {};
if (can.resources)
  for (const { uri } of (await client.listResources()).resources)
    await client.readResource({ uri }).catch(note);
if (can.prompts)
  for (const { name } of (await client.listPrompts()).prompts) await client.getPrompt({ name }).catch(note);
await client.close();

function note(error: unknown): void {
  process.stderr.write(`${String(error)}\n`);
}
