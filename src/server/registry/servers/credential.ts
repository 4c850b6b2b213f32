import type { AuthScheme, CredentialInput } from '../../../contract/servers/server-credentials.ts';
import { type Failure, invalidInput } from '../../failure/errors.ts';
import type { Sealer } from '../../identity/sealer.ts';
import type { Credentials } from './route.ts';
import type { ServerRow, StoredCredential } from './store.ts';

/** What is sealed. */
interface Secrets {
  readonly credential: string | null;
  /** In the order of `customHeaderNames`. */
  readonly customValues: readonly string[];
}

type Owner = Pick<ServerRow, 'id' | 'definition' | 'credential'>;

/** The headers that go with every request to a server; null when they are stored but cannot be read. */
export type CredentialsOf = (row: Owner) => Credentials | null;

/** Makes the function that prepares the headers of a server from what the vault holds. */
export function credentialsFrom(vault: Sealer): CredentialsOf {
  return ({ id, definition, credential }) => {
    const forwardAuthorization = definition.forward_authorization;
    const passes = new Set(definition.pass_headers.map((name) => name.toLowerCase()));
    if (!credential) return { headers: [], names: new Set(), forwardAuthorization, passes };
    const secrets = secretsIn(vault, id, credential);
    if (!secrets) return null;
    const headers: string[] = [];
    if (credential.headerName !== null && secrets.credential !== null) {
      const word = credential.scheme === 'bearer' ? 'Bearer ' : '';
      headers.push(credential.headerName, word + secrets.credential);
    }
    for (const [at, name] of credential.customHeaderNames.entries())
      headers.push(name, secrets.customValues[at] ?? '');
    return { headers, names: new Set(namesOf(credential)), forwardAuthorization, passes };
  };
}

/** What is stored after a change; null when nothing is left. Fails with `invalid_input` when a part is missing. */
export function changedCredential(
  vault: Sealer,
  { id, credential: before }: Owner,
  input: CredentialInput,
  at: string,
): StoredCredential | null {
  const { auth_scheme: scheme, auth_credential, auth_header_name, custom_headers } = input;
  const keeps = scheme !== 'none' && auth_credential === undefined;
  if (keeps && before?.scheme !== scheme)
    throw fault('auth_credential', `is missing; the scheme '${scheme}' needs it`);
  const keepsCustom = custom_headers === undefined && (before?.customHeaderNames.length ?? 0) > 0;
  const kept = before && (keeps || keepsCustom) ? secretsIn(vault, id, before) : undefined;
  if ((keeps || keepsCustom) && !kept)
    throw fault(
      keeps ? 'auth_credential' : 'custom_headers',
      'is encrypted with a key that is not available; send it again',
    );
  const next = {
    scheme,
    headerName: headerNameOf(scheme, auth_header_name ?? (keeps ? before?.headerName : undefined)),
    customHeaderNames: keepsCustom
      ? (before?.customHeaderNames ?? [])
      : (custom_headers ?? []).map(({ name }) => name),
  };
  const secrets: Secrets = {
    credential: keeps ? (kept?.credential ?? null) : (auth_credential ?? null),
    customValues: keepsCustom ? (kept?.customValues ?? []) : (custom_headers ?? []).map(({ value }) => value),
  };
  refuseDuplicates(namesOf(next));
  if (scheme === 'none' && next.customHeaderNames.length === 0) return null;
  return { ...next, updatedAt: at, ...vault.seal(id, JSON.stringify(secrets)) };
}

/** The same credential sealed with the vault's present key; undefined when it cannot be opened. */
export function resealed(vault: Sealer, id: string, stored: StoredCredential): StoredCredential | undefined {
  const text = vault.open(id, stored);
  return text === undefined ? undefined : { ...stored, ...vault.seal(id, text) };
}

/** A credential as the audit trail keeps it: names, never values. */
export function credentialForRecord(stored: StoredCredential | null): Record<string, unknown> {
  return {
    auth_scheme: stored?.scheme ?? 'none',
    auth_header_name: stored?.headerName ?? null,
    custom_header_names: stored?.customHeaderNames ?? [],
  };
}

function secretsIn(vault: Sealer, id: string, stored: StoredCredential): Secrets | undefined {
  const text = vault.open(id, stored);
  return text === undefined ? undefined : (JSON.parse(text) as Secrets);
}

function headerNameOf(scheme: AuthScheme, asked: string | null | undefined): string | null {
  if (scheme === 'none') return null;
  return asked ?? (scheme === 'bearer' ? 'Authorization' : 'X-API-Key');
}

function namesOf({
  headerName,
  customHeaderNames,
}: Pick<StoredCredential, 'headerName' | 'customHeaderNames'>): string[] {
  return [...(headerName === null ? [] : [headerName]), ...customHeaderNames].map((name) =>
    name.toLowerCase(),
  );
}

function refuseDuplicates(names: readonly string[]): void {
  const twice = names.find((name, at) => names.indexOf(name) !== at);
  if (twice !== undefined) throw fault('custom_headers', `name the header '${twice}' twice; each goes once`);
}

function fault(field: string, message: string): Failure {
  const at = `body.${field}`;
  return invalidInput([{ at, message }]);
}
