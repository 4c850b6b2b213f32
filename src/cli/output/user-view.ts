import type { z } from 'zod';
import type { Job } from '../../contract/people/jobs.ts';
import type { m2mClientEndpoints } from '../../contract/people/m2m-clients.ts';
import type { User, userEndpoints } from '../../contract/people/users.ts';
import { plainLine } from '../../contract/values/plain-text.ts';
import type { Paint } from './output.ts';
import { fields, table } from './table.ts';

type NewHuman = z.output<(typeof userEndpoints)['users.createHuman']['output']>;
type Client = z.output<(typeof m2mClientEndpoints)['m2mClients.get']['output']>;

/** Accounts as a table. */
export function userTable(users: readonly User[], room: number | undefined, paint: Paint): string {
  return table(
    users,
    [
      {
        title: 'ENABLED',
        show: (user) => (user.enabled ? 'yes' : 'no'),
        style: (user) => (user.enabled ? 'green' : 'red'),
      },
      { title: 'USER NAME', show: (user) => user.username, isKey: true },
      { title: 'ID', show: (user) => user.id, isMinor: true },
      { title: 'KIND', show: (user) => user.kind },
      { title: 'EMAIL', show: (user) => user.email ?? '-', isMinor: true },
      { title: 'NAME', show: (user) => fullName(user) || '-' },
      { title: 'GROUPS', show: (user) => groupWords(user.groups) },
    ],
    room,
    paint,
  );
}

/** The new account of a person, without its password. */
export function humanFields(user: NewHuman, paint: Paint): string {
  return fields(
    [
      ['User name', user.username],
      ['ID', user.id],
      ['Email', user.email],
      ['Name', fullName(user)],
      ['Enabled', user.enabled],
      ['Groups', user.groups_assigned.join(', ') || 'none'],
    ],
    paint,
  );
}

// As the setup guide shows them: scripts look for these lines.
function guideLines(pairs: readonly (readonly [string, string | null])[]): string {
  return pairs.map(([name, value]) => `${name}: ${plainLine(value ?? '-')}`).join('\n');
}

/** Pairs one to a line as `Name: value`, with the warning of the setup guide that they are shown this once. */
export function secretLines(
  pairs: readonly (readonly [string, string | null])[],
  what = 'the client secret',
): string {
  const how = what === 'the client secret' ? 'Save' : 'Pass on';
  return `${guideLines(pairs)}\n\nIMPORTANT: ${how} ${what} securely - it cannot be retrieved later.`;
}

/** Jobs as a table. */
export function jobTable(jobs: readonly Job[], room: number | undefined, paint: Paint): string {
  return table(
    jobs,
    [
      { title: 'ID', show: (job) => job.id },
      { title: 'CREATES', show: (job) => `${job.kind} ${job.name}` },
      { title: 'STATE', show: (job) => job.state, style: jobStyle },
      { title: 'SECRET', show: (job) => job.secret },
      { title: 'BY', show: (job) => job.created_by },
      { title: 'CREATED', show: (job) => job.created_at },
      { title: 'PROBLEM', show: (job) => job.trouble?.detail ?? '' },
    ],
    room,
    paint,
  );
}

/** How a job's state is painted. */
function jobStyle({ state }: Pick<Job, 'state'>): 'green' | 'yellow' | 'red' {
  if (state === 'done') return 'green';
  return state === 'running' || state === 'undoing' ? 'yellow' : 'red';
}

/** Applications that the registry knows of itself, as a table. */
export function clientTable(clients: readonly Client[], room: number | undefined, paint: Paint): string {
  return table(
    clients,
    [
      { title: 'CLIENT ID', show: (client) => client.client_id },
      { title: 'NAME', show: (client) => client.client_name },
      { title: 'ENABLED', show: (client) => (client.enabled ? 'yes' : 'no') },
      { title: 'PROVIDER', show: (client) => client.provider },
      { title: 'GROUPS', show: (client) => groupWords(client.groups) },
      { title: 'DESCRIPTION', show: (client) => client.description },
    ],
    room,
    paint,
  );
}

/** One of them in full. */
export function clientFields(client: Client, paint: Paint): string {
  return fields(
    [
      ['Client ID', client.client_id],
      ['Name', client.client_name],
      ['Description', client.description],
      ['Groups', client.groups.join(', ') || 'none'],
      ['Enabled', client.enabled],
      ['Created by', client.provider],
      ['For tokens of', client.identity_provider],
      ['Registered', `${client.created_at} by ${client.created_by}`],
      ['Changed', client.updated_at],
    ],
    paint,
  );
}

function fullName({ firstName, lastName }: Pick<User, 'firstName' | 'lastName'>): string {
  return [firstName, lastName].filter(Boolean).join(' ');
}

/** Groups that a table names; -o json has all. */
const mostGroups = 5;

function groupWords(groups: readonly string[] | null): string {
  if (groups === null) return '(could not be read)';
  const more = groups.length - mostGroups;
  return more > 1 ? `${groups.slice(0, mostGroups).join(', ')} and ${more} more` : groups.join(', ') || '-';
}
