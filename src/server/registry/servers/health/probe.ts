import type { Output } from '../../../../contract/endpoint.ts';
import { nameOfPath, type serverEndpoints, serverPath } from '../../../../contract/servers/servers.ts';
import { withoutEndSlashes } from '../../../../contract/values/names.ts';
import { endpointSegment } from '../../../../contract/values/server-path.ts';
import type { Access } from '../../../access/caller.ts';
import type { OutboundPolicy } from '../../../net/addresses.ts';
import { assertReachableUrls } from '../../input-faults.ts';
import { endpointsOf } from '../endpoints.ts';
import { detailFor } from '../present.ts';
import type { ServerRow } from '../store.ts';
import { type CheckServer, type Finding, isThere } from './check.ts';

type Probed = Output<(typeof serverEndpoints)['servers.probe']>;
type Transport = Probed['transport'];

/** What a look at an address works with. */
export interface ProbeWorld {
  readonly rows: () => readonly ServerRow[];
  readonly check: CheckServer;
  readonly policy: OutboundPolicy;
  /** How people connect to the server at an address with accounts of their own; null where it does not say. */
  readonly takesAccounts: (url: URL) => Promise<Probed['takes_accounts']>;
}

interface Try {
  readonly url: URL;
  readonly transport: NonNullable<Transport>;
}

/**
 * Looks at an address that is not registered yet: tries it and what lies below it, and suggests how to register it.
 * `access` says of which registered servers the caller may hear.
 */
export async function probe(
  { rows, check, policy, takesAccounts }: ProbeWorld,
  given: string,
  access: Pick<Access, 'may' | 'isAdmin'>,
): Promise<Probed> {
  assertReachableUrls([{ at: 'body.url', url: given }], policy);
  const url = new URL(given);
  const { tried, found } = await firstAnswer(check, triesOf(url));
  const answers = isThere(found);
  const known = rows();
  const name = (found.serverName ?? '') || nameFor(url);
  return {
    status: found.status,
    // Somebody who may register anything must not be able to map the networks around the gateway by it.
    detail: detailFor(found, access.isAdmin),
    transport: answers ? tried.transport : null,
    proxy_pass_url: answers ? tried.url.href : given,
    needs_credential: found.status === 'auth-failing',
    takes_accounts: found.status === 'auth-failing' ? await takesAccounts(tried.url) : null,
    protocol_version: found.protocolVersion,
    server_version: found.serverVersion,
    tools: (found.tools ?? []).map((tool) => ({ name: tool.name, description: tool.description ?? '' })),
    suggested: { server_name: name.slice(0, 200), path: freePath(name, known) },
    duplicates: known
      .filter((row) => access.may('list_service', nameOfPath(row.path)) && leadsTo(row, tried.url))
      .map(({ path, definition }) => ({ path, server_name: definition.server_name })),
  };
}

/** The addresses to try: as given first, then with the usual last segment. */
function triesOf(url: URL): Try[] {
  const last = endpointSegment(url);
  const under = (segment: string): URL => {
    const below = new URL(url);
    below.pathname = `${withoutEndSlashes(url.pathname)}/${segment}`;
    return below;
  };
  const mcp: Try = { url, transport: 'streamable-http' };
  const sse: Try = { url, transport: 'sse' };
  if (last === 'sse') return [sse, mcp];
  if (last === 'mcp') return [mcp];
  return [mcp, { url: under('mcp'), transport: 'streamable-http' }, { url: under('sse'), transport: 'sse' }];
}

async function firstAnswer(
  check: CheckServer,
  tries: readonly Try[],
): Promise<{ tried: Try; found: Finding }> {
  let best: { tried: Try; found: Finding } | undefined;
  for (const tried of tries) {
    const found = await check({
      mcp: tried.transport === 'streamable-http' ? tried.url : null,
      sse: tried.transport === 'sse' ? tried.url : null,
    });
    if (found.status === 'healthy') return { tried, found };
    // What wants a credential is there; an address that cannot be reached will not answer under another path either.
    if (!best || found.status === 'auth-failing') best = { tried, found };
    if (found.status === 'auth-failing' || found.reason === 'unreachable') break;
  }
  if (!best) throw new Error('there is always an address to try');
  return best;
}

function leadsTo(row: ServerRow, url: URL): boolean {
  const { mcp, sse } = endpointsOf(row.definition);
  return mcp?.href === url.href || sse?.href === url.href;
}

function nameFor({ hostname, pathname }: URL): string {
  const segment = pathname.split('/').findLast((part) => part !== '' && !/^(mcp|sse|v\d+)$/.test(part));
  const labels = hostname.split('.').filter((label) => !/^(www|mcp|api|\d+)$/.test(label));
  return segment ?? labels[0] ?? 'server';
}

/** A path made of a name that no server has yet. */
function freePath(name: string, known: readonly ServerRow[]): string {
  const slug = name
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .replaceAll(/^-|-$/g, '')
    .slice(0, 60);
  const base = serverPath.safeParse(`/${slug}`).success ? `/${slug}` : `/${slug || 'mcp'}-server`;
  const taken = new Set(known.map(({ path }) => path));
  let path = base;
  for (let count = 2; taken.has(path); count++) path = `${base}-${count}`;
  return path;
}
