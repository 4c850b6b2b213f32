import { factsOf } from '../../../contract/permissions.ts';
import { looksLikeEvery, trimSlashes } from '../../../contract/values/names.ts';
import type { Scope } from '../../access/scope-set.ts';
import { invalidInput } from '../../failure/errors.ts';

/** What a server rule made by adding a server allows besides every tool: what the roles call "execute". */
const addedMethods = [
  'initialize',
  'notifications/initialized',
  'ping',
  'tools/list',
  'resources/list',
  'resources/templates/list',
  'tools/call',
] as const;

/** A server's name as scopes have it; `*` is refused, since whoever names one server does not mean every one. */
export function serverNameOf(given: string): string {
  const name = trimSlashes(given);
  if (name !== '' && !name.includes('*') && !looksLikeEvery(name)) return name;
  const message = `'${given}' is not the name of one server; give its path, such as currenttime`;
  throw invalidInput([{ at: 'body.server_name', message }]);
}

/** The scope with a rule for the server (every tool, the usual methods) and with the server in its list, if they were not. */
export function withServer(scope: Scope, server: string): Scope {
  const { serverRules, uiPermissions } = scope;
  const listed = uiPermissions.list_service ?? [];
  return {
    ...scope,
    serverRules: serverRules.some((rule) => rule.server === server)
      ? serverRules
      : [...serverRules, { server, methods: [...addedMethods], tools: 'all' }],
    uiPermissions:
      listed === 'all' || listed.includes(server)
        ? uiPermissions
        : { ...uiPermissions, list_service: [...listed, server] },
  };
}

/** The scope without rules and permissions that name the server; those for every server stay. */
export function withoutServer(scope: Scope, server: string): Scope {
  const kept = Object.entries(scope.uiPermissions).map(
    ([permission, names = []]) =>
      [
        permission,
        names !== 'all' && factsOf(permission)?.of === 'server'
          ? names.filter((name) => name !== server)
          : names,
      ] as const,
  );
  return {
    ...scope,
    serverRules: scope.serverRules.filter((rule) => rule.server !== server),
    uiPermissions: Object.fromEntries(kept.filter(([, names]) => names.length > 0)),
  };
}

/** Whether a scope reaches servers that it does not name. */
export function reachesEvery({ serverRules }: Scope): boolean {
  return serverRules.some(({ server }) => server === '*');
}
