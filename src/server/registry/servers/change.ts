import { type ServerInput, serverInput } from '../../../contract/servers/servers.ts';
import type { Access } from '../../access/caller.ts';
import { Failure, invalidInput } from '../../failure/errors.ts';
import type { OutboundPolicy } from '../../net/addresses.ts';
import { assertReachableUrls, held, urlForRecord } from '../input-faults.ts';
import { type Json, mergePatch } from '../merge-patch.ts';
import { credentialForRecord } from './credential.ts';
import { egressModeOf } from './egress.ts';
import { endpointsOf } from './endpoints.ts';
import type { ServerRow } from './store.ts';

/** What is said about a server after a merge patch, held to the same schema as a registration, as a whole. */
export function patched(row: ServerRow, patch: Record<string, Json>): ServerInput {
  return held(serverInput, mergePatch(row.definition as unknown as Json, patch));
}

/** Refuses what is said about a server when the gateway may not reach one of its URLs; every fault is named. */
export function assertReachable(definition: ServerInput, policy: OutboundPolicy): void {
  const urls = (['proxy_pass_url', 'mcp_endpoint', 'sse_endpoint'] as const).map((field) => ({
    at: `body.${field}`,
    url: definition[field],
  }));
  assertReachableUrls(
    urls.flatMap(({ at, url }) => (url === null ? [] : [{ at, url }])),
    policy,
  );
}

/** Refuses another path: clients, scopes and the audit trail know the server by it. */
export function assertSamePath(row: ServerRow, definition: ServerInput): void {
  if (definition.path === row.path) return;
  const message = `the path stays '${row.path}'; to move the server, register it at '${definition.path}' and remove this one`;
  throw invalidInput([{ at: 'body.path', message }]);
}

/** Whether a change leads calls somewhere else, so that what was known of health and tools no longer holds. */
export function movesEndpoints(before: ServerInput, after: ServerInput): boolean {
  const [old, next] = [endpointsOf(before), endpointsOf(after)];
  return old.mcp?.href !== next.mcp?.href || old.sse?.href !== next.sse?.href;
}

/**
 * Whether a change leads calls to another address than the stored credential and the forwarding of people's own tokens
 * were given for: another origin or, since hosts are shared, another path or query on it. `/mcp` and `/sse` at the end are
 * the two transports of one address.
 */
export function movesAddress(before: ServerInput, after: ServerInput): boolean {
  const addresses = (definition: ServerInput): string[] =>
    [endpointsOf(definition).mcp, endpointsOf(definition).sse].flatMap((url) =>
      url ? `${url.origin}${url.pathname.replace(/\/(?:mcp|sse)\/?$/, '')}${url.search}` : [],
    );
  const known = addresses(before);
  return addresses(after).some((address) => !known.includes(address));
}

/** Refuses to switch on that people's own tokens go to a server, but for administrators: the server can use them. */
export function assertMayForward(
  before: ServerInput | undefined,
  after: ServerInput,
  { isAdmin }: Pick<Access, 'isAdmin'>,
): void {
  if (!after.forward_authorization || before?.forward_authorization || isAdmin) return;
  throw new Failure(
    'not_allowed',
    'Only administrators can enable forward_authorization, because it sends the tokens of users to the server. Leave it out, and ask an administrator.',
  );
}

/** What is said about a server, as the audit trail keeps it: URLs without what may be a key in them. */
export function forRecord(row: ServerRow): Record<string, unknown> {
  const plain = (url: string | null): string | null => url && urlForRecord(url);
  const { definition } = row;
  return {
    ...definition,
    proxy_pass_url: plain(definition.proxy_pass_url),
    mcp_endpoint: plain(definition.mcp_endpoint),
    sse_endpoint: plain(definition.sse_endpoint),
    ...credentialForRecord(row.credential),
    egress_auth_mode: egressModeOf(row),
    is_enabled: row.isEnabled,
    revision: row.revision,
  };
}
