import { z } from 'zod';
import type { Members, ServerEntry } from '../../contract/files/entry.ts';
import { credentialInput } from '../../contract/servers/server-credentials.ts';
import { type Server, serverInput } from '../../contract/servers/servers.ts';
import { endpointSegment } from '../../contract/values/server-path.ts';
import { t } from '../words/words.ts';

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
  /** The exact URL of its MCP endpoint; empty: `/mcp` or `/sse` at its URL. */
  readonly endpoint: string;
  /** What a file says besides, as the API takes it. */
  readonly more?: { readonly body: Members; readonly custom_headers?: CredentialInput['custom_headers'] };
}

type CredentialInput = z.input<typeof credentialInput>;

/** A field of the form. */
export type DraftField = Exclude<keyof Draft, 'more'>;

/** What is wrong with the fields of a draft, by field. */
export type DraftFaults = Partial<Record<DraftField, string>>;

/** In place of a scheme: no credential for all, since each person signs in to the server with an account of their own. */
export const ownAccounts = 'own_accounts';

/** The form of a server that nobody has said anything about. */
export const emptyDraft: Draft = {
  ...{ server_name: '', path: '', proxy_pass_url: '', description: '', tags: '' },
  ...{ transport: 'streamable-http', auth_scheme: 'none', auth_credential: '', auth_header_name: '' },
  endpoint: '',
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
    endpoint:
      (server.supported_transports.includes('streamable-http') ? server.mcp_endpoint : server.sse_endpoint) ??
      '',
  };
}

/** What a draft says about the server, as the API takes it. */
export function definitionOf(draft: Draft) {
  const list = (text: string) => text.split(',').flatMap((part) => part.trim() || []);
  const transports = list(draft.transport) as Server['supported_transports'];
  const endpoint = draft.endpoint.trim() || null;
  return {
    ...draft.more?.body,
    server_name: draft.server_name.trim(),
    path: draft.path.trim(),
    proxy_pass_url: draft.proxy_pass_url.trim(),
    description: draft.description,
    tags: list(draft.tags),
    supported_transports: transports,
    ...(transports.includes('streamable-http') ? { mcp_endpoint: endpoint } : { sse_endpoint: endpoint }),
  };
}

/** The change of the credential that a draft asks for; undefined when it stays as it is. */
export function credentialOf(draft: Draft, stored: string): CredentialInput | undefined {
  if (draft.auth_scheme === ownAccounts) return undefined;
  const scheme = draft.auth_scheme as 'none' | 'bearer' | 'api_key';
  const custom = draft.more?.custom_headers ? { custom_headers: draft.more.custom_headers } : {};
  if (scheme === stored && draft.auth_credential === '' && !draft.more?.custom_headers) return undefined;
  if (scheme === 'none') return { auth_scheme: 'none', ...custom };
  const header = draft.auth_header_name.trim();
  return {
    auth_scheme: scheme,
    ...(draft.auth_credential ? { auth_credential: draft.auth_credential } : {}),
    ...(header ? { auth_header_name: header } : {}),
    ...custom,
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
    if (field) faults[field] ??= draft[field] === '' ? t('This is needed.') : message;
  }
  if (!['none', ownAccounts, stored].includes(draft.auth_scheme) && draft.auth_credential === '')
    faults.auth_credential = t('This is needed.');
  return faults;
}

/** The field that a fault of the API is about: `body.path`, or the path of an issue. */
export function fieldAt(path: string | readonly PropertyKey[]): DraftField | undefined {
  const [first = ''] = typeof path === 'string' ? path.replace(/^body\./, '').split('.') : path.map(String);
  if (first === 'supported_transports') return 'transport';
  if (first === 'mcp_endpoint' || first === 'sse_endpoint') return 'endpoint';
  return Object.hasOwn(emptyDraft, first) ? (first as DraftField) : undefined;
}

/** What to write as the endpoint of a server that was found at a URL: nothing where the registry would look there anyway. */
export function endpointOf(url: string): string {
  return URL.canParse(url) && endpointSegment(new URL(url)) ? '' : url;
}

/** The form of a server as a file describes it; what the form has no field for goes along. */
export function draftOfEntry({ body, credential }: ServerEntry): Draft {
  const text = (value: unknown) => (typeof value === 'string' ? value : '');
  const list = (value: unknown) => (Array.isArray(value) ? value.map(String).join(', ') : text(value));
  const { server_name, path, proxy_pass_url, description, tags, supported_transports, ...rest } = body;
  const { mcp_endpoint, sse_endpoint, is_enabled: _, ...more } = rest;
  const transport = list(supported_transports) || emptyDraft.transport;
  const [used, other] = transport.includes('streamable-http')
    ? [mcp_endpoint, { sse_endpoint }]
    : [sse_endpoint, { mcp_endpoint }];
  return {
    ...{ server_name: text(server_name), path: text(path), proxy_pass_url: text(proxy_pass_url) },
    ...{ description: text(description), tags: list(tags), transport },
    endpoint: endpointOf(text(used)),
    auth_scheme: credential?.auth_scheme ?? 'none',
    auth_credential: credential?.auth_credential ?? '',
    auth_header_name: credential?.auth_header_name ?? '',
    more: {
      body: { ...more, ...Object.fromEntries(Object.entries(other).filter(([, value]) => value)) },
      ...(credential?.custom_headers ? { custom_headers: [...credential.custom_headers] } : {}),
    },
  };
}
