import { isObject } from '../values/json.ts';
import {
  type FileCredential,
  type Members,
  parsedOr,
  pathFromName,
  Refusal,
  type ServerEntry,
  textOf,
  textsOf,
} from './entry.ts';
import { credentialOf, headerPairs } from './headers.ts';

/** Fields that a registry derives or keeps for itself: they say nothing that a registration could set. */
const derived = new Set([
  ...[
    'id',
    '_id',
    '$schema',
    'num_tools',
    'tool_list',
    'tool_list_json',
    'num_stars',
    'rating_details',
    'is_python',
  ],
  ...['registered_at', 'registered_by', 'updated_at', 'health_status', 'health_reason', 'health_detail'],
  ...[
    'last_checked_iso',
    'mcp_server_version',
    'mcp_server_version_previous',
    'mcp_server_version_updated_at',
  ],
  ...['mcp_protocol_version', 'credential_updated_at', 'custom_header_names', 'auth_credential_encrypted'],
  ...[
    'custom_headers_encrypted',
    'sync_metadata',
    'ans_metadata',
    'versions',
    'default_version',
    'is_active',
  ],
  ...[
    'version_group',
    'other_version_ids',
    'active_version_id',
    'endpoint_url',
    'revision',
    'can',
    'overwrite',
  ],
  ...['security_scan', 'record_kind', 'relevance_score', 'match_context', 'is_proxied', 'proxy_resolved_ips'],
  ...['proxy_target_host', 'proxy_target_url', 'proxy_streaming', 'proxy_disabled_reason', 'trust_verified'],
  ...[
    'enabled',
    'status_message',
    'owner',
    'ard_source_url',
    'token_cost',
    'created_at',
    'favorite',
    'favourite',
  ],
]);

/** Our own fields, taken as they are. */
const own = [
  ...[
    'server_name',
    'path',
    'proxy_pass_url',
    'description',
    'license',
    'mcp_endpoint',
    'sse_endpoint',
    'version',
  ],
  ...['forward_authorization', 'is_enabled'],
];

/** Fields with a meaning of their own, read below. */
const mapped = new Set([
  ...own,
  ...[
    'name',
    'display_name',
    'title',
    'url',
    'tags',
    'external_tags',
    'supported_transports',
    'transport',
    'type',
  ],
  ...[
    'auth_scheme',
    'auth_type',
    'auth_provider',
    'auth_credential',
    'auth_header_name',
    'custom_headers',
    'headers',
  ],
  ...['append_mcp_path', 'visibility', 'allowed_groups', 'status', 'metadata', 'deployment', 'local_runtime'],
  ...['provider', 'provider_organization', 'provider_url', 'source_created_at', 'source_updated_at'],
  ...['egress_auth_mode', 'egress_oauth', 'oauth_client_id', 'oauth_callback_port', 'connect_scope'],
]);

const transportNames: Readonly<Record<string, string>> = {
  'streamable-http': 'streamable-http',
  streamable_http: 'streamable-http',
  streamablehttp: 'streamable-http',
  http: 'streamable-http',
  sse: 'sse',
  'http+sse': 'sse',
};

/** Whether an object describes one server in the fields of a registry. */
export function isServerRegistration(value: Members): boolean {
  return (
    ('proxy_pass_url' in value ||
      'mcp_endpoint' in value ||
      'sse_endpoint' in value ||
      'local_runtime' in value) &&
    !('skills' in value)
  );
}

/**
 * A registration in our own fields or in those of the registry whose setup guide we follow, which writes more and other
 * things into its files: what is derived is ignored, what has a meaning is mapped, what cannot be honoured is refused.
 * Unknown fields stay in the body, so that the schema names them.
 */
export function readServerRegistration(value: Members, at = ''): ServerEntry {
  const notes: string[] = [];
  const serverName =
    textOf(value.server_name) ??
    textOf(value.display_name) ??
    textOf(value.title) ??
    textOf(value.name) ??
    '';
  refuseLocal(value);
  const path = textOf(value.path) ?? (serverName ? pathFromName(serverName) : undefined);
  const body: Record<string, unknown> = {};
  for (const [field, given] of Object.entries(value)) {
    if (given === null || given === undefined || derived.has(field)) continue;
    if (own.includes(field) || !mapped.has(field)) body[field] = given;
  }
  if (serverName) body.server_name = serverName;
  if (path) body.path = path;
  Object.assign(body, addresses(value));
  const tags = [...(textsOf(value.tags) ?? []), ...(textsOf(value.external_tags) ?? [])];
  if (value.tags !== undefined && value.tags !== null && !textsOf(value.tags)) body.tags = value.tags;
  else if (tags.length > 0) body.tags = [...new Set(tags)];
  const transports = transportsOf(value);
  if (transports) body.supported_transports = transports;
  const metadata = metadataOf(value);
  if (metadata !== undefined) body.metadata = metadata;
  notes.push(...visibilityNotes(value, path));
  const { credential, notes: about } = authentication(value, path ?? '');
  return {
    kind: 'server',
    name: serverName || path || 'server',
    at,
    body,
    credential,
    notes: [...notes, ...about],
  };
}

function refuseLocal(value: Members): void {
  const transports = textsOf(value.supported_transports) ?? [];
  if (value.deployment !== 'local' && !isObject(value.local_runtime) && !transports.includes('stdio')) return;
  throw new Refusal(
    'It runs as a program on the machine of its user (stdio), and the gateway reaches servers over HTTP only.',
    'Start it with a Streamable HTTP endpoint, for example behind an stdio bridge, and register that URL.',
  );
}

