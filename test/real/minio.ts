import { createHash, createHmac } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Pair } from '../../src/server/net/connector.test-support.ts';
import { freePort } from '../harness.ts';
import { type Child, startChild } from './child.ts';

/** A real MinIO on loopback with its data in a folder. */
export interface Minio {
  readonly origin: string;
  readonly region: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  make(bucket: string): Promise<void>;
  /** Deletes a bucket with nothing in it. */
  remove(bucket: string): Promise<void>;
  /** The objects of a bucket by their names, as whoever downloads them reads them: unpacked by their content encoding. */
  read(bucket: string): Promise<Map<string, string>>;
  kill(): Promise<void>;
  start(): Promise<void>;
}

/** Starts it with an empty folder; with a certificate for `localhost` it serves by TLS. */
export async function startMinio(file: string, folder: string, tls?: Pair): Promise<Minio> {
  const address = `${tls ? 'localhost' : '127.0.0.1'}:${await freePort()}`;
  const [origin, region] = [`${tls ? 'https' : 'http'}://${address}`, 'eu-central-1'];
  const certificates = join(folder, 'certificates');
  mkdirSync(certificates);
  if (tls) {
    writeFileSync(join(certificates, 'public.crt'), tls.cert);
    writeFileSync(join(certificates, 'private.key'), tls.key);
  }
  const [accessKeyId, secretAccessKey] = ['AKIAREALTEST', 'a+secret/of=this test'];
  const env = {
    ...{ MINIO_ROOT_USER: accessKeyId, MINIO_ROOT_PASSWORD: secretAccessKey, MINIO_SITE_REGION: region },
    ...{ MINIO_BROWSER: 'off', HOME: folder },
  };
  let child: Child;
  const start = async (): Promise<void> => {
    const args = [
      'server',
      join(folder, 'data'),
      '--address',
      address,
      '--certs-dir',
      certificates,
      '--quiet',
    ];
    child = await startChild(file, args, { address: `${origin}/minio/health/live`, env });
    // What is away for a moment after the start.
    while (!(await fetch(`${origin}/minio/health/cluster`).catch(() => undefined))?.ok);
  };
  /** Signed by this file alone, with the query too (AWS Signature Version 4). */
  const ask = async (method: string, path: string, query = ''): Promise<string> => {
    const time = new Date().toISOString().replace(/[-:]|\.\d+/g, '');
    const scope = `${time.slice(0, 8)}/${region}/s3/aws4_request`;
    const empty = createHash('sha256').digest('hex');
    const named = 'host;x-amz-content-sha256;x-amz-date';
    const request = `${method}\n${path}\n${query}\nhost:${address}\nx-amz-content-sha256:${empty}\nx-amz-date:${time}\n\n${named}\n${empty}`;
    const toSign = `AWS4-HMAC-SHA256\n${time}\n${scope}\n${createHash('sha256').update(request).digest('hex')}`;
    let key: string | Buffer = `AWS4${secretAccessKey}`;
    for (const part of scope.split('/')) key = createHmac('sha256', key).update(part).digest();
    const signature = createHmac('sha256', key).update(toSign).digest('hex');
    const by = `Credential=${accessKeyId}/${scope}, SignedHeaders=${named}, Signature=${signature}`;
    const answer = await fetch(`${origin}${path}${query === '' ? '' : `?${query}`}`, {
      method,
      headers: {
        'x-amz-content-sha256': empty,
        'x-amz-date': time,
        authorization: `AWS4-HMAC-SHA256 ${by}`,
      },
    });
    const said = await answer.text();
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${said}`);
    return said;
  };
  await start();
  return {
    ...{ origin, region, accessKeyId, secretAccessKey, start },
    make: async (bucket) => void (await ask('PUT', `/${bucket}`)),
    remove: async (bucket) => void (await ask('DELETE', `/${bucket}`)),
    async read(bucket) {
      const list = await ask('GET', `/${bucket}`, 'encoding-type=url&list-type=2');
      const found = new Map<string, string>();
      for (const [, key = ''] of list.matchAll(/<Key>([^<]*)<\/Key>/g)) {
        const name = decodeURIComponent(key.replaceAll('+', ' '));
        const encoded = encodeURIComponent(name)
          .replace(/[!'()*]/g, (one) => `%${one.charCodeAt(0).toString(16).toUpperCase()}`)
          .replaceAll('%2F', '/');
        found.set(name, await ask('GET', `/${bucket}/${encoded}`));
      }
      return found;
    },
    kill: () => child.kill(),
  };
}
