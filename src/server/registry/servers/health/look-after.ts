import type { Output } from '../../../../contract/endpoint.ts';
import type { serverEndpoints } from '../../../../contract/servers/servers.ts';
import { endpointSegment } from '../../../../contract/values/server-path.ts';
import type { Db } from '../../../db/tables.ts';
import { inTransaction } from '../../../db/transaction.ts';
import { asFailure, Failure } from '../../../failure/errors.ts';
import type { CredentialsOf } from '../credential.ts';
import { endpointsOf } from '../endpoints.ts';
import { type Health, replace, type ServerRow, setHealth } from '../store.ts';
import { type CheckServer, type Finding, isThere } from './check.ts';
import { recordHealth } from './health-history.ts';

/** A server after a check: the row as it is stored now, what was found, and when (ISO 8601). */
export interface LookedAfter {
  readonly row: ServerRow;
  readonly found: Finding;
  readonly at: string;
}

/** Checks servers and stores what is found. */
export interface LookAfter {
  /** Checks one server; a second call while that runs shares its result. */
  one(row: ServerRow): Promise<LookedAfter>;
  /**
   * The same for a server whose address is new. Where nothing is found at `<address>/mcp` and an MCP server at the address
   * itself, that is stored as its endpoint: probe, health and calls use the one that was found.
   */
  first(row: ServerRow): Promise<LookedAfter>;
}

const unreadable: Finding = {
  status: 'auth-failing',
  reason: null,
  detail: 'Its stored credential cannot be read, because SECRET_KEY was changed; set the credential again.',
  serverVersion: null,
  protocolVersion: null,
  tools: null,
};

function judged(found: Finding, tookMs: number, slowMs = Number.POSITIVE_INFINITY): Finding {
  if (found.status !== 'healthy' || tookMs < slowMs) return found;
  const slow = `It answers slowly: the check took ${(tookMs / 1000).toFixed(1)} s.`;
  return { ...found, reason: 'slow', detail: [slow, found.detail].filter(Boolean).join(' ') };
}

/** A server that wants each person's own credential is well when it asks for one; what it offers then stays as it was known. */
function wanting({ egress }: ServerRow, found: Finding): Finding {
  if (!egress || found.status !== 'auth-failing') return found;
  // Nobody stands in for the identity that was set up.
  if (egress.egress_auth_mode === 'client_credentials' || egress.discovery !== 'none') return found;
  const detail = "It asks for each person's own credential, so only that it answers could be checked.";
  return { ...found, status: 'healthy', reason: null, detail };
}

