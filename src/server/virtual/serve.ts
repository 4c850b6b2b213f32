import { LRUCache } from 'lru-cache';
import type { Db } from '../db/tables.ts';
import { Failure } from '../failure/errors.ts';
import type { Message } from '../gateway/read/read-call.ts';
import type { Terminal, TerminalKit, TerminalRequest } from '../gateway/world.ts';
import type { FindRoute } from '../registry/servers/route.ts';
import type { Virtual, VirtualTable } from '../registry/virtual-servers/table.ts';
import type { BridgeWorld } from './bridge.ts';
import {
  type CallerOf,
  type CallingWorld,
  callMember,
  cancelCall,
  endWhatIsNoLongerAllowed,
  type OtherProcesses,
} from './call-member.ts';
import { createParked } from './calls.ts';
import { checkMeta, paramsOf, refuseRpc, versionOf } from './eras.ts';
import { createLists, type ListWorld, listed, listMessage } from './lists.ts';
import { decideThrough, locate } from './locate.ts';
import { createMailbox } from './mailbox.ts';
import { askMember, memberHeaders, sessionHeaders } from './member.ts';
import { memberFor } from './members.ts';
import { memberOfQuestion } from './own-messages.ts';
import type { ToolsChanged } from './pass.ts';
import { type RegistryToolsWorld, registryTools, serveRegistryTools } from './registry-tools.ts';
import { createMemberSessions, openSession, sealSession, takeLeave } from './sessions.ts';
import { createSseLinks } from './sse-link.ts';
import { createStreams } from './streams.ts';
import {
  invalidParams,
  invalidRequest,
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
  withParam,
} from './wire.ts';

/** What virtual servers are served with. */
export interface VirtualWorld extends ListWorld, RegistryToolsWorld {
  readonly table: Pick<VirtualTable, 'find'>;
  readonly findRoute: FindRoute;
  readonly db: Db;
  /** 32 bytes that seal session ids and states; the same in all processes. */
  readonly key: Buffer;
  readonly now: () => number;
  readonly toolsChanged: ToolsChanged;
  /** Calls back when what lists show may have changed; returns how to stop that. */
  readonly onChange: (listener: () => void) => () => void;
  /** Absent where there is one process only. */
  readonly elsewhere?: OtherProcesses;
}

/** A request to a virtual server, with what is known of it. */
interface Asked extends CallerOf {
  readonly virtual: Virtual;
  readonly message: Message;
  readonly body: Buffer;
}

/** Makes the endpoints `/virtual/{slug}/mcp`, which speak every version of MCP with its clients. */
export function createVirtualServing(world: VirtualWorld): (kit: TerminalKit) => Terminal {
  return (kit) => {
    const { db, key, now } = world;
    const shared = { ...kit, db, key, now };
    const sessions = createMemberSessions(shared);
    const parked = createParked();
    const bridge: BridgeWorld = {
      ...shared,
      sessions,
      parked,
      links: createSseLinks(kit),
      mailbox: createMailbox(shared),
    };
    const lists = createLists(world);
    const streams = createStreams({ ...world, ...bridge, lists });
    const running: Running = {
      ...world,
      bridge,
      lists,
      streams,
      underWay: new Map(),
      onlyModern: new WeakSet(),
      showUrls: new LRUCache({ max: 20_000 }),
      told: new LRUCache({ max: 10_000, ttl: 60_000, noUpdateTTL: true }),
    };
    const endLooking = world.onChange(() => endWhatIsNoLongerAllowed(kit));
    const endFollowing = world.elsewhere?.follow((call) => running.underWay.get(call)?.cancel());
    return {
      owns: (server) => server.startsWith('virtual/') || server === registryTools,
      serve: (request) =>
        request.place.server === registryTools
          ? serveRegistryTools(running, request)
          : serve(running, request),
      sessionAt: (exchange, holder, target, gone) => sessions.forCalls(exchange, holder, {}, target, gone),
      close() {
        endLooking();
        endFollowing?.();
        parked.close();
        streams.close();
      },
    };
  };
}

interface Running extends VirtualWorld, CallingWorld {
  readonly lists: ReturnType<typeof createLists>;
  readonly streams: ReturnType<typeof createStreams>;
}

