import type { z } from 'zod';
import { type EgressInput, egressInput, type serverEgress } from '../../../contract/servers/server-egress.ts';
import { withoutEndSlashes } from '../../../contract/values/names.ts';
import type { Access } from '../../access/caller.ts';
import type { Db } from '../../db/tables.ts';
import { callbackOf, callbackPath } from '../../egress/clients.ts';
import { endOf, statusOf } from '../../egress/renew.ts';
import { type EgressLimits, type EgressSettings, settingsFrom, widens } from '../../egress/settings.ts';
import { findDiscovery } from '../../egress/store.ts';
import type { ConnectionVault } from '../../egress/vault.ts';
import { Failure, invalidInput } from '../../failure/errors.ts';
import type { OutboundPolicy } from '../../net/addresses.ts';
import { assertReachableUrls } from '../input-faults.ts';
import { endpointsOf } from './endpoints.ts';
import type { ServerRow } from './store.ts';

/** What the arrangement of a server's credentials is checked with. */
export interface EgressWorld {
  readonly vault: ConnectionVault;
  readonly limits: EgressLimits;
  readonly policy: OutboundPolicy;
  readonly publicUrl: string;
}

/**
 * How a server's credentials are arranged after a change: null where they are the operator's or nobody's. Only
 * administrators may let people's own credentials go to a server, or let them do more there.
 */
export function changedEgress(
  world: EgressWorld,
  row: Pick<ServerRow, 'id' | 'credential' | 'egress'>,
  input: EgressInput,
  { isAdmin }: Pick<Access, 'isAdmin'>,
): EgressSettings | null {
  const mode = input.egress_auth_mode;
  assertCredentialFits(mode, row);
  const after =
    mode === 'none' || mode === 'operator_credential'
      ? null
      : settingsFrom(world.vault, row.id, { ...input, egress_auth_mode: mode }, row.egress, world.limits);
  if (!isAdmin && widens(row.egress, after))
    throw new Failure(
      'not_allowed',
      "Only administrators can have people's own credentials sent to a server, or extend their rights there. Ask an administrator.",
    );
  const urls = (['custom_authorize_url', 'custom_token_url', 'custom_issuer'] as const).flatMap((field) => {
    const url = after?.[field];
    return url ? [{ at: `body.${field}`, url }] : [];
  });
  assertReachableUrls(urls, world.policy);
  return after;
}

function assertCredentialFits(
  mode: EgressInput['egress_auth_mode'],
  row: Pick<ServerRow, 'credential'>,
): void {
  const hasOne = row.credential !== null && row.credential.scheme !== 'none';
  if (mode === 'operator_credential' && !hasOne)
    throw fault(
      'no credential is stored for this server; set one (PATCH /api/servers/{path}/auth-credential)',
    );
  if (mode === 'none' && hasOne)
    throw fault("a credential is stored for this server; remove it first, or say 'operator_credential'");
}

function fault(message: string): Failure {
  const at = 'body.egress_auth_mode';
  return invalidInput([{ at, message }]);
}

/** The mode of a server. */
export function egressModeOf({
  egress,
  credential,
}: Pick<ServerRow, 'egress' | 'credential'>): EgressInput['egress_auth_mode'] {
  if (egress) return egress.egress_auth_mode;
  return credential && credential.scheme !== 'none' ? 'operator_credential' : 'none';
}

/** How a server's credentials are arranged, as the API shows it. */
export async function presentEgress(
  { db, now, publicUrl }: { readonly db: Db; readonly now: () => number; readonly publicUrl: string },
  row: ServerRow,
): Promise<z.input<typeof serverEgress>> {
  const base = withoutEndSlashes(publicUrl);
  const { client_secret, ...said } = row.egress ?? {
    ...withoutSecret(egressInput.parse({ egress_auth_mode: egressModeOf(row) })),
    client_secret: null,
  };
  return {
    ...said,
    has_client_secret: client_secret !== null,
    callback_url: `${base}${row.egress ? callbackOf({ id: row.id, settings: row.egress }) : callbackPath}`,
    connect_url: `${base}/oauth2/egress/connect?server=${encodeURIComponent(row.path)}`,
    lists_connection: row.egress?.discovery === 'person' ? await listsConnection(db, row, now()) : null,
  };
}

async function listsConnection(
  db: Db,
  row: ServerRow,
  now: number,
): Promise<z.input<typeof serverEgress>['lists_connection']> {
  const { mcp, sse } = endpointsOf(row.definition);
  const [held, url] = [await findDiscovery(db, row.id), mcp ?? sse];
  if (!held || !url || !row.egress) return null;
  const end = endOf(held);
  return {
    ...{ username: held.username, account: held.account },
    status: statusOf({ id: row.id, name: row.path, settings: row.egress, url }, held, now),
    ends_at: end === null ? null : new Date(end).toISOString(),
  };
}

function withoutSecret({ client_secret: _, ...rest }: EgressInput): Omit<EgressInput, 'client_secret'> {
  return rest;
}

/** The arrangement as the audit trail keeps it: that there is a secret, never the secret. */
export function egressForRecord(row: ServerRow): Record<string, unknown> {
  if (!row.egress) return { egress_auth_mode: egressModeOf(row) };
  const { client_secret, ...said } = row.egress;
  return { ...said, has_client_secret: client_secret !== null };
}
