import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';

/**
 * A client that the official suite starts with the address of its server as last argument: it does what the scenario asks
 * of a client. With GATEWAY it goes there instead, to the route of that server; see `serversBehind`.
 */
const { MCP_CONFORMANCE_PROTOCOL_VERSION: revision, MCP_CONFORMANCE_CONTEXT, GATEWAY } = process.env;
const context = JSON.parse(MCP_CONFORMANCE_CONTEXT ?? '{}') as { toolCalls?: ToolCall[] };
const given = new URL(process.argv.at(-1) ?? '');
const url = GATEWAY
  ? new URL(`/${given.pathname === '/' ? 'root' : 'mcp'}-${given.port}/mcp`, GATEWAY)
  : given;

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
  const rich = tools.find((tool) => tool.name !== name);
  const values = (inputSchema.required ?? []).map((key) => {
    const { type } = (inputSchema.properties?.[key] ?? {}) as { type?: string };
    const isNumber = type === 'number' || type === 'integer';
    return [key, isNumber ? 5 : type === 'object' ? (rich?.inputSchema ?? {}) : 'us-west1'];
  });
  return [{ name, arguments: Object.fromEntries(values) }];
}

const modern = revision === '2026-07-28';
const client = new Client(
  { name: 'conformance-client', version: '1.0.0' },
  {
    capabilities: { elicitation: { form: { applyDefaults: true } }, sampling: {}, roots: {} },
    versionNegotiation: { mode: modern ? { pin: revision } : 'legacy' },
  },
);
client.setRequestHandler('elicitation/create', async ({ params }) => {
  const { requestedSchema = {} } = params as { requestedSchema?: { properties?: object } };
  const content: Record<string, boolean> = {};
  if ('confirmed' in (requestedSchema.properties ?? {})) content.confirmed = true;
  return { action: 'accept', content };
});
await client.connect(
  new StreamableHTTPClientTransport(url, { requestInit: { headers: { authorization: 'Bearer client' } } }),
);
const can = client.getServerCapabilities() ?? {};
const { tools } = await client.listTools();
for (const tool of tools as Tool[])
  for (const call of callsOf(tool, tools as Tool[])) await client.callTool(call as never).catch(note);
if (can.resources)
  for (const { uri } of (await client.listResources()).resources)
    await client.readResource({ uri }).catch(note);
if (can.prompts)
  for (const { name } of (await client.listPrompts()).prompts) await client.getPrompt({ name }).catch(note);
await client.close();

function note(error: unknown): void {
  process.stderr.write(`${String(error)}\n`);
}
