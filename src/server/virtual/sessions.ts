import { createHash, randomBytes } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import { isObject } from '../../contract/values/json.ts';
import type { Db } from '../db/tables.ts';
import { Failure } from '../failure/errors.ts';
import type { Exchange } from '../gateway/exchange.ts';
import type { Target } from '../gateway/route.ts';
import { seal, unseal } from '../identity/keys.ts';
import { askMember, type MemberWorld, memberHeaders, sessionHeaders } from './member.ts';
import { type JsonObject, legacyVersions, objectIn, serverInfo } from './wire.ts';

/** A session of a client at a virtual server, as its sealed id says: nothing else is kept of it. */
export interface ClientSession {
  /** SHA-256 of the id; what is stored is found by it. */
  readonly key: string;
  /** The protocol version that was agreed on. */
  readonly version: string;
  readonly capabilities: JsonObject;
  readonly client: JsonObject;
}

/** A session at a member; `id` is null for a member that has none. */
export interface MemberSession {
  readonly id: string | null;
  readonly version: string;
}

/** How long a session at a virtual server lasts at most, in milliseconds; then its client begins anew. */
const sessionMs = 24 * 3_600_000;
/** What of a client's capabilities and of its name fits into a header. */
const mostSealed = 3_000;

/** What sessions are kept with. */
interface SessionsWorld extends MemberWorld {
  readonly db: Db;
  /** 32 bytes; the same in all processes. */
  readonly key: Buffer;
  readonly now: () => number;
}

/** Seals a new session for one identity at one virtual server; the id is all that the client gets. */
export function sealSession(
  { key, now }: Pick<SessionsWorld, 'key' | 'now'>,
  holder: string,
  { version, capabilities, client }: Omit<ClientSession, 'key'>,
): string {
  const { name, title, version: of } = client;
  const said = {
    v: version,
    c: capabilities,
    i: { name, title, version: of },
    at: now(),
    r: randomBytes(9).toString('base64url'),
  };
  const text = JSON.stringify(said);
  if (text.length <= mostSealed) return seal(key, text, holder);
  const { roots, sampling, elicitation } = capabilities;
  const short = JSON.stringify({
    ...said,
    c: { roots, sampling, elicitation },
    i: { name: 'client', version: '0' },
  });
  if (short.length <= mostSealed) return seal(key, short, holder);
  throw new Failure('bad_request', 'The capabilities of the client are longer than a session can hold.');
}

/** What a session id says; undefined when it is not one of ours, is another identity's or is over. */
export function openSession(
  { key, now }: Pick<SessionsWorld, 'key' | 'now'>,
  holder: string,
  id: string,
): ClientSession | undefined {
  // Base64 is read leniently: only one spelling of each is ours.
  if (Buffer.from(id, 'base64url').toString('base64url') !== id) return undefined;
  try {
    const { v, c, i, at } = JSON.parse(unseal(key, id, holder));
    if (now() - at > sessionMs) return undefined;
    return { key: createHash('sha256').update(id).digest('hex'), version: v, capabilities: c, client: i };
  } catch {
    return undefined;
  }
}

/** The sessions at members that belong to clients' sessions, and those that are shared by the calls of one identity. */
export interface MemberSessions {
  /** The member's session for a client's; opened at the first call. `fresh`: the one that is known is not any more. */
  forClient(
    exchange: Exchange,
    client: ClientSession,
    target: Target,
    fresh?: MemberSession,
  ): Promise<MemberSession>;
  /** The same for calls without a session, by identity and capabilities; opened by this process for itself. */
  forCalls(
    exchange: Exchange,
    holder: string,
    capabilities: JsonObject,
    target: Target,
    fresh?: MemberSession,
  ): Promise<MemberSession>;
  /** The members with sessions that are stored for a client's session. */
  openOf(client: ClientSession): Promise<{ server: string; session: MemberSession }[]>;
  /** Whether the client ended the session. */
  isEnded(client: ClientSession): Promise<boolean>;
  /** Notes that it did. */
  end(client: ClientSession): Promise<void>;
  /** Called when a session for a client is opened in this process. */
  onOpen: (listener: (key: string, server: string) => void) => () => void;
}

