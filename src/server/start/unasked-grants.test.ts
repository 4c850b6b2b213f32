import { expect, test } from 'vitest';
import { compile } from '../access/grants.ts';
import type { AuditEvent } from '../audit/event.ts';
import type { TrustedProvider } from '../identity/bearer.ts';
import { recordsOfGroups } from './unasked-grants.ts';

const admins = { serverRules: [], agentRules: [], uiPermissions: {}, groupMappings: ['second:admins'] };
const grants = compile(new Map([['registry-admins', { name: 'registry-admins', ...admins }]]));
const trusted = [
  {
    provider: { name: 'second' },
    groupsOf: (groups: readonly string[]) => groups.map((group) => `second:${group}`),
  },
] as unknown as TrustedProvider[];

test.each<[what: string, provider: string, before: string[], after: string[], recorded: boolean]>([
  ['a group that makes an administrator', 'second', ['a'], ['a', 'admins'], true],
  ['the first sign-in of an administrator', 'second', [], ['admins'], true],
  ['the same groups again', 'second', ['admins'], ['admins'], false],
  ['a group taken away', 'second', ['admins'], [], false],
  ['a group of no power', 'second', [], ['a'], false],
  ['a group of that name at another provider', 'first', [], ['admins'], false],
])('%s at the provider', (_, provider, before, groups, recorded) => {
  const events: AuditEvent[] = [];
  const trail = { record: (event: AuditEvent) => void events.push(event), flush: async () => {} };
  const told = recordsOfGroups({ trail, now: () => 0 } as never, trusted, () => grants);
  told({ provider, subject: 's', username: 'alice', name: null, email: null, groups }, before);
  expect(events.length).toBe(recorded ? 1 : 0);
  if (!recorded) return;
  expect(events[0]).toMatchObject({ kind: 'change', action: 'people.groups', resource: 'alice', who: null });
  expect(events[0]?.detail).toMatchObject({
    admin_grant: true,
    before: { groups: before },
    after: { groups },
  });
});
