import type { Handlers } from '../../../contract/endpoint.ts';
import type { AccessRequest, accessRequestEndpoints } from '../../../contract/people/access-requests.ts';
import { requestLimits } from '../../../contract/people/access-requests.ts';
import { nameOfPath } from '../../../contract/servers/servers.ts';
import { looksLikeEvery } from '../../../contract/values/names.ts';
import type { Caller } from '../../access/caller.ts';
import type { Grants } from '../../access/grants.ts';
import { keyOf } from '../../changes/record.ts';
import type { Db } from '../../db/tables.ts';
import { inTransaction } from '../../db/transaction.ts';
import { Failure, invalidInput } from '../../failure/errors.ts';
import type { Identity } from '../../identity/identity.ts';
import { assertUnlimited } from '../limited.ts';
import { lockOwner } from '../tokens/store.ts';
import {
  countRequests,
  decideRequest,
  findRequest,
  insertRequest,
  listRequests,
  pendingPaths,
  type RequestRow,
} from './store.ts';

/** What is to be known of a server that people ask for. */
interface AskedServer {
  readonly id: string;
  readonly path: string;
  readonly definition: {
    readonly server_name: string;
    readonly description: string;
    readonly tags: string[];
  };
  readonly isEnabled: boolean;
  /** keyOf(provider, subject) of the person who registered it. */
  readonly owner: string | null;
  /** The tools that it lists; null where they were never read. */
  readonly tools: { readonly tools: readonly { readonly name: string }[] } | null;
}

/** What requests for access work with. */
export interface AccessRequestsWorld {
  readonly db: Db;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  readonly newId: () => string;
  readonly grants: () => Grants;
  /** Every server that is registered, from memory. */
  readonly rows: () => readonly AskedServer[];
  /** The setting ACCESS_REQUESTS. */
  readonly taken: 'named' | 'catalog' | 'off';
}

type Who = Caller<Identity>;

/** The functions behind the endpoints of requests for access. */
export function accessRequestHandlers(
  world: AccessRequestsWorld,
): Handlers<typeof accessRequestEndpoints, Who> {
  const { db } = world;
  const at = (): string => new Date(world.now()).toISOString();
  const serverAt = (path: string): AskedServer | undefined => world.rows().find((row) => row.path === path);
  const show = (row: RequestRow, caller: Who): AccessRequest => shown(row, serverAt(row.path), caller);
  /** A request that the caller may know of; to others it looks like an unknown one. */
  const known = async (id: string, caller: Who): Promise<RequestRow> => {
    const row = await findRequest(db, id);
    if (row && (isOf(row, caller) || decides(serverAt(row.path), caller))) return row;
    throw new Failure('not_found', 'There is no such request, or you do not have access to it.');
  };
  const waiting = async (id: string, caller: Who, words: string): Promise<RequestRow> => {
    const row = await known(id, caller);
    if (isOf(row, caller))
      throw new Failure('not_allowed', `You cannot ${words} your own request. Ask another administrator.`);
    assertUnlimited(caller.identity, world.grants(), `${words} requests`);
    return row;
  };

  return {
    async 'accessRequests.catalog'({ query }, caller) {
      const enabled = world.taken !== 'off';
      const lists = world.taken === 'catalog' && caller.identity.kind === 'person';
      if (!lists) return { enabled, lists, servers: [], total_count: 0 };
      const wanted = query.query?.trim().toLowerCase() ?? '';
      const found = world
        .rows()
        .filter(({ isEnabled, path }) => isEnabled && !caller.access.may('list_service', nameOfPath(path)))
        .filter(({ path, definition }) =>
          [path, definition.server_name, definition.description, ...definition.tags].some((text) =>
            text.toLowerCase().includes(wanted),
          ),
        );
      const pending = await pendingPaths(db, caller.identity);
      const page = found.slice(query.offset, query.offset + query.limit);
      return {
        ...{ enabled, lists, total_count: found.length },
        servers: page.map(({ path, definition: { server_name, description, tags } }) => ({
          ...{ path, server_name, description, tags, pending: pending.has(path) },
        })),
      };
    },

    async 'accessRequests.list'({ query }, caller) {
      assertUnlimited(caller.identity, world.grants(), 'see requests for access');
      const { provider, subject, kind } = caller.identity;
      const owned = world.rows().flatMap((row) => (decides(row, caller) ? [row.path] : []));
      const { rows, total } = await listRequests(db, {
        ...{ status: query.status, path: query.path, limit: query.limit, offset: query.offset },
        mine: query.of !== 'decide' && kind === 'person' ? { provider, subject } : undefined,
        others: query.of === 'mine' ? [] : caller.access.isAdmin ? 'all' : owned,
        but: query.of === 'decide' ? { provider, subject } : undefined,
      });
      return { requests: rows.map((row) => show(row, caller)), total_count: total };
    },

    async 'accessRequests.create'({ body: { path, reason } }, caller) {
      const { identity } = caller;
      const { provider, subject, username } = identity;
      if (world.taken === 'off')
        throw new Failure(
          'not_allowed',
          'This gateway does not accept requests for access (ACCESS_REQUESTS=off). Ask an administrator in person.',
        );
      if (identity.kind !== 'person')
        throw new Failure('not_allowed', 'Only people can ask for access. Give a program groups instead.');
      assertUnlimited(identity, world.grants(), 'ask for access');
      const row = await inTransaction(db, async (trx) => {
        await lockOwner(trx, identity);
        await assertRoom(trx, identity, world.now());
        return insertRequest(trx, {
          ...{ id: world.newId(), provider, subject, username, path, reason, created_at: at() },
        });
      });
      if (!row)
        throw new Failure(
          'conflict',
          `Your request for '${path}' is already waiting. Withdraw it to ask with another reason.`,
        );
      caller.note({ request: row.id, path, reason });
      return show(row, caller);
    },

    async 'accessRequests.grant'({ params, body }, caller) {
      const asked = await waiting(params.id, caller, 'grant');
      const server = serverAt(asked.path);
      if (!server || looksLikeEvery(asked.path))
        throw new Failure(
          'conflict',
          `No server is registered at '${asked.path}'. Decline the request, and say which server is meant.`,
        );
      assertTools(server, body.tools);
      const endsAt =
        body.hours === null ? null : new Date(world.now() + body.hours * 3_600_000).toISOString();
      const row = await decided(db, asked, 'pending', {
        ...{ status: 'granted', server_id: server.id, note: body.note || null, ends_at: endsAt },
        tools: body.tools === 'all' ? null : JSON.stringify([...new Set(body.tools)]),
        ...{ decided_at: at(), decided_by: caller.identity.username },
      });
      const { provider, subject, username } = row;
      caller.note({
        ...{ request: row.id, path: row.path, person: { provider, subject, username } },
        ...{ tools: body.tools, ends_at: endsAt },
      });
      return show(row, caller);
    },

    async 'accessRequests.decline'({ params, body }, caller) {
      const asked = await waiting(params.id, caller, 'decline');
      const row = await decided(db, asked, 'pending', {
        ...{ status: 'declined', note: body.note || null },
        ...{ decided_at: at(), decided_by: caller.identity.username },
      });
      caller.note({ request: row.id, path: row.path, username: row.username, note: body.note });
      return show(row, caller);
    },

    async 'accessRequests.withdraw'({ params }, caller) {
      const asked = await known(params.id, caller);
      if (!isOf(asked, caller))
        throw new Failure(
          'not_allowed',
          'Only the person who asked can withdraw a request. Decline it instead.',
        );
      assertUnlimited(caller.identity, world.grants(), 'withdraw requests');
      const row = await decided(db, asked, 'pending', { status: 'withdrawn', decided_at: at() });
      caller.note({ request: row.id, path: row.path });
      return show(row, caller);
    },

    async 'accessRequests.end'({ params }, caller) {
      const asked = await known(params.id, caller);
      assertUnlimited(caller.identity, world.grants(), 'end access');
      const by = caller.identity.username;
      const row = await decided(db, asked, 'granted', { status: 'ended', ended_at: at(), ended_by: by });
      caller.note({ request: row.id, path: row.path, username: row.username });
      return show(row, caller);
    },
  };
}

