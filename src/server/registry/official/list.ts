import { z } from 'zod';
import { nameOfPath } from '../../../contract/servers/servers.ts';
import { withoutEndSlashes } from '../../../contract/values/names.ts';
import { endpointsOf } from '../servers/endpoints.ts';
import type { ServerRow } from '../servers/store.ts';

/** The schema that entries follow. */
const schemaUrl = 'https://static.modelcontextprotocol.io/schemas/2025-12-11/server.schema.json';
const metaKey = 'io.modelcontextprotocol.registry/official';

/** What `GET /v0.1/servers` takes (openapi.yaml of the official registry, 2025-12-01). */
export const listQuery = z.object({
  cursor: z.string().max(500).optional(),
  limit: z.coerce.number().int().min(1).max(100).default(30),
  search: z.string().max(200).optional(),
  updated_since: z.iso.datetime({ offset: true }).optional(),
  version: z.string().max(255).optional(),
  include_deleted: z.enum(['true', 'false']).optional(),
});

/** Which part of the registry is asked for. */
export type ListQuery = z.output<typeof listQuery>;

/** A server in the form of the official registry, with its metadata. */
export type OfficialEntry = ReturnType<typeof entryOf>;

/** Writes servers in the form of the official registry, for a gateway at `publicUrl`. */
export function createOfficialView(publicUrl: string) {
  const base = withoutEndSlashes(publicUrl);
  const prefix = reverseHost(new URL(base).hostname);
  const nameOf = (row: ServerRow): string => `${prefix}/${dotted(row.path)}`;
  const entry = (row: ServerRow): OfficialEntry => entryOf(row, nameOf(row), base);
  return {
    /** The entries that the query asks for, by name; `rows` are those that the caller may see. */
    list(rows: readonly ServerRow[], query: ListQuery) {
      const after = query.cursor === undefined ? '' : cursorOf(query.cursor);
      const found = rows
        .map((row) => ({ row, name: nameOf(row) }))
        .filter(({ row, name }) => name > after && matches(row, name, query))
        .sort((a, b) => (a.name < b.name ? -1 : 1));
      const page = found.slice(0, query.limit);
      const last = page.at(-1);
      const more = found.length > page.length && last;
      return {
        servers: page.map(({ row }) => entry(row)),
        metadata: {
          count: page.length,
          ...(more ? { nextCursor: Buffer.from(last.name).toString('base64url') } : {}),
        },
      };
    },
    /** The entry of that name in that version (`latest` is the only one that is kept); undefined when there is none. */
    find(rows: readonly ServerRow[], name: string, version = 'latest'): OfficialEntry | undefined {
      // The registry of the setup guide calls every server by its path below this name.
      const path = /^io\.mcpgateway(\/.+)$/.exec(name)?.[1];
      const row = rows.find((one) => nameOf(one) === name) ?? rows.find((one) => one.path === path);
      if (!row) return undefined;
      return version === 'latest' || version === versionOf(row) ? entry(row) : undefined;
    },
  };
}

/**
 * A server's path where a name may hold no slash: `/team/docs` is `team.docs`. A dot is doubled, so that nobody can register
 * another server under that name; no segment of a path begins with one.
 */
export function dotted(path: string): string {
  return nameOfPath(path).replaceAll('.', '..').replaceAll('/', '.');
}

/** `gateway.example.com` becomes `com.example.gateway`; an address or a single label stays as it is. */
function reverseHost(host: string): string {
  if (/^[\d.]+$/.test(host) || host.includes(':')) return host.replaceAll(/[^a-zA-Z0-9.-]/g, '');
  return host.split('.').reverse().join('.');
}

function cursorOf(cursor: string): string {
  return Buffer.from(cursor, 'base64url').toString();
}

function matches(row: ServerRow, name: string, { search, updated_since, version }: ListQuery): boolean {
  if (version !== undefined && version !== 'latest' && version !== versionOf(row)) return false;
  if (updated_since !== undefined && Date.parse(row.updatedAt) < Date.parse(updated_since)) return false;
  const wanted = search?.trim().toLowerCase() ?? '';
  return name.toLowerCase().includes(wanted) || row.definition.server_name.toLowerCase().includes(wanted);
}

/** Versions must be plain: no ranges, and never `latest`. */
function versionOf({ definition, health }: ServerRow): string {
  const version = definition.version ?? health?.serverVersion ?? '1.0.0';
  return /^[0-9A-Za-z][0-9A-Za-z.+-]*$/.test(version) && version !== 'latest' ? version : '1.0.0';
}

function entryOf(row: ServerRow, name: string, base: string) {
  const { definition, registeredAt, updatedAt } = row;
  const { mcp } = endpointsOf(definition);
  const { registry_name: _, ...metadata } = definition.metadata;
  return {
    server: {
      $schema: schemaUrl,
      name,
      title: definition.server_name.slice(0, 100),
      // Required, and at most 100 characters.
      description: (definition.description || definition.server_name).slice(0, 100),
      version: versionOf(row),
      ...(typeof metadata.website === 'string' ? { websiteUrl: metadata.website } : {}),
      remotes: [{ type: mcp ? 'streamable-http' : 'sse', url: `${base}${row.path}/${mcp ? 'mcp' : 'sse'}` }],
    },
    _meta: {
      [metaKey]: {
        status: metadata.status === 'deprecated' ? 'deprecated' : 'active',
        publishedAt: registeredAt,
        updatedAt,
        isLatest: true,
      },
    },
  };
}