async function serve(
  running: Running,
  { exchange, identity, place, asking }: TerminalRequest,
): Promise<void> {
  const virtual = running.table.find(place.server, identity);
  if (!virtual || place.endpoint !== 'mcp')
    throw new Failure('not_found', `There is no virtual server at '/${place.server}/${place.endpoint}'.`);
  if (!virtual.row.isEnabled)
    throw new Failure('server_disabled', `The virtual server '/${place.server}' is disabled.`);
  const { asked, body, method } = asking;
  if (asked.batch)
    throw new Failure('bad_request', 'Virtual servers take one message at a time, no batches.');
  const [message] = asked.messages;
  const { headers } = exchange.req;
  const holder = JSON.stringify([virtual.row.id, identity.provider, identity.subject]);
  try {
    const version = versionOf(message, headers['mcp-protocol-version']);
    const isModern = version !== undefined && version >= modern;
    // Sessions are of the eras before; a header of that name means nothing since (MCP 2026-07-28).
    const given = isModern || message.method === 'initialize' ? undefined : headers['mcp-session-id'];
    const session = given === undefined ? undefined : openSession(running.bridge, holder, String(given));
    if (given !== undefined && (!session || (await running.bridge.sessions.isEnded(session))))
      throw new RpcError(invalidRequest, 'This session is not known; begin with initialize.', {
        status: 404,
        always: true,
      });
    const one: Asked = {
      exchange,
      identity,
      virtual,
      message,
      body: body ?? Buffer.alloc(0),
      isModern,
      holder,
      session,
    };
    if (method === 'POST') return await post(running, one);
    if (isModern)
      throw new Failure(
        'method_not_allowed',
        'Since 2026-07-28 there is neither a stream by GET nor a session to end.',
      );
    if (method === 'GET') return await running.streams.open(one, session);
    return await endSession(running, one);
  } catch (error) {
    if (!(error instanceof RpcError) || exchange.res.headersSent) throw error;
    refuseRpc(exchange, message, error);
  }
}

async function post(running: Running, asked: Asked): Promise<void> {
  const { exchange, message } = asked;
  if (message.kind === 'response') return replied(running, asked);
  if (message.kind === 'notification') return notified(running, asked);
  if (asked.isModern) checkMeta(asked);
  const kind = listed.get(message.method);
  if (kind) return showList(running, asked, kind);
  switch (message.method) {
    case 'server/discover':
      if (asked.isModern) return discover(running, asked);
      break;
    case 'subscriptions/listen':
      if (asked.isModern) return running.streams.listen(asked, paramsOf(asked));
      break;
    case 'initialize':
      if (!asked.isModern) return initialize(running, asked);
      break;
    case 'ping':
      if (!asked.isModern) return sendMessage(exchange, responseText(message.id, {}));
      break;
    case 'logging/setLevel':
      if (asked.isModern) break;
      await tellMembers(running, asked, true);
      return sendMessage(exchange, responseText(message.id, {}));
    case 'resources/subscribe':
    case 'resources/unsubscribe':
      if (!asked.isModern) return callItem(running, asked);
      break;
    case 'tools/call':
    case 'prompts/get':
    case 'resources/read':
    case 'completion/complete':
      return callItem(running, asked);
  }
  throw new RpcError(methodNotFound, `There is no method '${message.method.slice(0, 60)}' here.`, {
    status: 404,
  });
}

function showList(
  running: Running,
  asked: Asked,
  kind: 'tools' | 'prompts' | 'resources' | 'resourceTemplates',
): void {
  const { exchange, identity, virtual, message, isModern, body } = asked;
  if (body.includes('"cursor"') && paramsOf(asked).cursor !== undefined)
    throw new RpcError(invalidParams, 'There is no such cursor: a list here has one page.', { status: 400 });
  const list = running.lists(virtual, identity, kind);
  exchange.noted = { items: list.count, list_tokens: list.tokens };
  sendMessage(exchange, listMessage(message.id ?? 0, isModern ? list.modern : list.legacy));
}

