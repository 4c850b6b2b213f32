import type { HealthStatus, Server, Tool } from '../../contract/servers/servers.ts';
import type { Paint, Style } from './output.ts';
import { fields, table } from './table.ts';

const styles: Readonly<Record<HealthStatus, Style | undefined>> = {
  healthy: 'green',
  unhealthy: 'red',
  'auth-failing': 'red',
  disabled: 'dim',
  unknown: 'yellow',
};

/** How a server's health is painted. */
export function healthStyle({ health_status }: Pick<Server, 'health_status'>): Style | undefined {
  return styles[health_status];
}

/** Servers as a table. */
export function serverTable(servers: readonly Server[], room: number | undefined, paint: Paint): string {
  return table(
    servers,
    [
      { title: 'PATH', show: (server) => server.path },
      { title: 'NAME', show: (server) => server.server_name },
      { title: 'ENABLED', show: (server) => (server.is_enabled ? 'yes' : 'no') },
      { title: 'HEALTH', show: (server) => server.health_status, style: healthStyle },
      { title: 'TOOLS', show: (server) => String(server.num_tools) },
      { title: 'DESCRIPTION', show: (server) => server.description },
    ],
    room,
    paint,
  );
}

/** One server in full. */
export function serverFields(server: Server, paint: Paint): string {
  return fields(
    [
      ['Name', server.server_name],
      ['Path', server.path],
      ['Connect to', server.endpoint_url],
      ['Forwards to', server.proxy_pass_url],
      ['MCP endpoint', server.mcp_endpoint],
      ['SSE endpoint', server.sse_endpoint],
      ['Transports', server.supported_transports.join(', ')],
      ['Description', server.description],
      ['Tags', server.tags.join(', ')],
      ['License', server.license],
      ['Version', server.version ?? server.mcp_server_version],
      ['MCP protocol', server.mcp_protocol_version],
      ['Credential', credentialWords(server)],
      ['Enabled', server.is_enabled],
      ['Health', [server.health_status, server.health_detail].filter(Boolean).join(': ')],
      ['Checked', server.last_checked_iso],
      ['Tools', server.num_tools],
      ['Registered', `${server.registered_at} by ${server.registered_by}`],
      ['Changed', server.updated_at],
      ['Revision', server.revision],
    ],
    paint,
  );
}

function credentialWords(server: Server): string | null {
  const names = [server.auth_header_name, ...server.custom_header_names].filter((name) => name !== null);
  const where = names.length > 0 ? ` in ${names.join(', ')}` : '';
  return server.credential_updated_at === null
    ? null
    : `${server.auth_scheme}${where}, set ${server.credential_updated_at}`;
}

/** Tools as a table, each described by the first line of its description. */
export function toolTable(tools: readonly Tool[], room: number | undefined, paint: Paint): string {
  return table(
    tools,
    [
      { title: 'TOOL', show: (tool) => tool.name },
      {
        title: 'DESCRIPTION',
        show: (tool) => (tool.description ?? tool.title ?? '').trim().split('\n')[0] ?? '',
      },
    ],
    room,
    paint,
  );
}
