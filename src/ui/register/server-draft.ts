import { z } from 'zod';
import { credentialInput } from '../../contract/servers/server-credentials.ts';
import { type Server, serverInput } from '../../contract/servers/servers.ts';
import { isObject } from '../../contract/values/json.ts';

// The policy of the pages forbids making code from text, which zod would try.
z.config({ jitless: true });

/** A server as its form holds it: every field a text. */
export interface Draft {
  readonly server_name: string;
  readonly path: string;
  readonly proxy_pass_url: string;
  readonly description: string;
  /** Separated by commas. */
  readonly tags: string;
  readonly transport: string;
  readonly auth_scheme: string;
  /** Empty: what is stored stays. */
  readonly auth_credential: string;
  readonly auth_header_name: string;
}

/** What is wrong with the fields of a draft, by field. */
export type DraftFaults = Partial<Record<keyof Draft, string>>;

/** In place of a scheme: no credential for all, since each person signs in to the server with an account of their own. */
export const ownAccounts = 'own_accounts';

/** The form of a server that nobody has said anything about. */
export const emptyDraft: Draft = {
  ...{ server_name: '', path: '', proxy_pass_url: '', description: '', tags: '' },
  ...{ transport: 'streamable-http', auth_scheme: 'none', auth_credential: '', auth_header_name: '' },
};

/** The form of a server that is registered; its credential is never shown. */
export function draftOf(server: Server): Draft {
  return {
    server_name: server.server_name,
    path: server.path,
    proxy_pass_url: server.proxy_pass_url ?? '',
    description: server.description,
    tags: server.tags.join(', '),
    transport: server.supported_transports.join(', '),
    auth_scheme: server.egress_auth_mode === 'oauth_user' ? ownAccounts : server.auth_scheme,
    auth_credential: '',
    auth_header_name: server.auth_header_name ?? '',
  };
}

/** What a draft says about the server, as the API takes it. */
export function definitionOf(draft: Draft) {
  const list = (text: string) => text.split(',').flatMap((part) => part.trim() || []);
  return {
    server_name: draft.server_name.trim(),
    path: draft.path.trim(),
    proxy_pass_url: draft.proxy_pass_url.trim(),
    description: draft.description,
    tags: list(draft.tags),
    supported_transports: list(draft.transport) as Server['supported_transports'],
  };
}

/** The change of the credential that a draft asks for; undefined when it stays as it is. */
export function credentialOf(draft: Draft, stored: string): z.input<typeof credentialInput> | undefined {
  if (draft.auth_scheme === ownAccounts) return undefined;
  const scheme = draft.auth_scheme as 'none' | 'bearer' | 'api_key';
  if (scheme === stored && draft.auth_credential === '') return undefined;
  if (scheme === 'none') return { auth_scheme: 'none' };
  const header = draft.auth_header_name.trim();
  return {
    auth_scheme: scheme,
    ...(draft.auth_credential ? { auth_credential: draft.auth_credential } : {}),
    ...(header ? { auth_header_name: header } : {}),
  };
}

/** Holds a draft to the schemas of the API; `stored` is the scheme whose credential is there already. */
export function faultsOf(draft: Draft, stored: string): DraftFaults {
  const faults: DraftFaults = {};
  const held = serverInput.safeParse(definitionOf(draft));
  const credential = credentialOf(draft, stored);
  const proven = credential && credentialInput.safeParse(credential);
  for (const { path, message } of [...(held.error?.issues ?? []), ...(proven?.error?.issues ?? [])]) {
    const field = fieldAt(path);
    if (field) faults[field] ??= draft[field] === '' ? 'This is needed.' : message;
  }
  if (!['none', ownAccounts, stored].includes(draft.auth_scheme) && draft.auth_credential === '')
    faults.auth_credential = 'This is needed.';
  return faults;
}

/** The field that a fault of the API is about: `body.path`, or the path of an issue. */
export function fieldAt(path: string | readonly PropertyKey[]): keyof Draft | undefined {
  const [first = ''] = typeof path === 'string' ? path.replace(/^body\./, '').split('.') : path.map(String);
  if (first === 'supported_transports') return 'transport';
  return Object.hasOwn(emptyDraft, first) ? (first as keyof Draft) : undefined;
}

/** What could be read of a configuration: servers that can be registered, and names of those that cannot. */
export interface Imported {
  readonly drafts: readonly Draft[];
  /** Programs that an IDE starts itself, which have no URL. */
  readonly skipped: readonly string[];
}

/** Reads a registration, or the `mcp.json` of an IDE (`mcpServers` or `servers`); throws an Error that says what is wrong. */
export function importDrafts(text: string): Imported {
  const value = parse(text);
  const entries = isObject(value.mcpServers) ? value.mcpServers : value.servers;
  if (!isObject(entries)) {
    if ('proxy_pass_url' in value) return { drafts: [registration(value)], skipped: [] };
    throw new Error('There is neither "mcpServers" nor "servers" nor "proxy_pass_url" in it.');
  }
  const [drafts, skipped]: [Draft[], string[]] = [[], []];
  for (const [name, entry] of Object.entries(entries))
    if (isObject(entry) && typeof entry.url === 'string') drafts.push(entryOf(name, entry, entry.url));
    else skipped.push(name);
  return { drafts, skipped };
}

function parse(text: string): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new Error('This is not JSON. Comments and trailing commas have to go.');
  }
  if (!isObject(value)) throw new Error('This is JSON, but no object.');
  return value;
}

function registration(value: Record<string, unknown>): Draft {
  const text = (key: string) => (typeof value[key] === 'string' ? value[key] : '');
  const list = (key: string) => (Array.isArray(value[key]) ? value[key].map(String).join(', ') : text(key));
  return {
    ...emptyDraft,
    ...{ server_name: text('server_name'), path: text('path'), description: text('description') },
    ...{ proxy_pass_url: text('proxy_pass_url'), tags: list('tags') },
    transport: list('supported_transports') || emptyDraft.transport,
  };
}

function entryOf(name: string, entry: Record<string, unknown>, url: string): Draft {
  const sse = entry.type === 'sse' || /\/sse\/?$/.test(url);
  return {
    ...emptyDraft,
    server_name: name,
    path: `/${name.toLowerCase().replaceAll(/[^a-z0-9._-]+/g, '-')}`,
    proxy_pass_url: url,
    transport: sse ? 'sse' : 'streamable-http',
    ...proofIn(isObject(entry.headers) ? entry.headers : {}),
  };
}

function proofIn(headers: Record<string, unknown>): Partial<Draft> {
  for (const [name, value] of Object.entries(headers)) {
    // A place to be filled in is no credential.
    const given = typeof value === 'string' && !value.includes('${') ? value : '';
    if (/^authorization$/i.test(name))
      return { auth_scheme: 'bearer', auth_credential: given.replace(/^bearer +/i, '') };
    if (/key|token/i.test(name))
      return { auth_scheme: 'api_key', auth_header_name: name, auth_credential: given };
  }
  return {};
}