function capabilitiesOf(virtual: Virtual): JsonObject {
  const { items, capabilities } = virtual.resolved;
  const has = (name: string): boolean => capabilities[name] !== undefined;
  const hasResources = items.resources.list.length + items.resourceTemplates.list.length > 0;
  return {
    tools: { listChanged: true },
    ...(items.prompts.list.length > 0 || has('prompts') ? { prompts: { listChanged: true } } : {}),
    ...(hasResources || has('resources') ? { resources: { listChanged: true, subscribe: true } } : {}),
    ...(has('completions') ? { completions: {} } : {}),
    ...(has('logging') ? { logging: {} } : {}),
  };
}

/** What it is for, and which members are not there: models are told this, and nothing of what lists say beside their items. */
function instructionsOf({ lists }: Running, { virtual, identity }: Asked): { instructions?: string } {
  const gone = new Map(
    [...listed.values()]
      .flatMap((kind) => lists(virtual, identity, kind).unavailable)
      .map(({ server, reason }) => [server, `${server} (${reason})`]),
  );
  const missing = gone.size === 0 ? '' : `Not available now: ${[...gone.values()].join(', ')}.`;
  const instructions = [virtual.row.definition.description, missing].filter(Boolean).join('\n\n');
  return instructions === '' ? {} : { instructions };
}

function infoOf({ row }: Virtual): JsonObject {
  return { ...serverInfo, title: row.definition.server_name };
}

function discover(running: Running, asked: Asked): void {
  const { exchange, message, virtual } = asked;
  const result = {
    ...{ resultType: 'complete', supportedVersions: [modern], capabilities: capabilitiesOf(virtual) },
    ...instructionsOf(running, asked),
    ...{ ttlMs: 0, cacheScope: 'private', _meta: { [metaKeys.server]: infoOf(virtual) } },
  };
  sendMessage(exchange, responseText(message.id, result));
}

function initialize(running: Running, asked: Asked): void {
  const { bridge } = running;
  const { exchange, message, virtual, holder } = asked;
  const params = paramsOf(asked);
  const wanted = String(params.protocolVersion);
  const version = legacyVersions.includes(wanted) ? wanted : (legacyVersions[0] ?? wanted);
  const said = {
    version,
    capabilities: objectIn(params, 'capabilities'),
    client: objectIn(params, 'clientInfo'),
  };
  const id = sealSession(bridge, holder, said);
  const result = {
    ...{ protocolVersion: version, capabilities: capabilitiesOf(virtual), serverInfo: infoOf(virtual) },
    ...instructionsOf(running, asked),
  };
  exchange.opening?.done();
  sendMessage(exchange, responseText(message.id, result), 200, ['Mcp-Session-Id', id]);
}

/** A call of something that the virtual server shows: by its real name at its server. */
function callItem(running: Running, asked: Asked): Promise<void> {
  const { exchange, virtual, message, isModern } = asked;
  // There are no tasks here, and so a call is answered as one.
  const body = message.asksForTask ? withoutTask(asked.body) : asked.body;
  const located = locate(virtual.resolved, message);
  if (!located || message.id === null) throw unknownItem(message, isModern);
  const { kind, item } = located;
  const { method, tool, prompt, resource } = message;
  exchange.via = { server: virtual.name, alias: tool ?? prompt };
  if (item.blocked) throw new Failure('not_found', `'${item.name}' is not here: ${item.gone}.`);
  const outer = { server: virtual.name, method, tool, prompt, resource };
  const decideAgain = decideThrough(running.table, running.decide, running.accessOf);
  const renamed = (): Buffer => {
    if (item.original === item.name) return body;
    return method === 'completion/complete'
      ? withRef(body, item.original)
      : withParam(body, 'name', item.original);
  };
  return callMember(running, asked, {
    server: item.server,
    message: { ...message, ...innerNames(message, item.original) },
    body: renamed(),
    inputSchema: kind === 'tools' ? () => objectIn(JSON.parse(item.text), 'inputSchema') : undefined,
    stillAllowed(identity) {
      const now = running.table.find(virtual.name, identity);
      if (now?.row.isEnabled !== true || now.row.id !== virtual.row.id) return false;
      // The name may lead to something else by now.
      const still = now.resolved === virtual.resolved ? item : locate(now.resolved, message)?.item;
      return (
        still?.server === item.server &&
        still.original === item.original &&
        !still.blocked &&
        decideAgain(identity, outer).allow
      );
    },
  });
}

