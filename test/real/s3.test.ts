import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { eventNamed } from '../../src/server/audit/sinks/event.test-support.ts';
import { type S3World, s3Sink } from '../../src/server/audit/sinks/s3.ts';
import { createTrail } from '../../src/server/audit/trail.ts';
import { readConfig } from '../../src/server/config/config.ts';
import { type Outbound, outbound } from '../../src/server/net/outbound.ts';
import { type Minio, startMinio } from './minio.ts';

const file = process.env.REAL_MINIO ?? '';
const folder = mkdtempSync(join(tmpdir(), 'real-minio-'));
let minio: Minio;
let way: Outbound;
beforeAll(async () => {
  way = outbound({ policy: { allowPrivate: true }, headersMs: 60_000, maxBytes: 64 << 10 });
  minio = await startMinio(file, folder);
});
afterAll(async () => {
  await way?.close();
  await minio?.kill();
  rmSync(folder, { recursive: true, force: true });
});

/** The sink as the settings make it. */
const sink = (path: string, more: Partial<S3World> = {}) => {
  const { s3 } = readConfig(
    {
      ...{ EVALUATION: 'true', AUDIT_S3_URL: `${minio.origin}/${path}`, AUDIT_S3_REGION: minio.region },
      AUDIT_S3_ACCESS_KEY_ID: minio.accessKeyId,
      AUDIT_S3_SECRET_ACCESS_KEY: minio.secretAccessKey,
    },
    '/',
  );
  if (!s3) throw new Error('no storage is set up');
  return s3Sink({ ...s3, fetch: way, now: Date.now, newId: randomUUID, ...more });
};
const actionsIn = async (bucket: string): Promise<string[]> =>
  [...(await minio.read(bucket)).values()].flatMap((stored) =>
    stored
      .trim()
      .split('\n')
      .map((line) => (JSON.parse(line) as { action: string }).action),
  );

test('objects are stored as they are named, under every prefix that somebody may choose', async () => {
  await minio.make('prefixes');
  const prefixes = [
    ...['', 'a', 'a/b/', 'a b', 'a%20b%2Bc', '(a)', 'ü/ö', '日本', 'a+b', "x!'*y", 'a~b', 'k=v', '100%25'],
    ...['a;b,c@d:e&f$g', '[q]{r}^|`', 'CON', '.hidden', 'a%2Fb'],
  ];
  for (const prefix of prefixes) await sink(`prefixes/${prefix}`).write([eventNamed(prefix)]);
  const stored = await minio.read('prefixes');
  const names = [...stored].map(([name, body]) => {
    const { action, detail } = JSON.parse(body) as { action: string; detail: object };
    expect(detail).toEqual({ deep: ['ü'] });
    return [action, name.replace(/\/?\d{4}\/\d{2}\/\d{2}\/\d{6}-[\da-f-]{36}\.jsonl\.gz$/, '')];
  });
  expect(Object.fromEntries(names)).toEqual(
    Object.fromEntries(prefixes.map((one) => [one, decodeURIComponent(one).replace(/\/$/, '')])),
  );
});

test('who may not, and who has it wrong, is told by its code what to do', async () => {
  await minio.make('refusals');
  const now = () => Date.now() - 3_600_000;
  const cases: [Parameters<typeof sink>, string][] = [
    [
      ['refusals', { secretAccessKey: 'wrong' }],
      '(SignatureDoesNotMatch). AUDIT_S3_SECRET_ACCESS_KEY is not',
    ],
    [
      ['refusals', { accessKeyId: 'nobody' }],
      '(InvalidAccessKeyId). It does not know AUDIT_S3_ACCESS_KEY_ID.',
    ],
    [['refusals', { region: 'us-east-1' }], 'correct AUDIT_S3_REGION'],
    [['no-such-bucket'], '(NoSuchBucket). Create the bucket'],
    [['refusals', { now }], '(RequestTimeTooSkewed). Its clock'],
  ];
  for (const [given, says] of cases)
    await expect(sink(...given).write([eventNamed('one')])).rejects.toThrow(says);
  expect((await minio.read('refusals')).size).toBe(0);
});

test('20,000 large events are one object', async () => {
  await minio.make('large');
  const detail = { text: 'x'.repeat(2000) };
  const events = Array.from({ length: 20_000 }, (_, at) => ({
    ...eventNamed(`${at}`),
    detail: { ...detail, at },
  }));
  await sink('large').write(events);
  expect((await minio.read('large')).size).toBe(1);
  expect(await actionsIn('large')).toEqual(events.map(({ action }) => action));
});

test('while the bucket or the storage is away events wait, and each is stored once when it is back', async () => {
  const refused: string[] = [];
  let back = Promise.withResolvers<void>();
  const one = sink('comes');
  // Gathered for as short as it goes, since a minute is not waited for here.
  const gather = { ms: 0, atMost: 20_000 };
  const trail = createTrail({
    sinks: [
      {
        ...{ name: 's3', gather },
        async write(events) {
          await one.write(events).catch((error: Error) => {
            refused.push(error.message);
            back.resolve();
            throw error;
          });
        },
      },
    ],
    log: { error() {} },
  });
  trail.record(eventNamed('before'));
  await trail.flush();
  await back.promise;
  expect(refused[0]).toContain('NoSuchBucket');
  await minio.make('comes');
  trail.record(eventNamed('meanwhile'));
  const stored = async (count: number) => {
    while ((await actionsIn('comes')).length < count) await trail.flush();
  };
  await stored(2);
  await minio.kill();
  back = Promise.withResolvers();
  trail.record(eventNamed('killed'));
  await trail.flush();
  await back.promise;
  expect(refused.at(-1)).not.toContain('status');
  await minio.start();
  await stored(3);
  await trail.close();
  expect(await actionsIn('comes').then((all) => all.sort())).toEqual(['before', 'killed', 'meanwhile']);
});
