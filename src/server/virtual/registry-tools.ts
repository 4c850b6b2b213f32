import { z } from 'zod';
import type { SemanticResults } from '../../contract/search.ts';
import { nameOfPath } from '../../contract/servers/servers.ts';
import type { Access } from '../access/caller.ts';
import type { Db } from '../db/tables.ts';
import { asFailure, Failure } from '../failure/errors.ts';
import { showsUrls } from '../gateway/unconnected.ts';
import type { TerminalRequest } from '../gateway/world.ts';
import type { Identity } from '../identity/identity.ts';
import { listAgents } from '../registry/agents/store.ts';
import { healthOf } from '../registry/servers/present.ts';
import { listServers, type ServerRow } from '../registry/servers/store.ts';
import { tokensOf } from '../registry/virtual-servers/shown.ts';
import { type CallingWorld, callMember } from './call-member.ts';
import { checkMeta, isModernRequest, refuseRpc, versionOf } from './eras.ts';
import {
  invalidParams,
  type JsonObject,
  legacyVersions,
  metaKeys,
  methodNotFound,
  modern,
  objectIn,
  RpcError,
  responseText,
  sendAccepted,
  sendMessage,
  serverInfo,
  withoutTask,
} from './wire.ts';

/** The name of the registry's own tools as a server, in scopes and addresses. */
export const registryTools = 'airegistry-tools';

/** A tool that was found for somebody who may call it. */
export interface FoundTool {
  /** The path of its server. */
  readonly path: string;
  readonly server_name: string;
  readonly name: string;
  readonly description: string;
  readonly inputSchema: JsonObject;
  /** How well it fits, 0 to 1. */
  readonly score: number;
  readonly similarity: number;
}

/** What the registry's own tools work with; each shows what its caller may see and call, and nothing else. */
export interface RegistryToolsWorld {
  readonly db: Db;
  readonly accessOf: (identity: Identity) => Access;
  /** Tools that the identity may call, the best first; `total` counts what was found. */
  readonly findTools: (
    identity: Identity,
    query: string,
    limit: number,
  ) => Promise<{ tools: FoundTool[]; total: number }>;
  /** What `POST /api/search/semantic` finds for the identity. */
  readonly findAll: (identity: Identity, query: string, limit: number) => Promise<SemanticResults>;
}

type World = RegistryToolsWorld & CallingWorld;

const query = z.string().trim().min(1).max(500);
const most = (usual: number) => z.number().int().min(1).max(50).default(usual);
const found = z.object({ query, max_results: most(10) });
const finder = z.object({ query, top_n: most(5) });
const called = z.object({
  server: z.string().min(1).max(200).describe('The path of the server, as search_tools gives it'),
  tool: z.string().min(1).max(200).describe('The name of the tool, as search_tools gives it'),
  arguments: z.record(z.string(), z.unknown()).default({}).describe('What its inputSchema asks for'),
});
const nothing = z.object({});

type Tool = readonly [description: string, input: z.ZodType, annotations: JsonObject];
const reads = { readOnlyHint: true, openWorldHint: false };

const tools: Readonly<Record<string, Tool>> = {
  search_tools: [
    'Find tools that you can call, on every server of this gateway, by what you want to do. Returns each with its server, its inputSchema and how well it fits; call one with call_tool.',
    found,
    reads,
  ],
  call_tool: ['Call a tool that search_tools found: its server, its name and its arguments.', called, {}],
  search_registry: ['Search the servers, tools and agents of the registry that you can see.', found, reads],
  intelligent_tool_finder: [
    'Find tools by what you want to do. Deprecated: use search_tools.',
    finder,
    reads,
  ],
  list_services: ['List the MCP servers that you can see.', nothing, reads],
  list_agents: ['List the A2A agents that you can see.', nothing, reads],
  healthcheck: ['Count the servers and tools that you can see, and show their health.', nothing, reads],
};

/** What stands in the place of results when a tool fails. */
const empty: Readonly<Record<string, JsonObject>> = {
  search_registry: { servers: [], tools: [], agents: [], skills: [], total_results: 0 },
  intelligent_tool_finder: { results: [], total_results: 0 },
  search_tools: { tools: [], total_results: 0 },
  list_services: { services: [], total_count: 0, enabled_count: 0 },
  list_agents: { agents: [], total_count: 0 },
  healthcheck: { total_servers: 0, enabled_servers: 0, total_tools: 0, health_status: {} },
};

const texts = new Map(
  Object.entries(tools).map(([name, [description, input, annotations]]) => {
    const { $schema: _, ...inputSchema } = z.toJSONSchema(input, { io: 'input' });
    return [name, JSON.stringify({ name, description, inputSchema, annotations })];
  }),
);