/** Makes the part that checks servers and remembers the result. */
export function createLookAfter(world: {
  db: Db;
  check: CheckServer;
  credentialsOf: CredentialsOf;
  /** The credential with which a server that wants people's own is looked at; no connection for calls is ever used for checks. */
  ownHeaders?: (row: ServerRow) => Promise<readonly string[]>;
  /** Milliseconds since 1970. */
  now: () => number;
  /** Milliseconds from which on a healthy server counts as slow; never unless given. */
  slowMs?: number;
}): LookAfter {
  const running = new Map<string, Promise<LookedAfter>>();
  const checked = async (row: ServerRow, operators: readonly string[]): Promise<Finding> => {
    let own: readonly string[] = [];
    try {
      if (row.egress && world.ownHeaders) own = await world.ownHeaders(row);
    } catch (error) {
      return { ...unreadable, detail: asFailure(error).message };
    }
    const found = await world.check(endpointsOf(row.definition), [...operators, ...own], row.tools?.mark);
    return found.isAsMarked && row.tools ? { ...found, tools: row.tools.tools } : found;
  };
  const find = async (row: ServerRow): Promise<Finding> => {
    const begun = world.now();
    const credentials = world.credentialsOf(row);
    const seen = credentials ? await checked(row, credentials.headers) : unreadable;
    return judged(wanting(row, seen), world.now() - begun, world.slowMs);
  };
  const recorded = new Map<string, string>();
  /** Does nothing where the last check, which was made here too, has recorded the same. */
  const recordOnce = async (trx: Db, row: ServerRow, now: Health): Promise<void> => {
    const state = JSON.stringify([row.revision, now.status, now.reason ?? null]);
    const before = row.health && JSON.stringify([row.revision, row.health.status, row.health.reason ?? null]);
    if (state === before && recorded.get(row.id) === state) return;
    await recordHealth(trx, row.id, { ...now, at: now.checkedAt });
    recorded.set(row.id, state);
  };
  const look = async (row: ServerRow): Promise<LookedAfter> => {
    const found = await find(row);
    const { tools, invalid = [], offers, mark, isAsMarked, serverName: _, ...rest } = found;
    const at = new Date(world.now()).toISOString();
    const toolsAt = isAsMarked ? at : row.health?.toolsAt;
    const health = { ...rest, checkedAt: at, ...(toolsAt === undefined ? {} : { toolsAt }) };
    const read = isAsMarked ? null : tools;
    const stored = await inTransaction(world.db, async (trx) => {
      const changed = await setHealth(trx, row, {
        health,
        tools: read && {
          ...{ tools: read, fetchedAt: at },
          ...(offers ? { offers } : {}),
          ...(invalid.length > 0 ? { invalid } : {}),
          ...(mark === undefined ? {} : { mark }),
        },
      });
      if (changed?.isEnabled) await recordOnce(trx, row, health);
      return changed;
    });
    return { row: stored ?? row, found, at };
  };
  const one = (row: ServerRow): Promise<LookedAfter> => {
    const key = `${row.id} ${row.revision}`;
    const known = running.get(key);
    if (known) return known;
    const started = look(row).finally(() => running.delete(key));
    running.set(key, started);
    return started;
  };
  const first = async (row: ServerRow): Promise<LookedAfter> => {
    const looked = await one(row);
    const definition = definitionAtItself(row, looked.found);
    if (!definition || !isThere(await find({ ...row, definition }))) return looked;
    const change = { definition, revision: row.revision, forget: true, dropCredential: false };
    try {
      const at = new Date(world.now()).toISOString();
      return await one(await inTransaction(world.db, (trx) => replace(trx, row.path, { ...change, at })));
    } catch (error) {
      // Somebody changed it meanwhile: what they said counts.
      if (asFailure(error).code !== 'changed_meanwhile') throw error;
      return looked;
    }
  };
  return { one, first };
}

/** The server with its address as its endpoint, where nothing was found below that; undefined where that is no question. */
function definitionAtItself({ definition }: ServerRow, found: Finding): ServerRow['definition'] | undefined {
  const { proxy_pass_url: address, supported_transports: transports } = definition;
  const isGiven = definition.mcp_endpoint !== null || definition.sse_endpoint !== null;
  if (isGiven || !transports.includes('streamable-http') || endpointSegment(new URL(address)))
    return undefined;
  if (isThere(found) || found.reason === 'unreachable') return undefined;
  return { ...definition, mcp_endpoint: address };
}

/**
 * The tools of a server that `mayCall` allows: as the server lists them now or, when it cannot be asked, as last seen.
 * Where nothing was ever seen, that is a failure, not an empty list.
 */
export async function showTools(
  lookAfter: LookAfter,
  row: ServerRow,
  mayCall: (tool: string) => boolean,
): Promise<Output<(typeof serverEndpoints)['servers.tools']>> {
  const live = row.isEnabled ? await lookAfter.one(row) : undefined;
  const fresh = live?.found.tools ?? null;
  const tools = fresh ?? row.tools?.tools;
  const stale_reason = fresh ? null : (live?.found.detail ?? 'The server is disabled.');
  if (!tools)
    throw new Failure(
      row.isEnabled ? 'upstream_unreachable' : 'server_disabled',
      `The tools of '${row.path}' have never been read. ${stale_reason}`,
    );
  return {
    service_path: row.path,
    tools: tools.filter((tool) => mayCall(tool.name)),
    cached: fresh === null,
    fetched_at: (fresh ? live?.at : (row.health?.toolsAt ?? row.tools?.fetchedAt)) ?? null,
    stale_reason,
  };
}
