import type { Kysely } from 'kysely';

interface Tables {
  scopes: { name: string; source: string; definition: string };
  servers: { path: string };
  agents: { path: string };
}

type Lists = Record<string, unknown>;

/**
 * The wildcard of scopes becomes a value of its own (`"all"` in the place of a list), so that no name equals it. Before,
 * permissions on a thing registered as `/all` could not be told from permissions on everything: where there is such a
 * thing, permissions of scopes made through the API that say `all` are dropped, and the start says so.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  const tables = db as Kysely<Tables>;
  const paths = [
    ...(await tables.selectFrom('servers').select('path').execute()),
    ...(await tables.selectFrom('agents').select('path').execute()),
  ];
  const isAmbiguous = paths.some(({ path }) => path.toLowerCase() === '/all');
  const rows = await tables.selectFrom('scopes').select(['name', 'source', 'definition']).execute();
  for (const { name, source, definition } of rows) {
    const converted = convert(JSON.parse(definition) as Lists, isAmbiguous && source === 'api');
    await tables
      .updateTable('scopes')
      .set({ definition: JSON.stringify(converted) })
      .where('name', '=', name)
      .execute();
  }
}

function convert(definition: Lists, dropEvery: boolean): Lists {
  const { serverRules = [], agentRules = [], agentAccess, uiPermissions = {} } = definition;
  const permissions = Object.entries(uiPermissions as Lists).map(([permission, names]) => {
    const list = namesIn(names, ['all']);
    return [permission, list === 'all' && dropEvery ? [] : list] as const;
  });
  return {
    ...definition,
    serverRules: (serverRules as Lists[]).map((rule) =>
      Object.fromEntries(
        Object.entries(rule).map(([member, value]) => [
          member,
          Array.isArray(value) ? namesIn(value, ['*', 'all']) : value,
        ]),
      ),
    ),
    agentRules: (agentRules as Lists[]).map((rule) => ({
      ...rule,
      resources: namesIn(rule.resources, ['all']),
    })),
    ...(agentAccess === undefined ? {} : { agentAccess: namesIn(agentAccess, ['all']) }),
    uiPermissions: Object.fromEntries(permissions.filter(([, names]) => names.length > 0)),
  };
}

function namesIn(list: unknown, every: readonly string[]): 'all' | unknown[] {
  if (!Array.isArray(list)) return [];
  return list.some((entry) => every.includes(entry as string)) ? 'all' : list;
}