/** Serves `/airegistry-tools/mcp` in every version of MCP, with no session in any of them. */
export async function serveRegistryTools(running: World, request: TerminalRequest): Promise<void> {
  const { exchange, identity, place, asking } = request;
  const { asked, body, method } = asking;
  const [message] = asked.messages;
  if (place.endpoint !== 'mcp')
    throw new Failure('not_found', `There is no endpoint '/${place.server}/${place.endpoint}'.`);
  if (asked.batch) throw new Failure('bad_request', 'Send one message at a time, no batches.');
  if (method !== 'POST')
    throw new Failure(
      'method_not_allowed',
      'There are no sessions and no streams here; send requests by POST.',
    );
  if (message.kind !== 'request' || message.id === null || !body) return sendAccepted(exchange);
  try {
    versionOf(message, exchange.req.headers['mcp-protocol-version']);
    const isModern = isModernRequest(exchange, message);
    if (isModern) checkMeta({ body, message });
    const params = objectIn(JSON.parse(body.toString('utf8')), 'params');
    if (message.method === 'tools/call') return await callTool(running, request, params, isModern);
    if (message.method === 'initialize' && !isModern) {
      if (showsUrls(params.capabilities)) running.showUrls.set(clientOf(exchange, identity), true);
      else running.showUrls.delete(clientOf(exchange, identity));
    }
    const result = resultOf(running, identity, message.method, params, isModern);
    if (message.method === 'tools/list') exchange.noted = { list_tokens: tokensOf([JSON.stringify(result)]) };
    sendMessage(
      exchange,
      responseText(message.id, isModern ? { resultType: 'complete', ...result } : result),
    );
  } catch (error) {
    if (!(error instanceof RpcError) || exchange.res.headersSent) throw error;
    refuseRpc(exchange, message, error);
  }
}

const info = { ...serverInfo, title: 'AI Registry' };
const instructions =
  'Find a tool with search_tools, then call it with call_tool. You can call everything that you find.';

function resultOf(
  { decide }: World,
  identity: Identity,
  method: string,
  params: JsonObject,
  isModern: boolean,
): JsonObject {
  const forAll = { ttlMs: 0, cacheScope: 'private', _meta: { [metaKeys.server]: info } };
  const capabilities = { tools: {} };
  if (method === 'tools/list') {
    const shown = [...texts].filter(
      ([tool]) => decide(identity, { server: registryTools, method: 'tools/call', tool }).allow,
    );
    return { tools: shown.map(([, text]) => JSON.parse(text)), ...(isModern ? forAll : {}) };
  }
  if (method === 'server/discover' && isModern)
    return { supportedVersions: [modern], capabilities, instructions, ...forAll };
  if (method === 'ping' && !isModern) return {};
  if (method === 'initialize' && !isModern) {
    const wanted = String(params.protocolVersion);
    const protocolVersion = legacyVersions.includes(wanted) ? wanted : legacyVersions[0];
    return { protocolVersion, capabilities, serverInfo: info, instructions };
  }
  throw new RpcError(methodNotFound, `There is no method '${method.slice(0, 60)}' here.`, { status: 404 });
}

async function callTool(
  running: World,
  { exchange, identity, asking }: TerminalRequest,
  params: JsonObject,
  isModern: boolean,
): Promise<void> {
  const [message] = asking.asked.messages;
  const { tool = '', id } = message;
  const known = Object.hasOwn(tools, tool) ? tools[tool] : undefined;
  if (!known) throw new RpcError(invalidParams, `Tool ${tool.slice(0, 100)} not found`);
  const input = known[1].safeParse(params.arguments ?? {});
  if (!input.success) {
    const faults = input.error.issues.map(({ path, message: fault }) => `${path.join('.')}: ${fault}`);
    throw new RpcError(
      invalidParams,
      `The arguments of ${tool} are not valid: ${faults.slice(0, 5).join('; ')}.`,
    );
  }
  if (tool === 'call_tool')
    return callFound(
      running,
      { exchange, identity, asking } as TerminalRequest,
      input.data as z.infer<typeof called>,
      params,
      isModern,
    );
  const outcome = await resultsOf(running, identity, tool, input.data as JsonObject).catch(
    (error: unknown) => {
      const { message: said } = asFailure(error);
      return { status: 'failed', error: said, ...empty[tool] };
    },
  );
  const result = {
    content: [{ type: 'text', text: JSON.stringify(outcome) }],
    structuredContent: outcome,
    ...('error' in outcome ? { isError: true } : {}),
  };
  const more = isModern ? { resultType: 'complete', _meta: { [metaKeys.server]: info } } : {};
  sendMessage(exchange, responseText(id, { ...result, ...more }));
}

/** Which program of somebody asks, as far as can be told without sessions. */
function clientOf({ req }: TerminalRequest['exchange'], { provider, subject }: Identity): string {
  return JSON.stringify([provider, subject, req.headers['user-agent']]);
}

