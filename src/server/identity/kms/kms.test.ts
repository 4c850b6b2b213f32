import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { KmsSettings } from '../../config/config-keys.ts';
import { type OpenDatabase, openMemory } from '../../db/open.ts';
import { type Outbound, outbound } from '../../net/outbound.ts';
import { deriveKey, seal, unseal } from '../keys.ts';
import { createSealer } from '../sealer.ts';
import { type DataKeysWorld, openDataKeys } from './data-keys.ts';
import { embeddedKms, type Kms, KmsFailed } from './kms.ts';
import { type FakeTransit, startTransit } from './transit.test-support.ts';
import { transitKms } from './transit.ts';

const secret = 'a secret of this test';
let transit: FakeTransit;
let fetch: Outbound;
let database: OpenDatabase;
beforeEach(async () => {
  transit = await startTransit();
  fetch = outbound({ policy: { allowPrivate: true } });
  database = await openMemory();
});
afterEach(async () => {
  await database.close();
  await fetch.close();
  await transit.close();
});

function settings(more: Partial<KmsSettings> = {}): KmsSettings {
  const login = { by: 'token', token: 'root' } as const;
  return {
    ...{ wraps: true, address: transit.address, namespace: '', mount: 'transit', key: 'mcp-gateway', login },
    ...more,
  };
}

const kinds: Record<string, () => Kms> = {
  embedded: () => embeddedKms(secret),
  transit: () => transitKms(settings(), fetch),
};

/** A KMS with another key than `kinds` has. */
const strangers: Record<string, () => Kms> = {
  embedded: () => embeddedKms('another secret'),
  transit: () => transitKms(settings({ key: 'no-such-key' }), fetch),
};

function world(kms: Kms, more: Partial<DataKeysWorld> = {}): DataKeysWorld & { warned: string[] } {
  const warned: string[] = [];
  const all = [kms, embeddedKms(secret)];
  return {
    ...{ db: database.db, kms, now: Date.now, waitMs: 0, secrets: [secret], warned },
    find: (name) => all.find((one) => one.name === name),
    log: { warn: (_, message) => void warned.push(message) },
    ...more,
  };
}

