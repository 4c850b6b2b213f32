import type { LRUCache } from 'lru-cache';
import { ConnectionNeeded, type EgressCredentials } from '../egress/credential.ts';
import type { Identity } from '../identity/identity.ts';
import type { Route } from '../registry/servers/route.ts';
import { connected } from './connected.ts';
import type { Exchange } from './exchange.ts';
import type { Decide } from './may.ts';
import type { Asking } from './read/ask.ts';
import type { Message } from './read/read-call.ts';
import { answerList, answerResult, connectInput, correlationHeader } from './refuse.ts';
import type { Target } from './route.ts';
import type { McpSessions, SessionPlace } from './sessions/sessions.ts';

/** What requests to servers that want a connection are served with. */
interface ConnectingWorld {
  readonly connections?: EgressCredentials | undefined;
  readonly sessions: McpSessions;
  readonly decide: Decide;
  /** Clients that said that they show addresses to people, by server, holder and name. */
  readonly showUrls: LRUCache<string, true>;
}

const quotedInput = `"${connectInput}"`;

/** A request to such a server. */
export interface Wanting {
  readonly exchange: Exchange;
  readonly identity: Identity;
  readonly holder: string;
  readonly asking: Asking;
}

/** Where it goes then. */
interface Found {
  readonly target: Target;
  readonly asking: Asking;
  /** It is in a session that began before there was a connection: the server's own has to be found. */
  readonly isWaiting: boolean;
}

const modern = '2026-07-28';
const legacyVersions = ['2025-11-25', '2025-06-18', '2025-03-26', '2024-11-05'];
/** How long a call waits for somebody who says that they are connecting, in milliseconds, and how often it looks. */
const [waitsMs, looksMs] = [55_000, 500];

/**
 * Finds where a request goes whose server wants a connection. Without one, what opens a conversation is answered here, from
 * what is stored of the server: clients give up otherwise before anybody could be asked. Then undefined is returned.
 */
export function findConnected(
  world: ConnectingWorld,
  wanting: Wanting,
  to: Target,
): Found | Promise<Found | undefined> {
  const { exchange, identity, asking } = wanting;
  const { body, asked } = asking;
  const [{ method }] = asked.messages;
  // Most calls: their credential is available, and without a session nothing can have begun before there was one.
  const isPlain = exchange.req.headers['mcp-session-id'] === undefined && method !== 'initialize';
  if (!isPlain || body?.includes(quotedInput)) return search(world, wanting, to);
  const target = connected(world.connections, exchange, to, identity);
  if (!(target instanceof Promise)) return { target, asking, isWaiting: false };
  return target.then(
    (found) => ({ target: found, asking, isWaiting: false }),
    (error: unknown) => {
      if (error instanceof ConnectionNeeded) return search(world, wanting, to);
      throw error;
    },
  );
}

async function search(
  world: ConnectingWorld,
  { exchange, identity, holder, asking }: Wanting,
  to: Target,
): Promise<Found | undefined> {
  const given = exchange.req.headers['mcp-session-id'];
  const at: SessionPlace = { serverId: to.route.id, origin: to.origin, holder };
  const waiting = typeof given === 'string' ? waitingIn(world.sessions.open(at, given)) : undefined;
  const { asked } = asking;
  const [message] = asked.messages;
  const name = [to.route.id, holder, String(exchange.req.headers['user-agent'])].join(' ');
  if (message.method === 'initialize') {
    if (showsUrls(paramsOf(asking).capabilities)) world.showUrls.set(name, true);
    else world.showUrls.delete(name);
  }
  const own = withoutOwnInput(asked.batch ? null : asking.body);
  try {
    const { connections } = world;
    const target = await whileConnecting(exchange, own.accepted, () =>
      connected(connections, exchange, to, identity),
    );
    const sent = asked.batch ? asking : { ...asking, body: own.body };
    return { target, asking: sent, isWaiting: waiting !== undefined };
  } catch (error) {
    if (!(error instanceof ConnectionNeeded)) throw error;
    exchange.showsUrls =
      message.version === undefined
        ? (waiting?.showsUrls ?? world.showUrls.has(name))
        : showsUrls(metaOf(paramsOf(asking))['io.modelcontextprotocol/clientCapabilities']);
    // Who has been asked and said no is not asked again by the same call.
    if (own.declined) exchange.showsUrls = false;
    if (!asked.batch && to.route.mcp && answerHere(world, { exchange, identity, holder, asking }, to)) {
      exchange.reason = 'answered here: not connected yet';
      return undefined;
    }
    throw error;
  }
}

/** What needs a connection; looked for again for a while where somebody says that they are connecting. */
export async function whileConnecting<T>(
  exchange: Exchange,
  isConnecting: boolean,
  find: () => T | Promise<T>,
): Promise<T> {
  for (let waited = 0; ; waited += looksMs)
    try {
      return await find();
    } catch (error) {
      const goesOn = isConnecting && waited < waitsMs && !exchange.res.destroyed;
      if (!goesOn || !(error instanceof ConnectionNeeded)) throw error;
      await new Promise((resolve) => setTimeout(resolve, looksMs).unref());
    }
}

