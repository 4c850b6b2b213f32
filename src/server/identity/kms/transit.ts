import { readFile } from 'node:fs/promises';
import { isObject } from '../../../contract/values/json.ts';
import type { KmsSettings } from '../../config/config-keys.ts';
import type { Fetch } from '../../net/outbound.ts';
import { type Kms, KmsFailed } from './kms.ts';

/** The transit engine of OpenBao or HashiCorp Vault (`/v1/transit/encrypt`, `decrypt` and `rewrap`). */
export function transitKms(settings: KmsSettings, send: Fetch): Kms {
  const { mount, key } = settings;
  const ask = async (action: 'encrypt' | 'decrypt' | 'rewrap', body: object, field: string) => {
    const token = await tokenOf(settings, send);
    const data = await post(settings, send, { path: `${mount}/${action}/${key}`, body, token });
    const said = isObject(data.data) ? data.data[field] : undefined;
    if (typeof said !== 'string') throw new KmsFailed(`it did not say '${field}'`, false);
    return said;
  };
  return {
    name: `transit:${mount}/${key}`,
    // With its id, so that one row of the database cannot be put in the place of another.
    wrap(data, id) {
      const plaintext = Buffer.from(`${id} ${data.toString('base64')}`).toString('base64');
      return ask('encrypt', { plaintext }, 'ciphertext');
    },
    async unwrap(ciphertext, id) {
      const plaintext = await ask('decrypt', { ciphertext }, 'plaintext');
      const [holder, data = ''] = Buffer.from(plaintext, 'base64').toString('utf8').split(' ');
      const unwrapped = Buffer.from(data, 'base64');
      if (holder === id && unwrapped.length === 32) return unwrapped;
      throw new KmsFailed('what it unwrapped is another data key than the one asked for', false);
    },
    rewrap: (ciphertext) => ask('rewrap', { ciphertext }, 'ciphertext'),
  };
}

/** A token for one request: files are read anew each time, since agents renew them, and a login lasts for minutes only. */
async function tokenOf(settings: KmsSettings, send: Fetch): Promise<string> {
  const { login } = settings;
  if (login.by === 'token') return login.token;
  const text = await readFile(login.file, 'utf8').catch((cause: NodeJS.ErrnoException) => {
    throw new KmsFailed(`the file ${login.file} cannot be read (${cause.code})`, false, cause);
  });
  if (login.by === 'file') return text.trim();
  const body = { role: login.role, jwt: text.trim() };
  const { auth } = await post(settings, send, { path: 'auth/kubernetes/login', body });
  if (isObject(auth) && typeof auth.client_token === 'string') return auth.client_token;
  throw new KmsFailed('its login by Kubernetes gave no token', false);
}

async function post(
  { address, namespace }: KmsSettings,
  send: Fetch,
  asked: { readonly path: string; readonly body: object; readonly token?: string },
): Promise<Readonly<Record<string, unknown>>> {
  const headers = {
    'content-type': 'application/json',
    'x-vault-request': 'true',
    ...(asked.token === undefined ? {} : { 'x-vault-token': asked.token }),
    ...(namespace === '' ? {} : { 'x-vault-namespace': namespace }),
  };
  let response: Response;
  let said: unknown;
  try {
    const body = JSON.stringify(asked.body);
    response = await send(`${address}/v1/${asked.path}`, { method: 'POST', headers, body });
    said = await response.json().catch(() => undefined);
  } catch (cause) {
    throw new KmsFailed(`it cannot be reached at VAULT_ADDR: ${(cause as Error).message}`, true, cause);
  }
  if (response.ok && isObject(said)) return said;
  const { status } = response;
  const words = isObject(said) && Array.isArray(said.errors) ? said.errors : [];
  const because = words
    .filter((one) => typeof one === 'string')
    .join('; ')
    .replaceAll(/[^\x20-\x7e]+/g, ' ')
    .trim()
    .slice(0, 300);
  // Sealed, standby without a leader, over a limit: none of that is about what was asked.
  const isAway = status >= 500 || status === 429 || status === 412 || status === 472 || status === 473;
  const remedy = asked.token === undefined && !isAway ? loginRemedy : (remedies[status] ?? '');
  throw new KmsFailed(
    `it refused ${asked.path} with status ${status}${because === '' ? '' : ` (${because})`}${remedy}`,
    isAway,
  );
}

const loginRemedy =
  '; VAULT_KUBERNETES_ROLE has to be a role of auth/kubernetes that is bound to the service account of the pod';

const remedies: Readonly<Record<number, string>> = {
  400: '; look at VAULT_TRANSIT_KEY and at the minimum decryption version of that key',
  403: '; the token may have ended, it needs `update` on encrypt, decrypt and rewrap of the key, and key and mount have to be there',
  404: '; look at VAULT_TRANSIT_MOUNT and VAULT_NAMESPACE',
  503: '; it is sealed',
};