describe.each(Object.keys(kinds))('every KMS: %s', (kind) => {
  const kms = () => kinds[kind]!();

  test('what it wraps it unwraps, for the same id only, and shows nothing of it', async () => {
    const key = randomBytes(32);
    const wrapped = await kms().wrap(key, 'one');
    for (const text of [key.toString('base64'), key.toString('base64url'), key.toString('hex')])
      expect(wrapped).not.toContain(text);
    expect(await kms().wrap(key, 'one')).not.toBe(wrapped);
    expect((await kms().unwrap(wrapped, 'one')).equals(key)).toBe(true);
    await expect(kms().unwrap(wrapped, 'two')).rejects.toBeInstanceOf(KmsFailed);
    const again = await kms().rewrap(wrapped, 'one');
    expect((await kms().unwrap(again, 'one')).equals(key)).toBe(true);
  });

  test.each(['', 'x', 'vault:v1:AAAA', 'vault:v9:AAAA'])('nonsense is refused: %j', async (wrapped) => {
    await expect(kms().unwrap(wrapped, 'one')).rejects.toMatchObject({ isAway: false });
  });

  test('another key does not unwrap it, and says what to do', async () => {
    const wrapped = await kms().wrap(randomBytes(32), 'one');
    const refused = strangers[kind]!().unwrap(wrapped, 'one');
    await expect(refused).rejects.toThrow(/SECRET_KEY_PREVIOUS|VAULT_TRANSIT_KEY/);
  });

  test('processes that start at once agree on one data key, which the database has wrapped only', async () => {
    const opened = await Promise.all(Array.from({ length: 5 }, () => openDataKeys(world(kms()))));
    const [first] = opened.map((keys) => keys.of('connection')()[0].toString('hex'));
    for (const keys of opened) expect(keys.of('connection')()[0].toString('hex')).toBe(first);
    expect(await database.db.selectFrom('data_keys').select(['number', 'kms']).execute()).toEqual([
      { number: 1, kms: kms().name },
    ]);
  });

  test('a data key is unwrapped once; what was sealed opens after a start, and in no other installation', async () => {
    const sealed = createSealer((await openDataKeys(world(kms()))).of('connection')).seal('ann', 'token');
    const keys = await openDataKeys(world(kms()));
    const before = transit.asked.length;
    const sealer = createSealer(keys.of('connection'));
    expect(sealer.open('ann', sealed)).toBe('token');
    expect(sealer.open('bob', sealed)).toBeUndefined();
    await keys.reload();
    expect(transit.asked.length).toBe(before);
    await database.db.deleteFrom('data_keys').execute();
    const elsewhere = createSealer((await openDataKeys(world(kms()))).of('connection'));
    expect(elsewhere.open('ann', sealed)).toBeUndefined();
  });

  test('what was sealed before there were data keys opens', async () => {
    const text = seal(deriveKey(secret, 'refresh-token'), 'refresh', 'holder');
    const keys = await openDataKeys(world(kms()));
    expect(unseal(keys.of('refresh-token'), text, 'holder')).toBe('refresh');
    expect(() => unseal(keys.of('oauth-key'), text, 'holder')).toThrow();
  });

  test('another data key seals from then on, in every process; the one before opens until it is retired', async () => {
    const hour = 3_600_000;
    const clock = { now: 0 };
    const mine = await openDataKeys(world(kms(), { now: () => clock.now }));
    const others = await openDataKeys(world(kms()));
    const old = createSealer(mine.of('connection')).seal('ann', 'token');
    await mine.renew();
    const anew = createSealer(mine.of('connection')).seal('ann', 'other');
    expect(anew.keyId).not.toBe(old.keyId);
    const sealer = createSealer(others.of('connection'));
    expect(sealer.open('ann', anew)).toBeUndefined();
    await others.reload();
    expect([sealer.open('ann', anew), sealer.open('ann', old)]).toEqual(['other', 'token']);
    expect(sealer.keyId).toBe(anew.keyId);
    // Other processes may still seal with the one before.
    expect(await mine.retire()).toBe(0);
    clock.now = 2 * hour;
    expect(await mine.retire()).toBe(1);
    await others.reload();
    expect([sealer.open('ann', anew), sealer.open('ann', old)]).toEqual(['other', undefined]);
  });

  test('a changed KMS begins with a data key of its own, and those of before open as long as they can be unwrapped', async () => {
    const [first, second] = kind === 'embedded' ? ['embedded', 'transit'] : ['transit', 'embedded'];
    const both = {
      find: (name: string) =>
        Object.values(kinds)
          .map((make) => make())
          .find((one) => one.name === name),
    };
    const sealed = createSealer((await openDataKeys(world(kinds[first!]!(), both))).of('connection')).seal(
      'ann',
      't',
    );
    const moved = await openDataKeys(world(kinds[second!]!(), both));
    const sealer = createSealer(moved.of('connection'));
    expect(sealer.open('ann', sealed)).toBe('t');
    expect(sealer.keyId).not.toBe(sealed.keyId);
    const without = world(kinds[second!]!(), {
      find: (name) => (name === first ? undefined : both.find(name)),
    });
    if (first === 'embedded') return;
    const alone = await openDataKeys({
      ...without,
      find: (name) => (name.startsWith('transit') ? undefined : both.find(name)),
    });
    expect(createSealer(alone.of('connection')).open('ann', sealed)).toBeUndefined();
    expect(without.warned.join()).toContain('stays unreadable');
  });
});

test('a database of the version before goes on with the keys of SECRET_KEY, which that version reads too', async () => {
  const old = deriveKey(secret, 'refresh-token');
  await database.db
    .insertInto('people')
    .values({
      ...{ provider: 'entra', subject: 'ann', username: 'ann', groups: '[]', groups_read_at: 'then' },
      refresh_sealed: seal(old, 'refresh'),
    })
    .execute();
  const [mine, others] = [
    await openDataKeys(world(kinds.embedded!())),
    await openDataKeys(world(kinds.embedded!())),
  ];
  expect(await database.db.selectFrom('data_keys').selectAll().execute()).toEqual([]);
  expect(unseal(old, seal(mine.of('refresh-token'), 'of the new version'))).toBe('of the new version');
  expect(mine.state()).toEqual({ kms: 'embedded', count: 0 });
  await mine.check();
  // Once every replica is of the new version:
  await mine.renew();
  await others.reload();
  const anew = seal(mine.of('refresh-token'), 'later');
  expect(unseal(others.of('refresh-token'), anew)).toBe('later');
  expect(unseal(others.of('refresh-token'), seal(old, 'refresh'))).toBe('refresh');
  expect(() => unseal(old, anew)).toThrow();
  // And a KMS that is set begins at once.
  await database.db.deleteFrom('data_keys').execute();
  expect((await openDataKeys(world(kinds.transit!()))).state().count).toBe(1);
});

