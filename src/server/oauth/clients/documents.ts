import { LRUCache } from 'lru-cache';
import { z } from 'zod';
import type { Db } from '../../db/tables.ts';
import type { Fetch } from '../../net/outbound.ts';
import {
  type ClientMetadata,
  type ClientStatus,
  clientName,
  findClient,
  isNameTaken,
  type StoredClient,
  storeClient,
} from './clients.ts';
import { faultOfRedirects } from './redirects.ts';

/** A client metadata document that ships with the gateway. */
export interface KnownClient {
  /** The name that scopes may use for it. */
  readonly alias: string;
  readonly name: string;
  /** For networks from which the document cannot be read; undefined where the document alone knows. */
  readonly redirectUris?: readonly string[];
}

/**
 * Programs whose client metadata documents are known, by URL: names for scopes, and copies for closed networks (as
 * published, or as the program itself asks, in autumn 2026). Nothing is trusted for being in this list: it is what their documents say.
 */
const knownClients: Readonly<Record<string, KnownClient>> = {
  'https://claude.ai/oauth/claude-code-client-metadata': {
    alias: 'claude-code',
    name: 'Claude Code',
    redirectUris: ['http://localhost/callback', 'http://127.0.0.1/callback'],
  },
  'https://claude.ai/oauth/mcp-oauth-client-metadata': {
    alias: 'claude',
    name: 'Claude',
    redirectUris: ['https://claude.ai/api/mcp/auth_callback'],
  },
  'https://vscode.dev/oauth/client-metadata.json': {
    alias: 'vscode',
    name: 'Visual Studio Code',
    redirectUris: ['http://127.0.0.1:33418/', 'https://vscode.dev/redirect'],
  },
  'https://chatgpt.com/oauth/client.json': { alias: 'chatgpt', name: 'ChatGPT' },
  'https://chatgpt.com/oauth/codex/client.json': {
    alias: 'codex',
    name: 'Codex',
    redirectUris: ['http://127.0.0.1/callback', 'http://localhost/callback'],
  },
  'https://opencode.ai/oauth/opencode/client.json': { alias: 'opencode', name: 'OpenCode' },
};

/** How long a document is believed, by its own word within these bounds, in milliseconds. */
const believed = { least: 5 * 60_000, most: 24 * 3_600_000 };
/** How long a document that could not be read is left alone, in milliseconds. */
const pause = 60_000;
/** Documents of strangers that are read within a minute at most: each is a request that anybody can cause. */
const strangersAMinute = 30;

/** What client metadata documents are read with. */
export interface DocumentsWorld {
  readonly db: Db;
  /** The way out: public addresses only, no redirects, 10 KB, 5 s. */
  readonly fetch: Fetch;
  readonly now: () => number;
  readonly log: { info(facts: object, text: string): void };
  /** `known`: only the shipped copies count and nothing is fetched. */
  readonly mode: 'open' | 'approval' | 'known' | 'off';
}

/** Finds the client behind an id that is a URL (draft-ietf-oauth-client-id-metadata-document). */
export type FindDocument = (id: string) => Promise<StoredClient | undefined>;

/** Whether an id is the URL of a client metadata document: https, with a path, in its one spelling. */
export function isDocumentUrl(id: string): boolean {
  if (id.length > 500 || !id.startsWith('https://') || !URL.canParse(id)) return false;
  const url = new URL(id);
  return url.href === id && url.pathname !== '/' && !url.hash && !url.username && !url.password;
}

/**
 * Makes the look-up: a document is read at most every five minutes, by one request at a time, and kept in the database, so
 * that clients go on when its host is away for a while. Undefined when there is none that can be used.
 */
