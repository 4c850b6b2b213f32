import type { z } from 'zod';
import type { groupEndpoints } from '../../contract/people/groups.ts';
import type { ScopeChanged, ScopeView, scopeEndpoints } from '../../contract/scopes.ts';
import type { Paint } from './output.ts';
import { fields, table } from './table.ts';

type Listing = z.output<(typeof scopeEndpoints)['scopes.list']['output']>;
type Groups = z.output<(typeof groupEndpoints)['groups.list']['output']>['groups'];

/** What a change of a scope did. */
export function scopeChange(answer: ScopeChanged, paint: Paint): string {
  return fields(
    [
      ['Group', answer.group_name],
      ['Result', answer.changed ? answer.message : `${answer.group_name} is unchanged (already up to date)`],
      ['Group in the directory', answer.idp_group_id],
      ['Created there now', answer.idp_created],
    ],
    paint,
  );
}

/** One scope in full. */
export function scopeFields(scope: ScopeView, paint: Paint): string {
  const rules = scope.server_access.map((rule) => JSON.stringify(rule));
  const permissions = Object.entries(scope.ui_permissions).map(
    ([permission, names]) => [permission, (names ?? []).join(', ')] as const,
  );
  return [
    fields(
      [
        ['Group', scope.scope_name],
        ['Description', scope.description],
        [
          'Comes from',
          {
            ...{ file: 'scopes.yml (change it there)', api: 'the API' },
            built_in: 'the gateway (built in)',
          }[scope.source],
        ],
        ['Assigned to groups', scope.group_mappings.join(', ') || 'none'],
        ['Group in the directory', scope.idp_group_id],
        ['Agents it can see', scope.agent_access.join(', ')],
        ['Only for these clients', scope.clients?.join(', ')],
        ...permissions,
        ['Changed', scope.updated_at],
      ],
      paint,
    ),
    ...(rules.length > 0
      ? [
          paint('bold', 'Rules:'),
          fields(
            rules.map((rule, at) => [`  ${at + 1}`, rule]),
            paint,
          ),
        ]
      : []),
  ].join('\n');
}

/** The list of groups and scopes in sections, as far as they were asked for. */
export function groupSections(listing: Listing, room: number | undefined, paint: Paint): string {
  const { scopes_groups: scopes, directory } = listing;
  const scopeTable = (names: readonly string[]): string =>
    table(
      names,
      [
        { title: 'SCOPE', show: (name) => name },
        { title: 'FROM', show: (name) => scopes[name]?.source ?? '' },
        { title: 'ASSIGNED TO', show: (name) => scopes[name]?.group_mappings.join(', ') || '-' },
        { title: 'SERVERS', show: (name) => scopes[name]?.servers.join(', ') || '-' },
      ],
      room,
      paint,
    );
  const idle = listing.keycloak_groups.filter((group) => group.scopes.length === 0);
  const sections: [string, number, string][] =
    directory === null
      ? [['Scopes', Object.keys(scopes).length, scopeTable(Object.keys(scopes))]]
      : [
          ['Synchronized', listing.synchronized.length, scopeTable(listing.synchronized)],
          ['Directory-Only', idle.length, directoryTable(idle, room, paint)],
          ['Scopes-Only', listing.scopes_only.length, scopeTable(listing.scopes_only)],
        ];
  return sections
    .filter(([, count]) => count > 0)
    .map(([title, count, text]) => `${paint('bold', `${title} (${count})`)}\n${text}`)
    .join('\n\n');
}

function directoryTable(groups: Listing['keycloak_groups'], room: number | undefined, paint: Paint): string {
  return table(
    groups,
    [
      { title: 'GROUP', show: (group) => group.name },
      { title: 'ID', show: (group) => group.id },
      { title: 'DESCRIPTION', show: (group) => group.description ?? '' },
    ],
    room,
    paint,
  );
}

/** Groups as the identity administrator sees them. */
export function groupTable(groups: Groups, room: number | undefined, paint: Paint): string {
  return table(
    groups,
    [
      { title: 'GROUP', show: (group) => group.name },
      { title: 'ID', show: (group) => group.id },
      { title: 'IN DIRECTORY', show: (group) => (group.is_idp_managed ? 'yes' : 'no') },
      { title: 'SCOPES', show: (group) => group.scopes.join(', ') || '-' },
    ],
    room,
    paint,
  );
}