/** Whether somebody decides on requests for a server: an administrator, or who registered it and still sees it. */
function decides(server: AskedServer | undefined, { identity, access }: Who): boolean {
  if (access.isAdmin) return true;
  if (!server || identity.kind !== 'person' || server.owner === null) return false;
  return (
    server.owner === keyOf(identity.provider, identity.subject) &&
    access.may('list_service', nameOfPath(server.path))
  );
}

function isOf({ provider, subject }: RequestRow, { identity }: Who): boolean {
  return provider === identity.provider && subject === identity.subject && identity.kind === 'person';
}

function shown(row: RequestRow, server: AskedServer | undefined, caller: Who): AccessRequest {
  const { open_key: _, server_id, tools, status, ...rest } = row;
  const mine = isOf(row, caller);
  const deciding = decides(server, caller);
  const sees = deciding || caller.access.may('list_service', nameOfPath(row.path));
  const isGone = status === 'granted' && server?.id !== server_id;
  return {
    ...rest,
    status: isGone ? 'ended' : (status as AccessRequest['status']),
    tools: tools === null ? null : (JSON.parse(tools) as string[]),
    server_exists: sees ? server !== undefined : null,
    can: {
      decide: status === 'pending' && deciding && !mine,
      withdraw: status === 'pending' && mine,
      end: status === 'granted' && !isGone && (deciding || mine),
    },
  };
}

async function decided(
  db: Db,
  asked: RequestRow,
  from: 'pending' | 'granted',
  decision: Parameters<typeof decideRequest>[3],
): Promise<RequestRow> {
  const row = await decideRequest(db, asked.id, from, decision);
  if (row) return row;
  throw new Failure(
    'conflict',
    from === 'pending'
      ? 'The request is no longer open: it was decided or withdrawn. Reload the list.'
      : 'This access is not granted, or has ended already. Load the list again.',
  );
}

async function assertRoom(trx: Db, identity: Identity, now: number): Promise<void> {
  const since = new Date(now - 24 * 3_600_000).toISOString();
  const { pending, recent } = await countRequests(trx, identity, since);
  if (pending >= requestLimits.pending)
    throw new Failure(
      'too_many_requests',
      `${pending} of your requests are waiting, which is the limit. Withdraw one, or wait for a decision.`,
    );
  if (recent >= requestLimits.perDay)
    throw new Failure(
      'too_many_requests',
      `You have asked ${recent} times within a day. Try again tomorrow.`,
    );
}

/** Refuses names that the server does not have: a grant of nothing looks like one of something. */
function assertTools({ tools: read }: AskedServer, tools: 'all' | readonly string[]): void {
  if (tools === 'all' || !read) return;
  const there = new Set(read.tools.map(({ name }) => name));
  const unknown = tools.filter((tool) => !there.has(tool));
  if (unknown.length > 0)
    throw invalidInput([
      {
        at: 'body.tools',
        message: `the server has no tool ${unknown.map((tool) => `'${tool}'`).join(', ')}; name those that it lists`,
      },
    ]);
}
