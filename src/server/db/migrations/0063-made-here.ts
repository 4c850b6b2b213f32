import type { Kysely } from 'kysely';

/** What is read of the tables of before. */
interface Before {
  scopes: { idp_group_id: string | null; name: string; created_at: string | null; updated_at: string };
  m2m_clients: {
    provider: string;
    client_id: string;
    source: string;
    created_by: string;
    created_at: string;
  };
  jobs: { progress: string; state: string; created_by: string; created_at: string };
  audit_events: {
    action: string;
    decision: string;
    at: string;
    username: string | null;
    detail: string | null;
  };
  made_here: Row;
}

interface Row {
  provider: string;
  kind: 'group' | 'person' | 'application';
  id: string;
  made_by: string;
  made_at: string;
}

/** Rows per statement, far below the number of values that either database takes in one. */
const batch = 200;

/**
 * What the gateway made in a directory. The version before wrote down the groups of scopes and the applications; people,
 * and groups whose scope is gone, are known as far back as the audit goes. Where it did not write down of which provider
 * something is, that is left empty.
 */
export async function up(db: Kysely<Before>): Promise<void> {
  await db.schema
    .createTable('made_here')
    .addColumn('provider', 'text', (c) => c.notNull())
    .addColumn('kind', 'text', (c) => c.notNull())
    .addColumn('id', 'text', (c) => c.notNull())
    .addColumn('made_by', 'text', (c) => c.notNull())
    .addColumn('made_at', 'text', (c) => c.notNull())
    .addPrimaryKeyConstraint('made_here_key', ['kind', 'id', 'provider'])
    .execute();
  const rows = [
    ...(await groupsOfScopes(db)),
    ...(await applications(db)),
    ...(await applicationsOfJobs(db)),
    ...(await fromAudit(db)),
  ];
  for (let start = 0; start < rows.length; start += batch)
    await db
      .insertInto('made_here')
      .values(rows.slice(start, start + batch))
      .onConflict((conflict) => conflict.doNothing())
      .execute();
}

async function groupsOfScopes(db: Kysely<Before>): Promise<Row[]> {
  const found = await db.selectFrom('scopes').selectAll().where('idp_group_id', 'is not', null).execute();
  return found.map(({ idp_group_id, created_at, updated_at }) => ({
    ...{ provider: '', kind: 'group', id: lowerId(idp_group_id ?? '') },
    ...{ made_by: '', made_at: created_at ?? updated_at },
  }));
}

async function applications(db: Kysely<Before>): Promise<Row[]> {
  const found = await db.selectFrom('m2m_clients').selectAll().where('source', '<>', 'manual').execute();
  return found.map(({ provider, client_id, created_by, created_at }) => ({
    ...{ provider, kind: 'application', id: lowerId(client_id) },
    ...{ made_by: created_by, made_at: created_at },
  }));
}

/** Also of jobs that got stuck, whose accounts are to be deleted by hand. */
async function applicationsOfJobs(db: Kysely<Before>): Promise<Row[]> {
  const found = await db.selectFrom('jobs').selectAll().where('state', '<>', 'undone').execute();
  return found.flatMap(({ progress, created_by, created_at }) => {
    const id = textIn(parsed(progress), 'account', 'clientId');
    if (id === undefined) return [];
    return [
      {
        ...{ provider: '', kind: 'application' as const, id: lowerId(id) },
        ...{ made_by: created_by, made_at: created_at },
      },
    ];
  });
}

async function fromAudit(db: Kysely<Before>): Promise<Row[]> {
  const found = await db
    .selectFrom('audit_events')
    .select(['action', 'at', 'username', 'detail'])
    .where('decision', '=', 'allow')
    .where((e) =>
      e.or([
        e('action', '=', 'users.createHuman'),
        e.and([
          e('action', 'in', ['scopes.import', 'scopes.create', 'groups.create', 'groups.patch']),
          e('detail', 'like', '%"idp_created":true%'),
        ]),
      ]),
    )
    .execute();
  return found.flatMap(({ action, at, username, detail }) => {
    const said = parsed(detail ?? '');
    const isPerson = action === 'users.createHuman';
    const id = isPerson ? textIn(said, 'after', 'id') : textIn(said, 'idp_group_id');
    const kind = isPerson ? ('person' as const) : ('group' as const);
    return id === undefined
      ? []
      : [{ ...{ provider: '', kind, id: lowerId(id) }, ...{ made_by: username ?? '', made_at: at } }];
  });
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function textIn(value: unknown, ...path: readonly string[]): string | undefined {
  let found = value;
  for (const name of path)
    found = typeof found === 'object' && found !== null ? Reflect.get(found, name) : undefined;
  return typeof found === 'string' && found !== '' ? found : undefined;
}

/** GUIDs are the same in upper and lower case; names that are ids (Cognito) are not. */
function lowerId(id: string): string {
  return /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(id) ? id.toLowerCase() : id;
}
