import { type Handlers, type Output, Reply } from '../../../contract/endpoint.ts';
import type { CredentialInput } from '../../../contract/servers/server-credentials.ts';
import type { serverEgressEndpoints } from '../../../contract/servers/server-egress.ts';
import {
  listedServer,
  nameOfPath,
  type Registration,
  type ServerInFull,
  type ServerInput,
  type serverEndpoints,
} from '../../../contract/servers/servers.ts';
import { withoutEndSlashes } from '../../../contract/values/names.ts';
import type { Caller } from '../../access/caller.ts';
import { keyOf } from '../../changes/record.ts';
import type { Db } from '../../db/tables.ts';
import { inTransaction } from '../../db/transaction.ts';
import type { GoneAt } from '../../egress/revoke.ts';
import { type EgressSettings, keepsConnections } from '../../egress/settings.ts';
import { removeConnectionsAt, removeDiscovery } from '../../egress/store.ts';
import { Failure } from '../../failure/errors.ts';
import type { Identity } from '../../identity/identity.ts';
import type { Sealer } from '../../identity/sealer.ts';
import type { OutboundPolicy } from '../../net/addresses.ts';
import { endGrantsOn } from '../access-requests/store.ts';
import { urlForRecord } from '../input-faults.ts';
import { assertMatch, etagOf } from '../revision.ts';
import type { Selection } from '../select.ts';
import {
  assertMayForward,
  assertReachable,
  assertSamePath,
  forRecord,
  movesAddress,
  movesEndpoints,
  patched,
} from './change.ts';
import { changedCredential, credentialForRecord } from './credential.ts';
import { changedEgress, type EgressWorld, egressForRecord, presentEgress } from './egress.ts';
import type { ServerEvents } from './events.ts';
import type { CheckServer } from './health/check.ts';
import { forgetHistory, healthHistory, recordHealth } from './health/health-history.ts';
import { type LookAfter, showTools } from './health/look-after.ts';
import { type ProbeWorld, probe } from './health/probe.ts';
import { detailFor, present } from './present.ts';
import {
  find,
  insert,
  remove,
  replace,
  type ServerRow,
  setCredential,
  setEgress,
  setEnabled,
  withHealth,
} from './store.ts';

/** What the registry of servers works with. */
export interface ServersWorld {
  readonly db: Db;
  readonly lookAfter: LookAfter;
  readonly check: CheckServer;
  readonly vault: Sealer;
  /** How the credentials of people at servers are kept, and what may be asked for. */
  readonly egress: Pick<EgressWorld, 'vault' | 'limits'>;
  /** Takes back at their services the credentials of people at a server, as it was, that are deleted here. */
  readonly connectionsEndedAt: (row: ServerRow, gone: GoneAt) => void;
  readonly events: Pick<ServerEvents, 'open'>;
  /** The gateway's own URL as clients know it. */
  readonly publicUrl: string;
  /** Every server that is registered, by name, from memory. */
  readonly rows: () => readonly ServerRow[];
  /** Which addresses a server may be at. */
  readonly policy: OutboundPolicy;
  readonly takesAccounts: ProbeWorld['takesAccounts'];
  /** Milliseconds since 1970. */
  readonly now: () => number;
  readonly newId: () => string;
  /** Servers that one person may have registered, unless they are an administrator. */
  readonly serversPerPerson: number;
  /** Whether an identity may call a tool of a server (by the server's name in scopes). */
  readonly decideTool: (identity: Identity, server: string, tool: string) => boolean;
}

type Who = Caller<Identity>;

/**
 * The functions behind the endpoints of servers. The permission of an endpoint is checked before they run; they decide
 * only what that cannot know: which servers a list shows, which tools, and which path a registration may take.
 */
