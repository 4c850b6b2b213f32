/**
 * Addresses of the registry whose setup guide we follow that are not here, with what to use instead
 * (docs/deploy/from-another-registry.md has the same). The first that fits counts.
 */
export const elsewhere: readonly (readonly [prefix: string, instead: string])[] = [
  ['/api/register', 'Use POST /api/servers.'],
  ['/api/toggle', 'Use POST /api/servers/{path}/toggle with {"enabled": true}.'],
  ['/api/edit', 'Use PATCH /api/servers/{path}.'],
  ['/api/server_details', 'Use GET /api/servers/{path}.'],
  ['/api/refresh', 'Use POST /api/servers/{path}/health.'],
  ['/api/tool-catalog', 'Use GET /api/tools/all.'],
  [
    '/api/admin/tokens',
    'Use POST /api/management/iam/users/m2m, or POST /api/tokens/generate in a browser session.',
  ],
  ['/api/auth/login', 'Open /login in a browser, or use `mcp-gateway auth login`.'],
  ['/api/auth/auth', 'Open /login in a browser, or use `mcp-gateway auth login`.'],
  ['/api/auth/logout', 'Use POST /logout in a browser session, or DELETE /api/sessions/{id}.'],
  ['/api/auth/config', 'Use GET /api/auth/providers.'],
  [
    '/api/iam/user-groups',
    'The groups of a person come from the identity provider; those of an agent can be set at /api/iam/m2m-clients.',
  ],
  ['/api/health', 'Use GET /healthz, or GET /api/servers/health; GET /api/servers/events sends changes.'],
  ['/api/stats', 'Use GET /api/system.'],
  [
    '/api/config',
    'Use GET /api/version and GET /api/auth/providers; `mcp-gateway gateway config` shows both.',
  ],
  ['/api/logs', 'The log is what the gateway prints; see docs/operations.md.'],
  ['/api/audit/statistics', 'Use GET /api/audit/summary or GET /api/usage.'],
  ['/api/audit/executive-summary', 'Use GET /api/audit/summary or GET /api/usage.'],
  ['/api/audit/filter-options', 'Use GET /api/audit/facets.'],
  ['/api/skills', 'This registry has servers, agents and virtual servers; it has no skills.'],
  [
    '/api/custom-types',
    'This registry has servers, agents and virtual servers; it has no types of your own.',
  ],
  ['/api/custom', 'This registry has servers, agents and virtual servers; it has no types of your own.'],
  [
    '/api/federation',
    'Registries are not joined here; `mcp-gateway gateway export` and `import` carry entries over.',
  ],
  [
    '/api/v1/federation',
    'Registries are not joined here; `mcp-gateway gateway export` and `import` carry entries over.',
  ],
  [
    '/api/peers',
    'Registries are not joined here; `mcp-gateway gateway export` and `import` carry entries over.',
  ],
  ['/api/internal', 'Nothing inside is called over HTTP; use the endpoints below /api/servers with a token.'],
];

/** Where to go instead of an address that is not here; undefined for one that nobody has. */
export function insteadOf(pathname: string): string | undefined {
  return elsewhere.find(([prefix]) => pathname === prefix || pathname.startsWith(`${prefix}/`))?.[1];
}
