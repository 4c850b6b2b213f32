import { createHash, createHmac } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { gunzipSync } from 'node:zlib';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type Outbound, outbound } from '../../net/outbound.ts';
import { createTrail } from '../trail.ts';
import { eventNamed } from './event.test-support.ts';
import { s3Sink } from './s3.ts';
import { signedPut } from './signed-put.ts';

const keys = {
  accessKeyId: 'AKIAIOSFODNN7EXAMPLE',
  secretAccessKey: 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY',
};

test('the signature is that of the example of the specification', () => {
  const url = new URL('https://examplebucket.s3.amazonaws.com/test$file.text');
  const given = { date: 'Fri, 24 May 2013 00:00:00 GMT', 'x-amz-storage-class': 'REDUCED_REDUNDANCY' };
  const at = new Date('2013-05-24T00:00:00Z');
  const { authorization } = signedPut(
    { ...keys, region: 'us-east-1' },
    url,
    Buffer.from('Welcome to Amazon S3.'),
    given,
    at,
  );
  expect(authorization).toContain('98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd');
});

let stored: Map<string, string>;
let status: number;
let code: string;
let way: Outbound;
let origin: string;
/** A storage that takes only what is signed: by the headers that came, not by the code that signs. */
const storage = createServer(async (req, res) => {
  const body = await buffer(req);
  const { authorization = '' } = req.headers;
  const [, day, region, signed = '', signature] =
    /Credential=AKIAIOSFODNN7EXAMPLE\/(\d{8})\/([\w-]+)\/s3\/aws4_request,SignedHeaders=([\w;-]+),Signature=(\w+)$/.exec(
      authorization,
    ) ?? [];
  const hash = (text: string | Buffer) => createHash('sha256').update(text).digest('hex');
  const request = [
    ...[req.method, req.url, '', ...signed.split(';').map((name) => `${name}:${req.headers[name]}`), ''],
    ...[signed, hash(body)],
  ].join('\n');
  const toSign = `AWS4-HMAC-SHA256\n${req.headers['x-amz-date']}\n${day}/${region}/s3/aws4_request\n${hash(request)}`;
  let key: string | Buffer = `AWS4${keys.secretAccessKey}`;
  for (const part of [day, region, 's3', 'aws4_request'])
    key = createHmac('sha256', key)
      .update(part ?? '')
      .digest();
  const isRight = signature === createHmac('sha256', key).update(toSign).digest('hex');
  const answer = isRight && region === 'eu-central-1' ? status : 403;
  if (answer === 200) stored.set(req.url ?? '', gunzipSync(body).toString());
  res
    .writeHead(answer)
    .end(answer === 200 ? '' : `<Error><Code>${code}</Code><Message>Secret!</Message></Error>`);
});

beforeEach(async () => {
  [stored, status, code] = [new Map(), 200, 'SlowDown'];
  way = outbound({ policy: { allowPrivate: true } });
  await new Promise<void>((resolve) => storage.listen(0, '127.0.0.1', resolve));
  origin = `http://127.0.0.1:${(storage.address() as AddressInfo).port}`;
});
afterEach(async () => {
  await way.close();
  storage.closeAllConnections();
  await new Promise((resolve) => storage.close(resolve));
});

let ids = 0;
const sink = (more: Partial<typeof keys> = {}) =>
  s3Sink({
    ...{ url: `${origin}/bucket/prefix (a)`, region: 'eu-central-1', ...keys, ...more, fetch: way },
    now: () => Date.UTC(2026, 10, 29, 13, 5, 9),
    newId: () => `id${++ids}`,
  });

test('a batch is an object of JSON lines, named by day and time', async () => {
  await sink().write([eventNamed('one'), eventNamed('two')]);
  const [[name, text] = ['', '']] = stored;
  expect(name).toMatch(/^\/bucket\/prefix%20%28a%29\/2026\/11\/29\/130509-id\d+\.jsonl\.gz$/);
  const lines = text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as object);
  expect(lines).toMatchObject([
    { action: 'one', username: 'alice', detail: { deep: ['ü'] } },
    { action: 'two' },
  ]);
});

test('what is not taken is said, and the same batch comes again under the same name', async () => {
  const one = sink();
  status = 503;
  const batch = [eventNamed('one')];
  await expect(one.write(batch)).rejects.toThrow('status 503');
  status = 200;
  await one.write(batch);
  const before = ids;
  await one.write([...batch]);
  expect([stored.size, ids]).toEqual([1, before]);
  await one.write([eventNamed('two')]);
  expect(stored.size).toBe(2);
  await expect(sink({ secretAccessKey: 'wrong' }).write(batch)).rejects.toThrow('status 403');
});

test.each([
  ['AccessDenied', 'status 403 (AccessDenied). The key needs s3:PutObject'],
  ['NoSuchBucket', 'status 403 (NoSuchBucket). Create the bucket'],
  ['PermanentRedirect', 'AUDIT_S3_REGION'],
  ['RequestTimeTooSkewed', '15 minutes apart'],
  ['SomethingElse', 'status 403 (SomethingElse).'],
  ['<b>', 'status 403.'],
])('a refusal names its code and what to do: %s', async (given, says) => {
  [status, code] = [403, given];
  const refused = sink().write([eventNamed('one')]);
  await expect(refused).rejects.toThrow(says);
  await expect(refused).rejects.not.toThrow('Secret');
});

test('a slash that came encoded is one like the others', async () => {
  await s3Sink({
    ...{ url: `${origin}/bucket/a%2Fb%25`, region: 'eu-central-1', ...keys, fetch: way },
    ...{ now: () => 0, newId: () => 'id' },
  }).write([eventNamed('one')]);
  expect([...stored.keys()]).toEqual(['/bucket/a/b%25/1970/01/01/000000-id.jsonl.gz']);
});

test('events are gathered, and stored when the process ends; who reads the record does not wait for it', async () => {
  const trail = createTrail({ sinks: [{ name: 'database', async write() {} }, sink()], log: { error() {} } });
  for (const name of ['one', 'two', 'three']) trail.record(eventNamed(name));
  await trail.flush();
  expect([stored.size, trail.counts().held]).toEqual([0, 0]);
  await trail.close();
  expect([...stored.values()].join('').match(/"action":"(one|two|three)"/g)).toHaveLength(3);
});