export function serverHandlers(
  world: ServersWorld,
): Handlers<typeof serverEndpoints & typeof serverEgressEndpoints, Who> {
  return {
    'servers.list': ({ query }, caller) => showServers(world, query, caller),
    'servers.register': ({ body }, caller) => register(world, body, caller),
    'servers.probe': ({ body }, { access, note }) => {
      note({ url: urlForRecord(body.url) });
      return probe(world, body.url, access);
    },
    'servers.history': async ({ params }) => ({
      changes: await healthHistory(world.db, (await known(world, params.path)).id),
    }),
    'servers.get': async ({ params }, caller) => reply(world, await known(world, params.path), caller),
    'servers.replace': async ({ params, body, ifMatch }, caller) =>
      change(world, { row: await known(world, params.path), ifMatch }, () => body, caller),
    'servers.patch': async ({ params, body, ifMatch }, caller) =>
      change(world, { row: await known(world, params.path), ifMatch }, (row) => patched(row, body), caller),
    'servers.credential': async ({ params, body, ifMatch }, caller) =>
      changeCredential(world, { row: await known(world, params.path), ifMatch }, body, caller),
    'servers.egress': async ({ params }) => presentEgress(world, await known(world, params.path)),
    async 'servers.configureEgress'({ params, body, ifMatch }, { access, note }) {
      const row = await known(world, params.path);
      assertMatch(row, ifMatch);
      const egress = changedEgress({ ...world, ...world.egress }, row, body, access);
      const { changed, gone } = await inTransaction(world.db, async (trx) => {
        const gone = await endedBy(trx, row, egress);
        return { changed: await setEgress(trx, row, { egress, at: at(world) }), gone };
      });
      world.connectionsEndedAt(row, gone);
      note({ before: egressForRecord(row), after: egressForRecord(changed) });
      // What the server lets the gateway see depends on it.
      if (changed.isEnabled) await world.lookAfter.one(changed);
      return new Reply(await presentEgress(world, changed), { etag: etagOf(changed) });
    },
    'servers.toggle': ({ params, body }, caller) => toggle(world, params.path, body.enabled, caller),
    async 'servers.health'({ params }, caller) {
      const { row, found } = await world.lookAfter.one(await known(world, params.path));
      // Whoever asks about a server that is switched off wants to know how it is, not that it is off.
      return {
        ...show(world, row, caller),
        health_status: found.status,
        health_reason: found.reason ?? null,
        health_detail: detailFor(found, caller.access.may('modify_service', nameOfPath(row.path))),
      };
    },
    'servers.events': (_, { identity }) => world.events.open(identity),
    async 'servers.tools'({ params }, caller) {
      const row = await known(world, params.path);
      return showTools(world.lookAfter, row, mayCall(world, row, caller));
    },
    async 'servers.remove'({ params, ifMatch }, caller) {
      const row = await known(world, params.path);
      assertMatch(row, ifMatch);
      const gone = await inTransaction(world.db, async (trx) => {
        await remove(trx, row.path, row.revision);
        await forgetHistory(trx, row.id);
        await endGrantsOn(trx, row.path, at(world));
        return removeConnectionsAt(trx, row.id);
      });
      world.connectionsEndedAt(row, gone);
      caller.note({ before: forRecord(row), after: null });
      return undefined;
    },
  };
}

async function showServers(
  world: ServersWorld,
  asked: Selection,
  caller: Who,
): Promise<Output<(typeof serverEndpoints)['servers.list']>> {
  const { limit, offset } = asked;
  const found = searched(world.rows(), asked.query, (name) => caller.access.may('list_service', name));
  const total = found.length;
  const page = await withHealth(world.db, found.slice(offset, offset + limit));
  return {
    // A row of an earlier version that cannot be shown costs itself alone.
    servers: page.flatMap((row) => listedServer.safeParse(show(world, row, caller)).data ?? []),
    total_count: total,
    limit,
    offset,
    has_next: offset + limit < total,
    can_register: caller.access.may('register_service'),
  };
}

/** The servers that may be listed and in which the text occurs; nothing of them is parsed for it. */
function searched(
  rows: readonly ServerRow[],
  query: string | undefined,
  mayList: (name: string) => boolean,
): ServerRow[] {
  const wanted = query?.trim().toLowerCase() ?? '';
  return rows.filter(
    (row) => (wanted === '' || textOf(row).includes(wanted)) && mayList(nameOfPath(row.path)),
  );
}

const texts = new WeakMap<ServerRow, string>();

/** What a query may occur in; a row is another object after each change. */
function textOf(row: ServerRow): string {
  const known = texts.get(row);
  if (known !== undefined) return known;
  const { server_name, description, tags } = row.definition;
  const text = [row.path, server_name, description, ...tags].join('\n').toLowerCase();
  texts.set(row, text);
  return text;
}

async function register(world: ServersWorld, body: Registration, caller: Who): Promise<Reply<ServerInFull>> {
  const { is_enabled, credential, ...definition } = body;
  if (!caller.access.may('register_service', nameOfPath(definition.path)))
    throw new Failure(
      'not_allowed',
      `You may register servers, but not at '${definition.path}'. Choose a path that your scopes name, or ask an administrator.`,
    );
  if (is_enabled && !caller.access.may('toggle_service', nameOfPath(definition.path)))
    throw new Failure(
      'not_allowed',
      `You may register a server at '${definition.path}', but not enable it (toggle_service). Leave is_enabled out, and ask someone to enable it.`,
    );
  if (credential && !caller.access.may('modify_service', nameOfPath(definition.path)))
    throw new Failure(
      'not_allowed',
      `You may register a server at '${definition.path}', but not give it a credential (modify_service). Leave the credential out, and ask someone to set it.`,
    );
  assertMayForward(undefined, definition, caller.access);
  assertReachable(definition, world.policy);
  const most = caller.access.isAdmin ? undefined : world.serversPerPerson;
  const row = await inTransaction(world.db, async (trx) => {
    const asked = {
      id: world.newId(),
      definition,
      isEnabled: is_enabled,
      registeredBy: caller.identity.username,
      owner: ownerKeyOf(caller.identity),
      registeredAt: at(world),
    };
    const inserted = await insert(trx, asked, most);
    if (!credential) return inserted;
    const sealed = changedCredential(world.vault, inserted, credential, at(world));
    return setCredential(trx, inserted, { credential: sealed, at: at(world) });
  });
  caller.note({ before: null, after: forRecord(row) });
  return reply(world, await firstLook(world, row, caller), caller);
}

