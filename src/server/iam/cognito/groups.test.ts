import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { asFailure } from '../../failure/errors.ts';
import type { Fetch } from '../../net/outbound.ts';
import { poolDirectory } from './directory.test-support.ts';
import { awsIdentity, type EmulatedPool, startPool } from './pool.test-support.ts';

let pool: EmulatedPool;
beforeEach(async () => {
  vi.stubEnv('AWS_ACCESS_KEY_ID', awsIdentity.accessKeyId);
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', awsIdentity.secretAccessKey);
  pool = await startPool();
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await pool.close();
});

const open = (options: Parameters<typeof poolDirectory>[1] = {}) => poolDirectory(pool, options).directory;

test('a group is made, found by its name to the letter, described anew, and removed', async () => {
  const { groups } = open();
  const made = await groups.create?.({ name: 'finance', description: 'Looks at money' });
  expect(made).toEqual({
    ...{ id: 'finance', name: 'finance', mapping: 'finance', editable: true },
    description: 'Looks at money',
  });
  expect(await groups.find('finance')).toEqual(made);
  expect(await groups.find('FINANCE')).toBeUndefined();
  // What was set elsewhere, such as a role, is not lost with a new description.
  pool.groups.set('finance', { GroupName: 'finance', RoleArn: 'arn:aws:iam::1:role/x', Precedence: 3 });
  await groups.update?.('finance', { description: 'Counts money' });
  expect(pool.groups.get('finance')).toEqual({
    ...{ GroupName: 'finance', Description: 'Counts money', RoleArn: 'arn:aws:iam::1:role/x', Precedence: 3 },
  });
  await groups.remove?.('finance');
  expect(pool.groups.size).toBe(0);
});

test('groups are listed page by page, and a search is the beginning of a name', async () => {
  for (let at = 0; at < 130; at++) pool.groups.set(`team-${at}`, { GroupName: `team-${at}` });
  const { groups } = open();
  const names: string[] = [];
  for (let from: string | null = null; ; ) {
    const page: Awaited<ReturnType<typeof groups.list>> = await groups.list({ limit: 50, from });
    expect(page.items.length).toBeLessThanOrEqual(50);
    names.push(...page.items.map(({ name }) => name));
    if (page.next === null) break;
    from = page.next;
  }
  expect(names).toEqual([...pool.groups.keys()]);
  const { items } = await groups.list({ search: 'TEAM-12', limit: 50 });
  expect(items.map(({ name }) => name)).toEqual([
    'team-12',
    ...Array.from({ length: 10 }, (_, at) => `team-12${at}`),
  ]);
});

test.each([
  ['a name that is taken', 'taken', 'conflict'],
  ['a name with a blank', 'two words', 'invalid_input'],
  ['a name that is too long', 'x'.repeat(129), 'invalid_input'],
])('%s is refused', async (_, name, code) => {
  pool.groups.set('taken', { GroupName: 'taken' });
  const made = open().groups.create?.({ name, description: '' });
  expect(asFailure(await made?.catch((error: unknown) => error)).code).toBe(code);
  expect([...pool.groups.keys()]).toEqual(['taken']);
});

test('a group that is not there is neither changed nor removed', async () => {
  const { groups } = open();
  const changes = [() => groups.update?.('gone', { description: 'x' }), () => groups.remove?.('gone')];
  for (const change of changes)
    expect(asFailure(await change()?.catch((error: unknown) => error)).code).toBe('not_found');
});

test('trouble of the server is not taken for a group that was not made: it is not asked twice', async () => {
  pool.troubles.push({ action: 'CreateGroup', name: 'InternalErrorException', status: 500 });
  const made = open().groups.create?.({ name: 'finance', description: '' });
  expect(asFailure(await made?.catch((error: unknown) => error)).code).toBe('directory_unavailable');
  expect(pool.asked.filter(({ action }) => action === 'CreateGroup')).toHaveLength(1);
});

test.each([
  ['a key that AWS does not know', { AWS_ACCESS_KEY_ID: 'AKIAUNKNOWN' }, 'does not accept'],
  ['a secret that is another', { AWS_SECRET_ACCESS_KEY: 'of-somebody-else' }, 'does not accept'],
])('%s is said to be refused, without the secret', async (_, environment, words) => {
  for (const [name, value] of Object.entries(environment)) vi.stubEnv(name, value);
  const failure = asFailure(
    await open()
      .groups.list({ limit: 5 })
      .catch((error: unknown) => error),
  );
  expect(failure.code).toBe('directory_denied');
  expect(failure.message).toContain(words);
  expect(failure.message).not.toContain('of-somebody-else');
});

test('a pool that cannot be reached is told as that, by the gateway’s own way out', async () => {
  const asked: string[] = [];
  const fetch: Fetch = async (url) => {
    asked.push(String(url));
    throw new TypeError('fetch failed');
  };
  const failure = asFailure(
    await open({ fetch })
      .groups.list({ limit: 5 })
      .catch((error: unknown) => error),
  );
  expect(failure.code).toBe('directory_unavailable');
  expect(asked.every((url) => url.startsWith(pool.url))).toBe(true);
  expect(asked.length).toBeGreaterThan(0);
});