/** Answers what opens a conversation; false for everything else. */
function answerHere(world: ConnectingWorld, wanting: Wanting, { route, origin }: Target): boolean {
  const { exchange, identity, holder, asking } = wanting;
  const [message] = asking.asked.messages;
  const { method, kind, version } = message;
  if (kind === 'notification') return answerOpening(exchange, method);
  if (kind !== 'request') return false;
  const capabilities = route.offers?.capabilities ?? { tools: {} };
  const serverInfo = { name: route.name, version: route.version ?? '0' };
  const instructions = 'You are not connected to this server yet; the first call says how to connect.';
  if (method === 'initialize' && version === undefined) {
    const { protocolVersion, capabilities: client } = paramsOf(asking);
    const agreed = legacyVersions.find((one) => one === protocolVersion) ?? legacyVersions[0];
    const at: SessionPlace = { serverId: route.id, origin, holder };
    const id = world.sessions.seal(at, waitingId({ showsUrls: showsUrls(client) }));
    const result = { protocolVersion: agreed, capabilities, serverInfo, instructions };
    answerResult(exchange, message, result, ['mcp-session-id', id]);
    return true;
  }
  if (method === 'server/discover' && version !== undefined) {
    answerResult(exchange, message, { supportedVersions: [modern], capabilities, serverInfo, instructions });
    return true;
  }
  if (method === 'ping' || method === 'logging/setLevel') {
    answerResult(exchange, message, {});
    return true;
  }
  const items = itemsOf(route, message);
  if (!items) return false;
  const allowed = items.filter((item) => mayHave(world.decide, identity, route.name, message, item));
  answerList(exchange, asking.asked, allowed);
  return true;
}

/** Answers what wants no answer but that it was taken. */
export function answerOpening(exchange: Exchange, method: string): true {
  // A stream that says nothing may be refused (MCP, "Listening for Messages from the Server").
  const status = method === '$stream' ? 405 : method === '$end' ? 200 : 202;
  const headers = status === 405 ? ['Allow', 'POST, DELETE'] : [];
  exchange.res.writeHead(status, ['Content-Length', '0', ...headers, correlationHeader, exchange.id]);
  exchange.res.end();
  return true;
}

type Item = Readonly<Record<string, unknown>>;

function itemsOf(route: Route, { method }: Message): readonly Item[] | undefined {
  switch (method) {
    case 'tools/list':
      return route.tools as unknown as readonly Item[];
    case 'prompts/list':
      return route.offers?.prompts ?? [];
    case 'resources/list':
      return route.offers?.resources ?? [];
    case 'resources/templates/list':
      return route.offers?.resourceTemplates ?? [];
    default:
      return undefined;
  }
}

/** The same decision as on a call of it. */
function mayHave(
  decide: Decide,
  identity: Identity,
  server: string,
  { method }: Message,
  item: Item,
): boolean {
  const text = (member: string): string => String(item[member] ?? '');
  switch (method) {
    case 'tools/list':
      return decide(identity, { server, method: 'tools/call', tool: text('name') }).allow;
    case 'prompts/list':
      return decide(identity, { server, method: 'prompts/get', prompt: text('name') }).allow;
    default: {
      const resource = text(method === 'resources/list' ? 'uri' : 'uriTemplate');
      return decide(identity, { server, method: 'resources/read', resource }).allow;
    }
  }
}

interface WaitingSession {
  readonly showsUrls: boolean;
}

/** No server has such an id: those are visible characters (MCP, "Session Management"), and this begins with a space. */
function waitingId(session: WaitingSession): string {
  return ` ${JSON.stringify(session)}`;
}

function waitingIn(id: string): WaitingSession | undefined {
  return id.startsWith(' ') ? (JSON.parse(id) as WaitingSession) : undefined;
}

/** A body without the reply to our own question, which the server knows nothing of, and what that said. */
export function withoutOwnInput<T extends Buffer | null>(
  body: T,
): { readonly body: T | Buffer; readonly accepted: boolean; readonly declined: boolean } {
  const none = { body, accepted: false, declined: false };
  if (!body?.includes(quotedInput)) return none;
  const message: unknown = JSON.parse(body.toString('utf8'));
  const params = memberOf(message, 'params');
  const said = memberOf(memberOf(params, 'inputResponses'), connectInput);
  if (said === undefined) return none;
  const { inputResponses, ...others } = params as Item;
  const { [connectInput]: _, ...rest } = inputResponses as Item;
  const own = Object.keys(rest).length > 0 ? { ...others, inputResponses: rest } : others;
  const accepted = memberOf(said, 'action') === 'accept';
  return {
    body: Buffer.from(JSON.stringify({ ...(message as Item), params: own })),
    ...{ accepted, declined: !accepted },
  };
}

function paramsOf({ body }: Asking): Item {
  const params = body ? memberOf(JSON.parse(body.toString('utf8')), 'params') : undefined;
  return typeof params === 'object' && params !== null ? (params as Item) : {};
}

function metaOf(params: Item): Item {
  const { _meta } = params;
  return typeof _meta === 'object' && _meta !== null ? (_meta as Item) : {};
}

/** Whether capabilities of a client have elicitation in URL mode. */
export function showsUrls(capabilities: unknown): boolean {
  return memberOf(memberOf(capabilities, 'elicitation'), 'url') !== undefined;
}

function memberOf(value: unknown, name: string): unknown {
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, name)) return undefined;
  return (value as Item)[name];
}
