import { resolve } from 'node:path';
import type { Reader } from './settings.ts';

/** What wraps data keys besides what is built in; null where nothing else is set up. */
export interface KmsSettings {
  /** Whether it wraps new data keys too, or only unwraps those of before. */
  readonly wraps: boolean;
  readonly address: string;
  readonly namespace: string;
  readonly mount: string;
  readonly key: string;
  readonly login:
    | { readonly by: 'token'; readonly token: string }
    | { readonly by: 'file'; readonly file: string }
    | { readonly by: 'kubernetes'; readonly role: string; readonly file: string };
}

/** What wraps data keys besides what is built in; null where nothing else is set up. */
export function kmsOf({ value }: Reader, directory: string, faults: string[]): KmsSettings | null {
  const wraps = value('VAULT_KMS') === 'transit';
  const address = value('VAULT_ADDR');
  const login = loginOf({ value }, directory);
  if (!wraps && (address === '' || !login)) return null;
  if (address === '')
    faults.push('VAULT_ADDR: is missing; VAULT_KMS=transit needs the address of OpenBao or Vault');
  if (!login)
    faults.push(
      'VAULT_TOKEN: is missing; VAULT_KMS=transit needs VAULT_TOKEN, VAULT_TOKEN_FILE or VAULT_KUBERNETES_ROLE',
    );
  if (address === '' || !login) return null;
  const [mount, key] = [value('VAULT_TRANSIT_MOUNT'), value('VAULT_TRANSIT_KEY')];
  return { wraps, address, namespace: value('VAULT_NAMESPACE'), mount, key, login };
}

function loginOf({ value }: Pick<Reader, 'value'>, directory: string): KmsSettings['login'] | undefined {
  const [token, file, role] = [
    value('VAULT_TOKEN'),
    value('VAULT_TOKEN_FILE'),
    value('VAULT_KUBERNETES_ROLE'),
  ];
  if (token !== '') return { by: 'token', token };
  if (file !== '') return { by: 'file', file: resolve(directory, file) };
  if (role === '') return undefined;
  return { by: 'kubernetes', role, file: resolve(directory, value('VAULT_KUBERNETES_TOKEN_FILE')) };
}