export function createDocuments(world: DocumentsWorld): FindDocument {
  const fresh = new LRUCache<string, { until: number }>({ max: 256 });
  const underway = new Map<string, Promise<void>>();
  const strangers: number[] = [];
  const { db, now } = world;
  const at = (): string => new Date(now()).toISOString();

  const renew = async (id: string, before: StoredClient | undefined): Promise<void> => {
    try {
      const { metadata, maxAge } = await readDocument(id, world.fetch);
      await store(id, metadata);
      fresh.set(id, { until: now() + maxAge });
    } catch (error) {
      fresh.set(id, { until: now() + pause });
      const because = { client_id: id, err: error };
      world.log.info(because, 'a client metadata document cannot be used');
      // A copy that is a day old at most, or one that ships with the gateway, is better than none.
      const copy = shippedCopy(id);
      if (before === undefined && copy) await store(id, copy);
    }
  };
  const store = async (id: string, metadata: ClientMetadata): Promise<void> => {
    const status: ClientStatus = world.mode === 'approval' ? 'pending' : 'open';
    const name = knownClients[id]?.alias ?? null;
    // Whom an administrator called so is meant by that name in scopes, and nobody else.
    const alias = name !== null && (await isNameTaken(db, name, id)) ? null : name;
    return storeClient(db, {
      id,
      kind: 'document',
      alias,
      metadata,
      status,
      createdBy: 'the client',
      at: at(),
    });
  };
  const mayAskFor = (before: StoredClient | undefined): boolean => {
    if (before) return true;
    while (strangers[0] !== undefined && strangers[0] < now() - 60_000) strangers.shift();
    return strangers.length < strangersAMinute && strangers.push(now()) > 0;
  };

  return async (id) => {
    if (world.mode === 'off' || !isDocumentUrl(id)) return undefined;
    const before = await findClient(db, id, at());
    if (world.mode === 'known') {
      const copy = shippedCopy(id);
      if (!before && copy) await store(id, copy);
      return copy ? (before ?? findClient(db, id, at())) : undefined;
    }
    const until = fresh.get(id)?.until ?? 0;
    if (now() >= until && mayAskFor(before)) {
      const pending = underway.get(id) ?? renew(id, before).finally(() => underway.delete(id));
      underway.set(id, pending);
      await pending;
    }
    const found = await findClient(db, id, at());
    const age = now() - (found?.fetchedAt ?? 0);
    return found && (age < believed.most || shippedCopy(id)) ? found : undefined;
  };
}

const documentShape = z.looseObject({
  client_id: z.string(),
  client_name: clientName,
  redirect_uris: z.array(z.string()),
  token_endpoint_auth_method: z.enum(['none', 'private_key_jwt']).default('none'),
  jwks: z.looseObject({ keys: z.array(z.looseObject({})).max(10) }).optional(),
  jwks_uri: z.url({ protocol: /^https$/ }).optional(),
});

async function readDocument(id: string, send: Fetch) {
  const response = await send(id, { headers: { accept: 'application/json' } });
  if (response.status !== 200) throw new Error(`its host responds with status ${response.status}`);
  const type = response.headers.get('content-type') ?? '';
  if (!/^application\/(?:[\w.+-]+\+)?json\b/i.test(type)) throw new Error('it is not JSON');
  const metadata = metadataIn(id, (await response.json()) as unknown);
  const said = /(?:^|[\s,])max-age=(\d{1,9})/.exec(response.headers.get('cache-control') ?? '')?.[1];
  const maxAge = Math.min(Math.max(Number(said ?? 3600) * 1000, believed.least), believed.most);
  return { metadata, maxAge };
}

/** The metadata that a document says, once it is about this very client and names no shared secret. */
function metadataIn(id: string, document: unknown): ClientMetadata {
  const read = documentShape.parse(document);
  if (read.client_id !== id) throw new Error('its client_id is not its URL');
  if ('client_secret' in read) throw new Error('it publishes a secret');
  const fault = faultOfRedirects(read.redirect_uris);
  if (fault) throw new Error(fault);
  if (read.token_endpoint_auth_method === 'private_key_jwt' && !read.jwks === !read.jwks_uri)
    throw new Error('it has to name its keys, by jwks or by jwks_uri');
  return {
    client_name: read.client_name,
    redirect_uris: read.redirect_uris,
    grant_types: ['authorization_code', 'refresh_token'],
    token_endpoint_auth_method: read.token_endpoint_auth_method,
    ...(read.jwks ? { jwks: read.jwks } : {}),
    ...(read.jwks_uri ? { jwks_uri: read.jwks_uri } : {}),
  };
}

function shippedCopy(id: string): ClientMetadata | undefined {
  const known = knownClients[id];
  if (!known?.redirectUris) return undefined;
  return {
    client_name: known.name,
    redirect_uris: known.redirectUris,
    grant_types: ['authorization_code', 'refresh_token'],
    token_endpoint_auth_method: 'none',
  };
}