test('a new SECRET_KEY with the one before wraps the same data keys anew; without it another one begins', async () => {
  const first = await openDataKeys(world(embeddedKms(secret)));
  const sealed = createSealer(first.of('connection')).seal('ann', 'token');
  const both = embeddedKms('new', secret);
  const rotating = await openDataKeys(world(both, { find: () => both, secrets: ['new', secret] }));
  expect(await rotating.rewrap()).toBe(1);
  const later = embeddedKms('new');
  const after = await openDataKeys(world(later, { find: () => later, secrets: ['new'] }));
  expect(createSealer(after.of('connection')).open('ann', sealed)).toBe('token');
  const stranger = embeddedKms('lost');
  const lost = world(stranger, { find: () => stranger, secrets: ['lost'] });
  const begun = await openDataKeys(lost);
  expect(createSealer(begun.of('connection')).open('ann', sealed)).toBeUndefined();
  expect(lost.warned.join()).toContain('cannot be unwrapped');
  // It is all there again with the right one.
  const back = await openDataKeys(world(later, { find: () => later, secrets: ['new'] }));
  expect(createSealer(back.of('connection')).open('ann', sealed)).toBe('token');
});

test('a version of the transit key may end once the data keys are wrapped anew', async () => {
  const keys = await openDataKeys(world(kinds.transit!()));
  transit.rotate('mcp-gateway');
  expect(await keys.rewrap()).toBe(1);
  transit.setLeast('mcp-gateway', 2);
  const after = await openDataKeys(world(kinds.transit!()));
  expect(after.of('connection')()[0].equals(keys.of('connection')()[0])).toBe(true);
  transit.setLeast('mcp-gateway', 3);
  await expect(openDataKeys(world(kinds.transit!()))).rejects.toThrow(/too old.*minimum decryption version/);
});

test('a KMS that is away is waited for, then named; what runs goes on without it', async () => {
  const keys = await openDataKeys(world(kinds.transit!()));
  const sealer = createSealer(keys.of('connection'));
  const sealed = sealer.seal('ann', 'token');
  transit.fault = { status: 503, errors: ['Vault is sealed'] };
  const waiting = world(kinds.transit!(), { waitMs: 60_000 });
  const opening = openDataKeys(waiting);
  await expect(openDataKeys(world(kinds.transit!()))).rejects.toThrow(
    /KMS 'transit:transit\/mcp-gateway'.*Vault is sealed.*does not start/,
  );
  expect(sealer.open('ann', sealed)).toBe('token');
  expect(sealer.open('ann', sealer.seal('ann', 'more'))).toBe('more');
  await expect(keys.check()).rejects.toMatchObject({ isAway: true });
  transit.fault = undefined;
  expect((await opening).of('connection')()[0].equals(keys.of('connection')()[0])).toBe(true);
  await keys.check();
  const { address } = transit;
  await transit.close();
  await expect(openDataKeys(world(transitKms(settings({ address }), fetch)))).rejects.toThrow(/VAULT_ADDR/);
});

test('one that refuses is not asked again and again, and no secret is in what is said', async () => {
  await openDataKeys(world(kinds.transit!()));
  const before = transit.asked.length;
  const login = { by: 'token', token: 'hvs.not-this-one' } as const;
  const refused = openDataKeys(world(transitKms(settings({ login }), fetch), { waitMs: 60_000 }));
  const error = await refused.catch((one: Error) => one);
  expect(String(error)).toMatch(/403.*permission denied.*`update` on encrypt, decrypt and rewrap/);
  expect(String(error)).not.toContain('hvs.');
  expect(transit.asked.length).toBe(before + 1);
});

test('it takes a token of a file that is renewed, of a login by Kubernetes, in a namespace and at another mount', async () => {
  await transit.close();
  const folder = mkdtempSync(join(tmpdir(), 'kms-'));
  try {
    const file = join(folder, 'token');
    transit = await startTransit({
      namespace: 'team',
      mount: 'crypt/transit',
      token: 'second',
      jwt: 'the-jwt',
    });
    const place = { namespace: 'team', mount: 'crypt/transit' };
    const byFile = transitKms(settings({ ...place, login: { by: 'file', file } }), fetch);
    await expect(byFile.wrap(randomBytes(32), 'one')).rejects.toThrow(/ENOENT/);
    writeFileSync(file, 'first\n');
    await expect(byFile.wrap(randomBytes(32), 'one')).rejects.toThrow(/403/);
    writeFileSync(file, 'second\n');
    const key = randomBytes(32);
    const wrapped = await byFile.wrap(key, 'one');
    writeFileSync(file, 'the-jwt');
    const pod = { by: 'kubernetes', role: 'gateway', file } as const;
    const unwrapped = await transitKms(settings({ ...place, login: pod }), fetch).unwrap(wrapped, 'one');
    expect(unwrapped.equals(key)).toBe(true);
    expect(transit.asked.every(({ namespace }) => namespace === 'team')).toBe(true);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
