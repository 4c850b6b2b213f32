import { type HealthStatus, nameOfPath, type ServerInFull } from '../../../contract/servers/servers.ts';
import { faultOfMetadata } from '../../../contract/values/metadata.ts';
import type { Access } from '../../access/caller.ts';
import { egressModeOf } from './egress.ts';
import { endpointsOf } from './endpoints.ts';
import type { ServerRow } from './store.ts';

/** For whom and where a server is shown. */
export interface Viewpoint {
  readonly access: Access;
  /** The gateway's own URL as clients know it, without a trailing slash. */
  readonly publicUrl: string;
  /** Whether this caller may call a tool of the server. */
  readonly mayCall: (tool: string) => boolean;
}

/** The state of health that is shown of a server. */
export function healthOf({ isEnabled, health }: ServerRow): HealthStatus {
  return isEnabled ? (health?.status ?? 'unknown') : 'disabled';
}

/** A server as the API shows it to one caller: where it is stays hidden from those who may not modify it. */
export function present(row: ServerRow, { access, publicUrl, mayCall }: Viewpoint): ServerInFull {
  const { definition, health } = row;
  const name = nameOfPath(row.path);
  const modify = access.may('modify_service', name);
  return {
    id: row.id,
    server_name: definition.server_name,
    path: row.path,
    proxy_pass_url: modify ? definition.proxy_pass_url : null,
    description: definition.description,
    tags: definition.tags,
    license: definition.license,
    supported_transports: definition.supported_transports,
    mcp_endpoint: modify ? definition.mcp_endpoint : null,
    sse_endpoint: modify ? definition.sse_endpoint : null,
    version: definition.version,
    forward_authorization: definition.forward_authorization,
    pass_headers: definition.pass_headers,
    call_timeout_seconds: definition.call_timeout_seconds,
    auth_scheme: row.credential?.scheme ?? 'none',
    auth_header_name: modify ? (row.credential?.headerName ?? null) : null,
    custom_header_names: modify ? [...(row.credential?.customHeaderNames ?? [])] : [],
    credential_updated_at: row.credential?.updatedAt ?? null,
    egress_auth_mode: egressModeOf(row),
    // What an earlier version took without a limit costs nobody else anything.
    metadata: faultOfMetadata(definition.metadata) ? {} : definition.metadata,
    category: categoryIn(definition.metadata),
    is_enabled: row.isEnabled,
    endpoint_url: `${publicUrl}${row.path}/${endpointsOf(definition).mcp ? 'mcp' : 'sse'}`,
    num_tools: row.tools?.tools.filter((tool) => mayCall(tool.name)).length ?? 0,
    health_status: healthOf(row),
    health_reason: row.isEnabled ? (health?.reason ?? null) : null,
    health_detail: row.isEnabled ? detailFor(health, modify) : null,
    last_checked_iso: health?.checkedAt ?? null,
    mcp_server_version: health?.serverVersion ?? null,
    mcp_protocol_version: health?.protocolVersion ?? null,
    registered_by: row.registeredBy,
    registered_at: row.registeredAt,
    updated_at: row.updatedAt,
    revision: row.revision,
    can: {
      modify,
      toggle: access.may('toggle_service', name),
      delete: access.may('delete_service', name),
      health_check: access.may('health_check_service', name),
    },
  };
}

/** What is said of a server that cannot be reached to those who may not see where it is: its network is not their business. */
const notReachable = 'The server cannot be reached.';

/** Why a server is not healthy, for somebody who may see its address or not. */
export function detailFor(
  found: { readonly reason?: string | null | undefined; readonly detail: string | null } | null,
  mayKnow: boolean,
): string | null {
  if (!found) return null;
  return found.reason === 'unreachable' && !mayKnow ? notReachable : found.detail;
}

/** What is shown of a category at most, in characters. */
const longestCategory = 64;

function categoryIn({ category }: Readonly<Record<string, unknown>>): string | null {
  if (typeof category !== 'string') return null;
  return category.slice(0, longestCategory).trim() || null;
}
