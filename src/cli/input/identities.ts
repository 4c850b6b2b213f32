import { readFile, stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import { textOfFile } from '../../contract/values/file-text.ts';
import type { Terminal } from '../terminal.ts';
import { Trouble } from '../trouble.ts';
import { jsonPlaces } from './json-places.ts';

const members = ['identity_name', 'tenant_id', 'client_id', 'client_secret', 'scope'] as const;

/** An identity of the identities file, as the setup guide has it. */
export type Identity = Readonly<Record<(typeof members)[number], string>>;

/** An entry of the identities file: an identity, or why it is none. */
export type Entry =
  | { readonly name: string; readonly identity: Identity }
  | { readonly name: string; readonly fault: string };

/** What is known of the gateway that the tokens are for. */
export interface ForGateway {
  /** Its Application (client) ID. */
  readonly clientId?: string | undefined;
  readonly tenantId?: string | undefined;
}

/** Reads an identities file; throws a trouble when it is no JSON array, and warns when others can read it. */
export async function readIdentities(
  file: string,
  { cwd }: Pick<Terminal, 'cwd'>,
  gateway: ForGateway,
  warn: (text: string) => void,
): Promise<Entry[]> {
  const text = (await readText(resolve(cwd, file), file, warn)).replace(/^\ufeff/, '');
  const { fault } = jsonPlaces(text);
  if (fault)
    throw new Trouble(
      `${file} is not valid JSON: line ${fault.line}, column ${fault.column}: ${fault.message}.`,
    );
  const list: unknown = JSON.parse(text);
  if (!Array.isArray(list))
    throw new Trouble(`${file} is not a JSON array of identities.`, { remedy: whatItLooksLike });
  return withoutDuplicates(list.map((value, index) => entryOf(value, index, gateway)));
}

const whatItLooksLike =
  'It is a list: [{"identity_name", "tenant_id", "client_id", "client_secret", "scope"}, ...]; examples/entra-identities.json shows one.';

async function readText(path: string, name: string, warn: (text: string) => void): Promise<string> {
  try {
    const { mode } = await stat(path);
    if (process.platform !== 'win32' && (mode & 0o077) !== 0)
      warn(`${name} holds secrets and can be read by others; run: chmod 600 ${name}`);
    return textOfFile(await readFile(path));
  } catch (cause) {
    const code = cause instanceof Error && 'code' in cause ? String(cause.code) : 'unknown error';
    const why = code === 'ENOENT' ? 'does not exist' : `cannot be read (${code})`;
    throw new Trouble(`The identities file ${name} ${why}.`, { cause, remedy: whatItLooksLike });
  }
}

function entryOf(value: unknown, index: number, gateway: ForGateway): Entry {
  const given = typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
  const named = typeof given.identity_name === 'string' && given.identity_name !== '';
  const name = named ? String(given.identity_name) : `entry ${index + 1}`;
  const fault = faultOf(given, gateway);
  return fault === undefined ? { name, identity: given as Identity } : { name, fault };
}

function faultOf(given: Record<string, unknown>, { clientId }: ForGateway): string | undefined {
  const missing = members.filter((member) => typeof given[member] !== 'string' || given[member] === '');
  const right = `api://${clientId ?? '{APP_CLIENT_ID}'}/.default`;
  const where = clientId ? '' : ", with the Application (client) ID of the gateway's registration";
  if (missing.length > 0) {
    const scope = missing.includes('scope') ? `; scope is ${right}${where}` : '';
    return `${missing.join(', ')} ${missing.length === 1 ? 'is' : 'are'} missing or not text${scope}`;
  }
  const { identity_name, tenant_id, client_id, scope } = given as Identity;
  // The name becomes a file name: no folders, nothing that a shell or a file system reads differently.
  if (!/^[A-Za-z0-9._-]{1,200}$/.test(identity_name) || /^\.{1,2}$/.test(identity_name))
    return "identity_name must be letters, digits, '.', '_' and '-' only, because the file is named by it";
  if (!/^[A-Za-z0-9.-]{1,256}$/.test(tenant_id)) return 'tenant_id must be a GUID or a domain name';
  if (!/^\S+\/\.default$/.test(scope)) return `scope must be one that ends in /.default: ${right}${where}`;
  if (scope.toLowerCase() === `api://${client_id}/.default`.toLowerCase() && client_id !== clientId)
    return `scope names the identity itself; the token is for the gateway: ${right}${where}`;
  return undefined;
}

/** Two identities of one name would take each other's file: none of them is taken. */
function withoutDuplicates(entries: readonly Entry[]): Entry[] {
  // Some file systems do not tell case apart.
  const key = ({ name }: Entry): string => name.toLowerCase();
  return entries.map((entry) =>
    'identity' in entry && entries.filter((other) => key(other) === key(entry)).length > 1
      ? { name: entry.name, fault: 'identity_name is there more than once' }
      : entry,
  );
}