function innerNames({ tool, prompt }: Message, original: string): Partial<Message> {
  if (tool !== undefined) return { tool: original, name: original };
  return prompt === undefined ? {} : { prompt: original, name: original };
}

function unknownItem(message: Message, isModern: boolean): RpcError {
  const { tool, prompt, resource } = message;
  if (tool !== undefined) return new RpcError(invalidParams, `Tool ${tool.slice(0, 100)} not found`);
  if (prompt !== undefined) return new RpcError(invalidParams, `Prompt ${prompt.slice(0, 100)} not found`);
  const uri = resource?.slice(0, 300);
  return new RpcError(isModern ? invalidParams : -32002, `Resource not found: ${uri}`, { data: { uri } });
}

function withRef(body: Buffer, name: string): Buffer {
  const message = JSON.parse(body.toString('utf8'));
  message.params.ref.name = name;
  return Buffer.from(JSON.stringify(message));
}

/** A reply of the client to a question of a member. */
async function replied(running: Running, asked: Asked): Promise<void> {
  const { exchange, identity, message, session, body } = asked;
  const { bridge } = running;
  const reply = JSON.parse(body.toString('utf8')) as JsonObject;
  const key = session?.key ?? '';
  const [, name, mark] = /^c\.([\w-]+\.\d+)\.([\w-]+)$/.exec(String(message.id)) ?? [];
  if (name !== undefined && mark !== undefined && bridge.mailbox.isMark(mark, key, name))
    await bridge.mailbox.post(`reply ${key} ${name}`, reply);
  const question = memberOfQuestion(String(message.id));
  if (
    question &&
    session &&
    asked.virtual.resolved.servers.includes(question.server) &&
    running.decide(identity, { server: question.server, method: '$response' }).allow
  ) {
    const { target } = await memberFor(bridge, running.findRoute, question.server, exchange, identity);
    const at = await bridge.sessions.forClient(exchange, session, target);
    const own = JSON.stringify({ ...reply, id: question.id });
    const headers = memberHeaders(exchange, target, sessionHeaders(at));
    askMember(bridge, target, { method: 'POST', headers, body: own }, { onMessage() {}, onEnd() {} });
  }
  sendAccepted(exchange);
}

async function notified(running: Running, asked: Asked): Promise<void> {
  const { message, session, exchange, body, virtual } = asked;
  if (message.method === 'notifications/cancelled' && session)
    cancelCall(running, asked, virtual.resolved.servers, body);
  if (message.method !== 'notifications/initialized') await tellMembers(running, asked, false);
  sendAccepted(exchange);
}

/** Passes a message on to every member that has a session of the client's; nobody waits for what they say. */
async function tellMembers(running: Running, asked: Asked, isRequest: boolean): Promise<void> {
  const { exchange, identity, session, body, message, virtual } = asked;
  if (!session) return;
  const { bridge, findRoute, decide } = running;
  for (const { server, session: at } of await bridge.sessions.openOf(session)) {
    const route = virtual.resolved.servers.includes(server) ? findRoute(server) : undefined;
    if (!route?.enabled || !decide(identity, { server, method: message.method }).allow) continue;
    if (isRequest && route.offers?.capabilities.logging === undefined) continue;
    // Somebody who is not connected there any more has nothing to tell it.
    const member = await memberFor(bridge, findRoute, server, exchange, identity).catch(() => undefined);
    if (!member) continue;
    const headers = memberHeaders(exchange, member.target, sessionHeaders(at));
    askMember(bridge, member.target, { method: 'POST', headers, body }, { onMessage() {}, onEnd() {} });
  }
}

async function endSession(running: Running, { exchange, identity, session }: Asked): Promise<void> {
  if (!session) throw new Failure('bad_request', 'There is no session to end; name it in Mcp-Session-Id.');
  const { bridge, findRoute } = running;
  const open = await bridge.sessions.openOf(session);
  await bridge.sessions.end(session);
  for (const { server, session: at } of open) {
    if (!findRoute(server)?.enabled) continue;
    const member = await memberFor(bridge, findRoute, server, exchange, identity).catch(() => undefined);
    if (member) takeLeave(bridge, exchange, member.target, at);
  }
  sendMessage(exchange, '', 200);
}