/** Deletes what was granted to an arrangement that another takes the place of: it is not carried over. */
async function endedBy(trx: Db, row: ServerRow, egress: EgressSettings | null): Promise<GoneAt> {
  if (!keepsConnections(row.egress, egress)) return removeConnectionsAt(trx, row.id);
  if (row.egress?.discovery === egress?.discovery) return { connections: [], clients: [] };
  return { connections: await removeDiscovery(trx, row.id), clients: [] };
}

/** The key of the person who registers a server; programs own none. */
function ownerKeyOf({ kind, provider, subject }: Identity): string | null {
  return kind === 'person' ? keyOf(provider, subject) : null;
}

async function change(
  world: ServersWorld,
  { row, ifMatch }: { row: ServerRow; ifMatch: string | undefined },
  next: (row: ServerRow) => ServerInput,
  caller: Who,
): Promise<Reply<ServerInFull>> {
  assertMatch(row, ifMatch);
  const wanted = next(row);
  assertSamePath(row, wanted);
  assertMayForward(row.definition, wanted, caller.access);
  assertReachable(wanted, world.policy);
  const forget = movesEndpoints(row.definition, wanted);
  const { revision } = row;
  // Whoever may change the address must not be able to have the credential, or people's own tokens, sent to another one.
  const dropCredential = movesAddress(row.definition, wanted);
  const definition = dropCredential ? { ...wanted, forward_authorization: false, pass_headers: [] } : wanted;
  const { changed, gone } = await inTransaction(world.db, async (trx) => {
    const gone = dropCredential ? await removeConnectionsAt(trx, row.id) : undefined;
    const next = { definition, revision, forget, dropCredential, at: at(world) };
    return { changed: await replace(trx, row.path, next), gone };
  });
  if (gone) world.connectionsEndedAt(row, gone);
  caller.note({ before: forRecord(row), after: forRecord(changed) });
  return reply(world, forget ? await firstLook(world, changed, caller) : changed, caller);
}

async function changeCredential(
  world: ServersWorld,
  { row, ifMatch }: { row: ServerRow; ifMatch: string | undefined },
  input: CredentialInput,
  caller: Who,
): Promise<Reply<ServerInFull>> {
  assertMatch(row, ifMatch);
  const credential = changedCredential(world.vault, row, input, at(world));
  const changed = await setCredential(world.db, row, { credential, at: at(world) });
  const before = credentialForRecord(row.credential);
  caller.note({ before, after: credentialForRecord(changed.credential) });
  return reply(world, changed.isEnabled ? (await world.lookAfter.one(changed)).row : changed, caller);
}

async function toggle(
  world: ServersWorld,
  path: string,
  enabled: boolean,
  caller: Who,
): Promise<Reply<ServerInFull>> {
  const before = await known(world, path);
  const row = await inTransaction(world.db, async (trx) => {
    const changed = await setEnabled(trx, path, { enabled, at: at(world) });
    if (changed && !enabled)
      await recordHealth(trx, changed.id, { status: 'disabled', reason: null, detail: null, at: at(world) });
    return changed;
  });
  if (!row) throw unknown(path);
  caller.note({ before: { is_enabled: before.isEnabled }, after: { is_enabled: row.isEnabled } });
  return reply(world, enabled ? await firstLook(world, row, caller) : row, caller);
}

/** Looks at a server whose address is new; the endpoint that is found is part of the change. */
async function firstLook({ lookAfter }: ServersWorld, row: ServerRow, caller: Who): Promise<ServerRow> {
  const looked = await lookAfter.first(row);
  if (looked.row.definition.mcp_endpoint !== row.definition.mcp_endpoint)
    caller.note({ after: forRecord(looked.row) });
  return looked.row;
}

async function known(world: ServersWorld, path: string): Promise<ServerRow> {
  const row = await find(world.db, path);
  if (!row) throw unknown(path);
  return row;
}

// Word for word what the HTTP room says of a server that the caller may not see: the two must look alike.
function unknown(path: string): Failure {
  return new Failure('not_found', `'${nameOfPath(path)}' does not exist, or you do not have access to it.`);
}

function reply(world: ServersWorld, row: ServerRow, caller: Who): Reply<ServerInFull> {
  return new Reply(show(world, row, caller), { etag: etagOf(row) });
}

function show(world: ServersWorld, row: ServerRow, caller: Who): ServerInFull {
  return present(row, {
    access: caller.access,
    publicUrl: withoutEndSlashes(world.publicUrl),
    mayCall: mayCall(world, row, caller),
  });
}

function mayCall(world: ServersWorld, row: ServerRow, caller: Who): (tool: string) => boolean {
  return (tool) => world.decideTool(caller.identity, nameOfPath(row.path), tool);
}

function at(world: ServersWorld): string {
  return new Date(world.now()).toISOString();
}
