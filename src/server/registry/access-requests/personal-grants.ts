import type { PersonalScope } from '../../access/grants.ts';
import type { Db } from '../../db/tables.ts';
import { endOverdue, type RequestRow, scopeOfRequest } from './store.ts';

/** What one person was granted on their request, and until when (milliseconds since 1970; null: without an end). */
interface PersonalGrant extends PersonalScope {
  readonly endsAt: number | null;
}

/** What a granted request allows besides the tools: a session, and to see what there is. */
const methods = ['initialize', 'ping', 'tools/list', 'tools/call'];

/** All that is granted on request now, or what of it is one person's, of servers that are still the ones that were asked for. */
export async function readPersonalGrants(
  db: Db,
  person?: { readonly provider: string; readonly subject: string },
): Promise<PersonalGrant[]> {
  const rows = await db
    .selectFrom('access_requests as r')
    .innerJoin('servers as s', (join) =>
      join.onRef('s.id', '=', 'r.server_id').onRef('s.path', '=', 'r.path'),
    )
    .select(['r.id', 'r.provider', 'r.subject', 'r.path', 'r.tools', 'r.ends_at'])
    .where('r.status', '=', 'granted')
    .$if(person !== undefined, (q) =>
      q.where('r.provider', '=', person?.provider ?? '').where('r.subject', '=', person?.subject ?? ''),
    )
    .orderBy('r.created_at')
    .orderBy('r.id')
    .execute();
  return rows.map(({ id, provider, subject, path, tools, ends_at }) => {
    const server = path.slice(1);
    return {
      ...{ provider, subject },
      endsAt: ends_at === null ? null : Date.parse(ends_at),
      scope: {
        name: scopeOfRequest(id),
        description: `Granted on request for ${path}`,
        serverRules: [
          {
            server,
            methods: tools === null ? ('all' as const) : methods,
            tools: tools === null ? ('all' as const) : (JSON.parse(tools) as string[]),
          },
        ],
        agentRules: [],
        uiPermissions: { list_service: [server] },
        groupMappings: [],
      },
    };
  });
}

/** What keeping the grants of single people current needs. */
export interface PersonalGrantsWorld {
  readonly db: Db;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  readonly log: { error(facts: object, message: string): void };
  /** Runs something once, later; returns how to call it off. */
  readonly after: (milliseconds: number, run: () => void) => () => void;
  /** Something that was granted is over by its time. */
  readonly over: () => void;
  /** Records what ended so; of several processes one is told of each. */
  readonly record?: ((ended: RequestRow) => void) | undefined;
}

/** What single people were granted on request, as of this moment. */
export interface PersonalGrants {
  /** Without what is over, whatever the database says. */
  now(): readonly PersonalScope[];
  /** Reads them again. */
  load(): Promise<void>;
  close(): void;
}

/** A timer may wait so long at most: the clock may have been set meanwhile. */
const longestWaitMs = 60_000;

/** Keeps what was granted on request; each grant is over when its time comes, in every process by its own clock. */
export function createPersonalGrants(world: PersonalGrantsWorld): PersonalGrants {
  const { db, now, log, after, over, record } = world;
  let grants: readonly PersonalGrant[] = [];
  let [cancel, closed] = [(): void => {}, false];
  const isOver = ({ endsAt }: PersonalGrant): boolean => endsAt !== null && endsAt <= now();
  const settle = (): void => {
    endOverdue(db, new Date(now()).toISOString()).then(
      (ended) => {
        for (const row of ended) record?.(row);
      },
      (error: unknown) =>
        log.error({ err: error }, 'access that has ended could not be written down as ended'),
    );
  };
  const plan = (): void => {
    cancel();
    const ends = grants.flatMap((grant) => (isOver(grant) ? [] : (grant.endsAt ?? [])));
    if (closed || ends.length === 0) return;
    const next = Math.min(...ends);
    cancel = after(Math.min(Math.max(next - now(), 0), longestWaitMs), () => {
      const due = now() >= next;
      plan();
      if (!due) return;
      over();
      settle();
    });
  };
  return {
    now: () => grants.filter((grant) => !isOver(grant)),
    async load() {
      grants = await readPersonalGrants(db);
      // What ended while no process ran.
      if (grants.some(isOver)) settle();
      plan();
    },
    close() {
      closed = true;
      cancel();
    },
  };
}
