import { serverPath } from '../values/server-path.ts';

/** A JSON object of which nothing else is known yet. */
export type Members = Readonly<Record<string, unknown>>;

/** A credential as `PATCH /api/servers/{path}/auth-credential` takes it. */
export interface FileCredential {
  readonly auth_scheme: 'none' | 'bearer' | 'api_key';
  readonly auth_credential?: string;
  readonly auth_header_name?: string;
  readonly custom_headers?: readonly { readonly name: string; readonly value: string }[];
}

/** A server as a file describes it, in the fields of our own registration; not validated yet. */
export interface ServerEntry {
  readonly kind: 'server';
  /** What the file calls it. */
  readonly name: string;
  /** Where in the file it stands, as a path joined with dots; empty for the whole file. */
  readonly at: string;
  readonly body: Members;
  readonly credential: FileCredential | null;
  /** What the reader should know: fields that were mapped or set aside, credentials still to be set. */
  readonly notes: readonly string[];
}

/** An A2A agent as a file describes it: a registration in the wrapped form. */
export interface AgentEntry {
  readonly kind: 'agent';
  readonly name: string;
  readonly at: string;
  readonly body: Members;
  readonly notes: readonly string[];
}

/** A scope (group definition) as a file describes it. */
export interface ScopeEntry {
  readonly kind: 'scope';
  readonly name: string;
  readonly at: string;
  readonly body: Members;
  readonly notes: readonly string[];
}

/** A virtual server as a file describes it. */
export interface VirtualServerEntry {
  readonly kind: 'virtual_server';
  readonly name: string;
  readonly at: string;
  readonly body: Members;
  readonly notes: readonly string[];
}

/** Whose credentials go to a server (`POST /api/servers/{path}/egress-auth`), as an export holds it. */
export interface EgressEntry {
  readonly kind: 'egress';
  readonly name: string;
  readonly at: string;
  /** The server's path. */
  readonly path: string;
  readonly body: Members;
  readonly notes: readonly string[];
}

/** Something in the file that cannot be taken, and what to do instead. */
export interface RefusedEntry {
  readonly kind: 'refused';
  readonly name: string;
  readonly at: string;
  readonly reason: string;
  readonly remedy: string;
}

/** One thing that a file describes. */
export type FileEntry =
  | ServerEntry
  | AgentEntry
  | ScopeEntry
  | VirtualServerEntry
  | EgressEntry
  | RefusedEntry;

/** Stops the reading of one entry: it cannot be taken, with the reason and what to do. */
export class Refusal extends Error {
  readonly remedy: string;
  constructor(reason: string, remedy: string) {
    super(reason);
    this.remedy = remedy;
  }
}

/** The text of a value that is one and not blank. */
export function textOf(value: unknown): string | undefined {
  return typeof value === 'string' && value.trim() !== '' ? value.trim() : undefined;
}

/** A list of texts, given as a list, as JSON in a text, or separated by commas; undefined when it is none of these. */
export function textsOf(value: unknown): string[] | undefined {
  if (typeof value === 'string') {
    const parsed = value.trim().startsWith('[') ? parsedOr(value, undefined) : undefined;
    return Array.isArray(parsed)
      ? textsOf(parsed)
      : value
          .split(',')
          .map((part) => part.trim())
          .filter(Boolean);
  }
  return Array.isArray(value) && value.every((part) => typeof part === 'string') ? value : undefined;
}

/** What a text holds as JSON; the value itself when it is no text, `otherwise` when it is no JSON. */
export function parsedOr<T>(value: unknown, otherwise: T): unknown {
  if (typeof value !== 'string') return value;
  try {
    return JSON.parse(value) as unknown;
  } catch {
    return otherwise;
  }
}

/** A path from a name: `Data Catalogue (v2)` becomes `/data-catalogue-v2`; one that the gateway uses itself gets `-server`. */
export function pathFromName(name: string): string {
  const slug = name
    .normalize('NFKD')
    .replace(/\p{M}+/gu, '')
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-+|-+$/g, '')
    .slice(0, 100);
  const path = `/${slug || 'server'}`;
  return serverPath.safeParse(path).success ? path : `${path}-server`;
}

/** Reads entry after entry; one that cannot be taken costs itself alone. */
export function entryOr(place: { name: string; at: string }, read: () => FileEntry): FileEntry {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    return { kind: 'refused', ...place, reason: error.message, remedy: error.remedy };
  }
}