/** Makes the part that opens sessions at members, and keeps those of clients where every process finds them. */
export function createMemberSessions(world: SessionsWorld): MemberSessions {
  const { db, now } = world;
  const known = new LRUCache<string, Promise<MemberSession>>({ max: 20_000, ttl: sessionMs });
  const ended = new LRUCache<string, boolean>({ max: 20_000, ttl: 5_000 });
  const listeners = new Set<(key: string, server: string) => void>();

  const once = async (
    key: string,
    fresh: MemberSession | undefined,
    open: () => Promise<MemberSession>,
  ): Promise<MemberSession> => {
    const before = known.get(key);
    if (before) {
      const session = await before.catch(() => undefined);
      // Of several that find the same session gone, the first opens another one.
      if (session && (!fresh || session.id !== fresh.id)) return session;
      if (known.get(key) === before) known.delete(key);
      else return once(key, undefined, open);
    }
    const opening = open();
    known.set(key, opening);
    // A failure must not be remembered: the member may be back for the next call.
    opening.catch(() => known.get(key) === opening && known.delete(key));
    return opening;
  };
  const sealOf = (client: ClientSession, server: string, session: MemberSession): string =>
    seal(world.key, JSON.stringify(session), `${client.key} ${server}`);
  const stored = async (client: ClientSession, server: string): Promise<MemberSession | undefined> => {
    const row = await db
      .selectFrom('virtual_sessions')
      .select('sealed')
      .where('session', '=', client.key)
      .where('member', '=', server)
      .executeTakeFirst();
    return row && (JSON.parse(unseal(world.key, row.sealed, `${client.key} ${server}`)) as MemberSession);
  };
  const openFor = async (
    exchange: Exchange,
    client: ClientSession,
    target: Target,
    fresh: MemberSession | undefined,
  ): Promise<MemberSession> => {
    const before = await stored(client, target.server);
    if (before && before.id !== fresh?.id) return before;
    const made = await initialize(world, exchange, target, client);
    const row = { sealed: sealOf(client, target.server, made), created_at: new Date(now()).toISOString() };
    const insert = db
      .insertInto('virtual_sessions')
      .values({ session: client.key, member: target.server, ...row });
    if (fresh)
      await insert
        .onConflict((conflict) => conflict.columns(['session', 'member']).doUpdateSet(row))
        .execute();
    else {
      const mine = await insert
        .onConflict((conflict) => conflict.columns(['session', 'member']).doNothing())
        .returning('session')
        .executeTakeFirst();
      // Another process was faster: one session at a member for one of a client.
      if (!mine) {
        takeLeave(world, exchange, target, made);
        return (await stored(client, target.server)) ?? made;
      }
    }
    for (const listener of listeners) listener(client.key, target.server);
    return made;
  };

  return {
    forClient: (exchange, client, target, fresh) =>
      once(`${client.key} ${target.server} ${target.origin}`, fresh, () =>
        openFor(exchange, client, target, fresh),
      ),
    forCalls(exchange, holder, capabilities, target, fresh) {
      const key = `${JSON.stringify([holder, capabilities])} ${target.server} ${target.origin}`;
      const client = { version: legacyVersions[0] ?? '', capabilities, client: serverInfo };
      return once(key, fresh, () => initialize(world, exchange, target, client));
    },
    async openOf(client) {
      const rows = await db
        .selectFrom('virtual_sessions')
        .select(['member', 'sealed'])
        .where('session', '=', client.key)
        .where('member', '!=', '')
        .execute();
      return rows.map(({ member, sealed }) => ({
        server: member,
        session: JSON.parse(unseal(world.key, sealed, `${client.key} ${member}`)) as MemberSession,
      }));
    },
    async isEnded(client) {
      const before = ended.get(client.key);
      if (before !== undefined) return before;
      const row = await db
        .selectFrom('virtual_sessions')
        .select('session')
        .where('session', '=', client.key)
        .where('member', '=', '')
        .executeTakeFirst();
      ended.set(client.key, row !== undefined);
      return row !== undefined;
    },
    async end(client) {
      ended.set(client.key, true);
      for (const key of [...known.keys()]) if (key.startsWith(`${client.key} `)) known.delete(key);
      await db.deleteFrom('virtual_sessions').where('session', '=', client.key).execute();
      await db
        .insertInto('virtual_sessions')
        .values({ session: client.key, member: '', sealed: '', created_at: new Date(now()).toISOString() })
        .onConflict((conflict) => conflict.columns(['session', 'member']).doNothing())
        .execute();
    },
    onOpen(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}

/** Opens a session at a member with what the client can do, as `initialize` and `notifications/initialized` do. */
async function initialize(
  world: MemberWorld,
  exchange: Exchange,
  target: Target,
  { version, capabilities, client }: Omit<ClientSession, 'key'>,
): Promise<MemberSession> {
  const params = {
    protocolVersion: version,
    capabilities,
    clientInfo: { name: 'client', version: '0', ...client },
  };
  const body = JSON.stringify({ jsonrpc: '2.0', id: 'initialize', method: 'initialize', params });
  const { message, session } = await request(world, exchange, target, [], body);
  const agreed = objectIn(message, 'result').protocolVersion;
  if (typeof agreed !== 'string')
    throw new RefusedInitialize(
      'upstream_invalid',
      `The server '${target.server}' does not take initialize: ${String(objectIn(message, 'error').message ?? 'no result')}`.slice(
        0,
        300,
      ),
    );
  const opened = { id: session ?? null, version: agreed };
  const ready = JSON.stringify({ jsonrpc: '2.0', method: 'notifications/initialized' });
  await request(world, exchange, target, sessionHeaders(opened), ready);
  return opened;
}

/** The member answered, and has no sessions of the eras before. */
class RefusedInitialize extends Failure {}

/** Sends one message to a member and waits for the end of the answer; gives its last message. */
function request(
  world: MemberWorld,
  exchange: Exchange,
  target: Target,
  mcp: readonly string[],
  body: string,
): Promise<{ message: JsonObject | undefined; session: string | undefined; status: number }> {
  return new Promise((resolve, reject) => {
    let [message, session, status]: [JsonObject | undefined, string | undefined, number] = [
      undefined,
      undefined,
      0,
    ];
    askMember(
      world,
      target,
      { method: 'POST', headers: memberHeaders(exchange, target, mcp), body },
      {
        onHead: (...head) => ([status, session] = head),
        onMessage: (one) => {
          if (isObject(one) && ('result' in one || 'error' in one)) message = one;
        },
        onEnd: (failure) => (failure ? reject(failure) : resolve({ message, session, status })),
      },
    );
  });
}

/** Ends a session at a member; nobody waits for it. */
export function takeLeave(
  world: MemberWorld,
  exchange: Exchange,
  target: Target,
  session: MemberSession,
): void {
  if (session.id === null) return;
  const headers = memberHeaders(exchange, target, sessionHeaders(session));
  askMember(
    world,
    target,
    { method: 'DELETE', headers, wait: { ms: 5_000 } },
    { onMessage() {}, onEnd() {} },
  );
}
