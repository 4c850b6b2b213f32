import { expect, test } from 'vitest';
import { compile } from '../access/grants.ts';
import type { AuditEvent } from '../audit/event.ts';
import { openMemory } from '../db/open.ts';
import type { TrustedProvider } from '../identity/bearer.ts';
import type { Identity } from '../identity/identity.ts';
import { recordsOfGroups, recordsOfTokens } from './unasked-grants.ts';

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

test('a token that names new groups of administrators is recorded once, whichever process sees it', async () => {
  const database = await openMemory();
  const { db } = database;
  const events: AuditEvent[] = [];
  const trail = { record: (event: AuditEvent) => void events.push(event) };
  const processOf = () => recordsOfTokens({ trail, db, now: () => 0 } as never, trusted, () => grants);
  const [one, other] = [processOf(), processOf()];
  const bot = (groups: string[]): Identity => ({
    ...{ kind: 'agent', provider: 'second', subject: 's', username: 'bot', name: null, email: null },
    ...{ clientId: 'Bot', groups, method: 'bearer', credentialId: null, expiresAt: 1 },
  });
  await one(bot(['second:a']));
  expect(events).toEqual([]);
  await Promise.all([one(bot(['second:admins'])), other(bot(['second:admins']))]);
  await processOf()(bot(['second:a', 'second:admins']));
  expect(events).toMatchObject([
    { action: 'tokens.groups', who: null, detail: { admin_grant: true, before: { groups: [] } } },
  ]);
  // Taken away and given again, it is given again.
  await one(bot([]));
  await one(bot(['second:admins']));
  expect(events).toHaveLength(2);
  await database.close();
});

test.each([
  ['person', 'people', { subject: 's', username: 'alice', groups_read_at: '' }],
  ['agent', 'm2m_clients', { client_id: 'bot', name: '', description: '', is_enabled: 1 }],
] as const)('what gave a known %s power is recorded already', async (kind, table, row) => {
  const database = await openMemory();
  const events: AuditEvent[] = [];
  const times = kind === 'agent' ? { created_by: '', created_at: '', updated_at: '' } : {};
  await database.db
    .insertInto(table)
    .values({ provider: 'second', groups: '["admins"]', ...row, ...times } as never)
    .execute();
  const trail = { record: (event: AuditEvent) => void events.push(event) };
  const told = recordsOfTokens({ trail, db: database.db, now: () => 0 } as never, trusted, () => grants);
  await told({
    ...{ kind, provider: 'second', subject: 's', username: 'x', name: null, email: null },
    ...{ clientId: 'BOT', groups: ['second:admins'], method: 'bearer', credentialId: null, expiresAt: 1 },
  });
  expect(events).toEqual([]);
  await database.close();
});