/** The inner call: decided on, limited and recorded as the tool that it names. */
function callFound(
  running: World,
  { exchange, identity, asking }: TerminalRequest,
  { server: path, tool, arguments: args }: z.infer<typeof called>,
  params: JsonObject,
  isModern: boolean,
): Promise<void> {
  const [message] = asking.asked.messages;
  const server = nameOfPath(path);
  const { _meta, inputResponses, requestState } = params;
  const own = JSON.parse(JSON.stringify({ _meta, inputResponses, requestState })) as JsonObject;
  const inner = {
    jsonrpc: '2.0',
    id: message.id,
    method: 'tools/call',
    params: { name: tool, arguments: args, ...own },
  };
  exchange.via = { server: registryTools, alias: 'call_tool' };
  const holder = JSON.stringify([registryTools, identity.provider, identity.subject]);
  return callMember(
    running,
    {
      ...{ exchange, identity, isModern, holder, session: undefined },
      showsUrls: running.showUrls.has(clientOf(exchange, identity)),
    },
    {
      server,
      message: { ...message, tool, name: tool },
      // There are no tasks here, and so a call is answered as one.
      body: withoutTask(Buffer.from(JSON.stringify(inner))),
      inputSchema: () =>
        objectIn(
          running.findRoute(server)?.tools.find(({ name }) => name === tool),
          'inputSchema',
        ),
      stillAllowed: (who) =>
        running.decide(who, { server: registryTools, method: 'tools/call', tool: 'call_tool' }).allow &&
        running.decide(who, { server, method: 'tools/call', tool }).allow,
    },
  );
}

async function resultsOf(
  running: World,
  identity: Identity,
  tool: string,
  input: JsonObject,
): Promise<JsonObject> {
  const { accessOf, decide, findTools, findAll, db } = running;
  const text = String(input.query ?? '');
  const limit = Number(input.max_results ?? input.top_n ?? 10);
  const access = accessOf(identity);
  const mayList = ({ path }: ServerRow): boolean => access.may('list_service', nameOfPath(path));
  const callable = ({ path, tools: known }: ServerRow): number =>
    (known?.tools ?? []).filter(
      ({ name }) => decide(identity, { server: nameOfPath(path), method: 'tools/call', tool: name }).allow,
    ).length;
  switch (tool) {
    case 'search_tools': {
      const { tools: hits, total } = await findTools(identity, text, limit);
      const shown = hits.map(({ path, name, description, inputSchema, score }) => ({
        ...{ server: path, tool: name, description, inputSchema, score },
      }));
      return {
        ...{ tools: shown, query: text, total_results: shown.length },
        tokens: tokensOf(shown.map((one) => JSON.stringify(one))),
        discovery_receipt: receipt(text, limit, hits, total),
        status: 'success',
      };
    }
    case 'intelligent_tool_finder': {
      const { tools: hits, total } = await findTools(identity, text, limit);
      const results = hits.map(({ path, name, server_name, description, score }) => ({
        ...{ tool_name: name, server_name, description, score, path },
      }));
      const discovery_receipt = receipt(text, limit, hits, total);
      return { results, query: text, total_results: results.length, discovery_receipt, status: 'success' };
    }
    case 'search_registry': {
      const [{ servers, tools: hits, agents, skills }, exposed] = await Promise.all([
        findAll(identity, text, limit),
        findTools(identity, text, limit),
      ]);
      const total_results = servers.length + hits.length + agents.length + skills.length;
      const discovery_receipt = receipt(text, limit, exposed.tools, exposed.total);
      return {
        servers,
        tools: hits,
        agents,
        skills,
        query: text,
        total_results,
        discovery_receipt,
        status: 'success',
      };
    }
    case 'list_services': {
      const services = (await listServers(db)).filter(mayList).map((row) => ({
        ...{
          server_name: row.definition.server_name,
          path: row.path,
          description: row.definition.description,
        },
        ...{ enabled: row.isEnabled, tags: row.definition.tags, tool_count: callable(row) },
      }));
      const enabled_count = services.filter(({ enabled }) => enabled).length;
      return { services, total_count: services.length, enabled_count, status: 'success' };
    }
    case 'list_agents': {
      const agents = (await listAgents(db))
        .filter(({ path, isEnabled }) => isEnabled && access.may('list_agents', nameOfPath(path)))
        .map(({ path, summary: { name, description }, notes: { tags } }) => ({
          name,
          description,
          tags,
          path,
        }));
      return { agents, total_count: agents.length, status: 'success' };
    }
    default: {
      const rows = (await listServers(db)).filter(mayList);
      return {
        total_servers: rows.length,
        enabled_servers: rows.filter(({ isEnabled }) => isEnabled).length,
        total_tools: rows.reduce((sum, row) => sum + callable(row), 0),
        health_status: Object.fromEntries(rows.map((row) => [row.path, healthOf(row)])),
        status: 'success',
      };
    }
  }
}

/** What a search gave and what it kept back; what the caller may not call is not counted, as if it were not there. */
function receipt(text: string, limit: number, hits: readonly FoundTool[], total: number): JsonObject {
  return {
    ...{ event: 'tool.discovery_receipt', query: text, limits: { max_results: limit } },
    exposed_tools: hits.map(({ path, name, similarity }) => ({
      ...{ service_path: path, tool_name: name, similarity_score: similarity },
    })),
    withheld: {
      candidate_tool_count: Math.max(0, total - hits.length),
      reason: total > hits.length ? 'max_results' : null,
    },
    status: 'success',
    stop_reason: hits.length > 0 ? 'results_returned' : 'no_match',
  };
}
