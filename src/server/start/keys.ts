import type { Diagnosis } from '../../contract/diagnosis/doctor.ts';
import type { Config } from '../config/config.ts';
import type { Db } from '../db/tables.ts';
import { type DataKeys, type DataKeysWorld, openDataKeys } from '../identity/kms/data-keys.ts';
import { embeddedKms, type Kms } from '../identity/kms/kms.ts';
import { transitKms } from '../identity/kms/transit.ts';
import { outbound } from '../net/outbound.ts';

/** What keys are opened from. */
export interface KeysWorld {
  readonly db: Db;
  readonly config: Pick<Config, 'secretKey' | 'previousSecretKey' | 'kms' | 'proxy'>;
  readonly log: DataKeysWorld['log'];
  readonly now: () => number;
  readonly waitMs?: number;
}

/** Opens the keys of what is sealed in the database, by the KMS of the settings. */
export async function openKeys({
  config: { secretKey, previousSecretKey, kms: settings, proxy },
  ...world
}: KeysWorld): Promise<{ keys: DataKeys; close: () => Promise<void> }> {
  const secrets: [string, ...string[]] = previousSecretKey ? [secretKey, previousSecretKey] : [secretKey];
  const embedded = embeddedKms(...secrets);
  // The operator names it, so it may be anywhere.
  const policy = { allowPrivate: true };
  const fetch = outbound({ proxy, policy, headersMs: 5_000, totalMs: 10_000, maxBytes: 64 << 10 });
  const find = (name: string): Kms | undefined => {
    const [, mount, key] = /^transit:(.+)\/([^/]+)$/.exec(name) ?? [];
    if (!settings || mount === undefined || key === undefined)
      return name === embedded.name ? embedded : undefined;
    return transitKms({ ...settings, mount, key }, fetch);
  };
  const kms = settings?.wraps ? transitKms(settings, fetch) : embedded;
  try {
    const keys = await openDataKeys({ ...world, kms, find, secrets });
    return { keys, close: () => fetch.close() };
  } catch (error) {
    await fetch.close();
    throw error;
  }
}

/** Asks the KMS whether it would unwrap the data key again, as it has to at the next start. Never throws. */
export async function examineKeys({ check, state }: Pick<DataKeys, 'check' | 'state'>): Promise<Diagnosis> {
  const { kms, count } = state();
  const about = {
    ...{ id: 'kms', group: 'Encryption at rest' },
    why: 'It unwraps the key that seals credentials in the database, at each start.',
  };
  const more =
    count > 1 ? ` ${count} data keys are kept; rotate-secrets deletes those that nothing needs.` : '';
  try {
    await check();
    const what =
      count === 0
        ? 'Secrets in the database are sealed with keys of SECRET_KEY itself, as in the version before. Once every replica runs this one, `mcp-gateway gateway rotate-secrets --new-data-key` makes a data key.'
        : `The data key is wrapped by ${kms === 'embedded' ? 'SECRET_KEY' : `'${kms}'`}.${more}`;
    return { healthy: true, findings: [{ ...about, level: 'ok', what }], credentials: [] };
  } catch (error) {
    const { message } = error as Error;
    const what = `The KMS '${kms}' does not unwrap the data key: ${message}. What runs keeps working, but nothing will start.`;
    const remedy = {
      portal: 'Unseal it, or give the gateway the rights to its key again.',
      command: 'curl $VAULT_ADDR/v1/sys/health',
    };
    return { healthy: false, findings: [{ ...about, level: 'fail', what, remedy }], credentials: [] };
  }
}

/** How long until what another process made is read again after a failure, in milliseconds. */
const againMs = 10_000;

/** Reads the data keys that other processes make, until that succeeds; returns how to stop. */
export function followKeys(
  { reload }: Pick<DataKeys, 'reload'>,
  follow: (changed: () => void) => () => void,
  log: DataKeysWorld['log'],
): () => void {
  let timer: NodeJS.Timeout | undefined;
  const read = (): void => {
    clearTimeout(timer);
    reload().catch((error: unknown) => {
      log.warn({ err: error }, 'the data keys cannot be read; what another process seals is unreadable here');
      timer = setTimeout(read, againMs).unref();
    });
  };
  const stop = follow(read);
  return () => {
    stop();
    clearTimeout(timer);
  };
}