/** The address is used exactly as given where `append_mcp_path` is false; else `/mcp` is added where it is missing. */
function addresses(value: Members): Members {
  const url =
    textOf(value.proxy_pass_url) ??
    textOf(value.url) ??
    textOf(value.mcp_endpoint) ??
    textOf(value.sse_endpoint);
  if (url === undefined) {
    if ('proxy_pass_url' in value && value.proxy_pass_url === null)
      throw new Refusal(
        'It has no address: the author of the file was not allowed to see where the server is.',
        'Export it again with the permission to modify the server, or add proxy_pass_url.',
      );
    return {};
  }
  const exact = value.append_mcp_path === false && !textOf(value.mcp_endpoint);
  return { proxy_pass_url: url, ...(exact ? { mcp_endpoint: url } : {}) };
}

function transportsOf(value: Members): string[] | undefined {
  const single = textOf(value.transport) ?? textOf(value.type);
  const given =
    value.supported_transports ?? (single && single !== 'auto' && single !== 'remote' ? [single] : undefined);
  const named = textsOf(given);
  if (!named || named.length === 0) return undefined;
  return [...new Set(named.map((name) => transportNames[name.toLowerCase()] ?? name))];
}

function metadataOf(value: Members): unknown {
  const given = parsedOr(value.metadata, value.metadata);
  if (given !== undefined && given !== null && !isObject(given)) return given;
  const provider = isObject(value.provider) ? value.provider : {};
  const organization = textOf(value.provider_organization) ?? textOf(provider.organization);
  const url = textOf(value.provider_url) ?? textOf(provider.url);
  const status = textOf(value.status);
  const added = {
    ...(organization || url
      ? { provider: { ...(organization && { organization }), ...(url && { url }) } }
      : {}),
    ...(status && status !== 'active' ? { status } : {}),
    ...(textOf(value.source_created_at) ? { source_created_at: value.source_created_at } : {}),
    ...(textOf(value.source_updated_at) ? { source_updated_at: value.source_updated_at } : {}),
  };
  if (Object.keys(added).length === 0) return given ?? undefined;
  return { ...added, ...given };
}

function visibilityNotes(value: Members, path: string | undefined): string[] {
  const visibility = textOf(value.visibility) ?? 'public';
  const groups = textsOf(value.allowed_groups) ?? [];
  if (visibility === 'public' && groups.length === 0) return [];
  const who = groups.length > 0 ? ` of the groups ${groups.join(', ')}` : '';
  return [
    `The visibility '${visibility}' is not stored: here scopes decide who sees a server. Grant list_service for ` +
      `'${(path ?? '').replace(/^\/+|\/+$/g, '')}' to the people${who} who can see it; scopes that grant 'all' show it as well.`,
  ];
}

const schemes: Readonly<Record<string, FileCredential['auth_scheme']>> = {
  none: 'none',
  '': 'none',
  bearer: 'bearer',
  bearer_token: 'bearer',
  token: 'bearer',
  api_key: 'api_key',
  apikey: 'api_key',
  'api-key': 'api_key',
  header: 'api_key',
};

function authentication(
  value: Members,
  path: string,
): { credential: FileCredential | null; notes: string[] } {
  const notes: string[] = [];
  const said = (textOf(value.auth_scheme) ?? textOf(value.auth_type) ?? '').toLowerCase();
  const mode = textOf(value.egress_auth_mode) ?? 'none';
  const perPerson = mode !== 'none' && mode !== 'operator_credential';
  const given = [...headerPairs(value.headers), ...headerPairs(value.custom_headers)];
  // Headers beside it are one credential for all.
  if (perPerson || (said.startsWith('oauth') && given.length === 0)) {
    notes.push(
      `The server expects each person's own sign-in (${perPerson ? mode : said}). Set that up after the registration: ` +
        `mcp-gateway connection configure ${path} --help`,
    );
    return { credential: null, notes };
  }
  const scheme = said.startsWith('oauth') ? 'none' : schemes[said];
  if (scheme === undefined)
    throw new Refusal(
      `The authentication '${said}' is not known here.`,
      "Use auth_scheme 'none', 'bearer' or 'api_key', or leave it out and set the credential afterwards.",
    );
  const headers = credentialOf(given, path);
  const custom = headers.credential?.custom_headers;
  const secret = textOf(value.auth_credential);
  const header = textOf(value.auth_header_name);
  if (scheme === 'none' || headers.credential?.auth_scheme === scheme)
    return { credential: headers.credential, notes: [...notes, ...headers.notes] };
  if (secret)
    return {
      credential: {
        auth_scheme: scheme,
        auth_credential: secret.replace(/^Bearer\s+/i, ''),
        ...(header ? { auth_header_name: header } : {}),
        ...(custom ? { custom_headers: custom } : {}),
      },
      notes: [...notes, ...headers.notes],
    };
  notes.push(
    `The file names the authentication '${scheme}' without the secret itself. Set it with: mcp-gateway server credential ` +
      `${path} --auth-scheme ${scheme}${header ? ` --auth-header-name ${header}` : ''} --credential-stdin`,
  );
  return { credential: headers.credential, notes: [...notes, ...headers.notes] };
}
