import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Pair } from '../../src/server/net/connector.test-support.ts';
import { freePort } from '../harness.ts';
import { type Child, startChild } from './child.ts';

/** A real OpenBao on loopback, initialized and unsealed, with its data in a folder. */
export interface OpenBao {
  readonly address: string;
  /** The token that may do everything. */
  readonly root: string;
  /** Asks its API; fails with what it says unless that went well. */
  ask(
    path: string,
    body?: object,
    more?: { readonly method?: string; readonly namespace?: string },
  ): Promise<Said>;
  /** A token with these policies. */
  token(...policies: string[]): Promise<string>;
  seal(): Promise<void>;
  unseal(): Promise<void>;
  kill(): Promise<void>;
  /** Starts it again, sealed as it always is then. */
  start(): Promise<void>;
}

interface Said {
  readonly data?: Readonly<Record<string, unknown>>;
  readonly auth?: { readonly client_token: string };
}

/** Starts it with an empty folder; with a certificate for `localhost` it serves by TLS. */
export async function startOpenBao(file: string, folder: string, tls?: Pair): Promise<OpenBao> {
  const [port, clusterPort] = [await freePort(), await freePort()];
  const address = tls ? `https://localhost:${port}` : `http://127.0.0.1:${port}`;
  const [cert, key] = [join(folder, 'cert.pem'), join(folder, 'key.pem')];
  if (tls) {
    writeFileSync(cert, tls.cert);
    writeFileSync(key, tls.key);
  }
  const config = join(folder, 'openbao.hcl');
  writeFileSync(
    config,
    `storage "raft" {
  path    = "${folder}"
  node_id = "one"
}
listener "tcp" {
  address     = "127.0.0.1:${port}"
  ${tls ? `tls_cert_file = "${cert}"\n  tls_key_file = "${key}"` : 'tls_disable = true'}
}
api_addr     = "${address}"
cluster_addr = "https://127.0.0.1:${clusterPort}"
`,
  );
  let child: Child;
  let root = '';
  const start = async (): Promise<void> => {
    child = await startChild(file, ['server', '-config', config], {
      address: `${address}/v1/sys/seal-status`,
    });
  };
  const ask: OpenBao['ask'] = async (path, body, { method = body ? 'POST' : 'GET', namespace } = {}) => {
    const answer = await fetch(`${address}/v1/${path}`, {
      method,
      headers: {
        ...(root === '' ? {} : { 'x-vault-token': root }),
        ...(namespace === undefined ? {} : { 'x-vault-namespace': namespace }),
      },
      ...(body ? { body: JSON.stringify(body) } : {}),
    });
    const said = await answer.text();
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${said}`);
    return said === '' ? {} : (JSON.parse(said) as Said);
  };
  await start();
  const made = (await ask('sys/init', { secret_shares: 1, secret_threshold: 1 }, { method: 'PUT' })) as {
    keys: [string];
    root_token: string;
  };
  const unseal = async (): Promise<void> => {
    await ask('sys/unseal', { key: made.keys[0] }, { method: 'PUT' });
    // A moment later it leads its cluster of one.
    for (;;) {
      const answer = await fetch(`${address}/v1/sys/health`);
      await answer.body?.cancel();
      if (answer.ok) return;
      await delay(50);
    }
  };
  await unseal();
  root = made.root_token;
  return {
    ...{ address, root, ask, unseal, start },
    async token(...policies) {
      const { auth } = await ask('auth/token/create', { policies, no_default_policy: true });
      return auth?.client_token ?? '';
    },
    seal: async () => void (await ask('sys/seal', {}, { method: 'PUT' })),
    kill: () => child.kill(),
  };
}
