// biome-ignore-all lint/suspicious/noTemplateCurlyInString: placeholders of clients look like this
import { describe, expect, test } from 'vitest';
import { serverInput } from '../servers/servers.ts';
import type { FileEntry, ServerEntry } from './entry.ts';
import { FileFault, readRegistryFile } from './read.ts';

const only = (value: unknown): FileEntry => {
  const entries = readRegistryFile(typeof value === 'string' ? value : JSON.stringify(value));
  expect(entries).toHaveLength(1);
  return entries[0]!;
};
const server = (value: unknown): ServerEntry => {
  const entry = only(value);
  if (entry.kind !== 'server') throw new Error(`not a server: ${JSON.stringify(entry)}`);
  expect(
    serverInput.extend({ is_enabled: serverInput.shape.forward_authorization }).safeParse(entry.body).error,
  ).toBe(undefined);
  return entry;
};
const url = 'http://127.0.0.1:9310/sess/mcp';

describe('registrations of the registry whose guide we follow', () => {
  const minimal = { server_name: 'Tools', path: '/kit', proxy_pass_url: url };

  test.each<[string, object, object]>([
    [
      'derived fields are ignored',
      {
        num_tools: 3,
        tool_list: [{ name: 'a' }],
        num_stars: 2,
        is_python: true,
        health_status: 'healthy',
        id: 'x',
        registered_at: 'y',
      },
      {},
    ],
    ['tags as text', { tags: 'a, b,,c' }, { tags: ['a', 'b', 'c'] }],
    ['tags and external tags', { tags: ['a'], external_tags: 'b,a' }, { tags: ['a', 'b'] }],
    ['transports as JSON text', { supported_transports: '["sse"]' }, { supported_transports: ['sse'] }],
    [
      'transports by other names',
      { supported_transports: ['http', 'streamable_http'] },
      { supported_transports: ['streamable-http'] },
    ],
    ['one transport', { transport: 'sse' }, { supported_transports: ['sse'] }],
    ['the transport auto says nothing', { transport: 'auto' }, {}],
    ['metadata as JSON text', { metadata: '{"team":"a"}' }, { metadata: { team: 'a' } }],
    [
      'the provider goes into the metadata',
      { provider_organization: 'Acme', provider_url: 'https://acme.example' },
      { metadata: { provider: { organization: 'Acme', url: 'https://acme.example' } } },
    ],
    [
      'a provider object too',
      { provider: { organization: 'Acme' }, metadata: { a: 1 } },
      { metadata: { provider: { organization: 'Acme' }, a: 1 } },
    ],
    ['an active status says nothing', { status: 'active' }, {}],
    ['another status is kept', { status: 'deprecated' }, { metadata: { status: 'deprecated' } }],
    ['null is absent', { license: null, mcp_endpoint: null, version: null, tags: null, metadata: null }, {}],
    ['append_mcp_path false means the exact address', { append_mcp_path: false }, { mcp_endpoint: url }],
    ['append_mcp_path true is the rule here', { append_mcp_path: true }, {}],
    [
      'an endpoint of its own wins',
      { append_mcp_path: false, mcp_endpoint: 'https://a.example/x' },
      { mcp_endpoint: 'https://a.example/x' },
    ],
    ['no authentication', { auth_scheme: 'none', auth_type: 'none' }, {}],
    ['enabled as given', { is_enabled: true }, { is_enabled: true }],
  ])('%s', (_, more, expected) => {
    const entry = server({ ...minimal, ...more });
    expect(entry.body).toEqual({ ...minimal, ...expected });
    expect(entry.credential).toBe(null);
    expect(entry.notes).toEqual([]);
  });

  test.each<[object, object | null]>([
    [
      { auth_scheme: 'bearer', auth_credential: 's3cret' },
      { auth_scheme: 'bearer', auth_credential: 's3cret' },
    ],
    [
      { auth_scheme: 'bearer', auth_credential: 'Bearer s3cret' },
      { auth_scheme: 'bearer', auth_credential: 's3cret' },
    ],
    [
      { auth_type: 'api_key', auth_credential: 'k', auth_header_name: 'X-Key' },
      { auth_scheme: 'api_key', auth_credential: 'k', auth_header_name: 'X-Key' },
    ],
    [{ headers: { Authorization: 'Bearer t' } }, { auth_scheme: 'bearer', auth_credential: 't' }],
    [
      { headers: [{ 'X-API-Key': 'k' }, { 'X-Tenant': 'acme' }] },
      {
        auth_scheme: 'api_key',
        auth_credential: 'k',
        auth_header_name: 'X-API-Key',
        custom_headers: [{ name: 'X-Tenant', value: 'acme' }],
      },
    ],
    [
      { headers: '{"X-Tenant":"acme"}' },
      { auth_scheme: 'none', custom_headers: [{ name: 'X-Tenant', value: 'acme' }] },
    ],
    [
      { custom_headers: [{ name: 'X-Tenant', value: 'acme' }] },
      { auth_scheme: 'none', custom_headers: [{ name: 'X-Tenant', value: 'acme' }] },
    ],
    [
      { auth_scheme: 'bearer', headers: { Authorization: 'Bearer t' } },
      { auth_scheme: 'bearer', auth_credential: 't' },
    ],
  ])('the credential of %j', (more, expected) => {
    expect(server({ ...minimal, ...more }).credential).toEqual(expected);
  });

  test('a scheme without its secret says how to set it', () => {
    const { credential, notes } = server({
      ...minimal,
      auth_scheme: 'bearer',
      visibility: 'private',
      status: 'active',
    });
    expect(credential).toBe(null);
    expect(notes.join(' ')).toContain('server credential /kit --auth-scheme bearer --credential-stdin');
    expect(notes.join(' ')).toContain("Grant list_service for 'kit'");
  });

  test('a placeholder is no secret', () => {
    for (const value of [
      '${TOKEN}',
      'Bearer ${env:TOKEN}',
      '<token>',
      'YOUR_API_KEY',
      '$TOKEN',
      '{token}',
      '',
    ]) {
      const { credential, notes } = server({ ...minimal, headers: { Authorization: value } });
      expect(credential, value).toBe(null);
      expect(notes.join(' '), value).toContain('mcp-gateway server credential');
    }
  });

  test.each<[object, string]>([
    [{ deployment: 'local', local_runtime: { type: 'npx', package: 'x' } }, 'over HTTP only'],
    [{ supported_transports: ['stdio'] }, 'over HTTP only'],
    [{ auth_scheme: 'kerberos' }, "'kerberos' is not known"],
    [{ proxy_pass_url: null }, 'not allowed to see'],
  ])('%j is refused with what to do', (more, reason) => {
    const entry = only({ ...minimal, ...more });
    expect(entry).toMatchObject({ kind: 'refused', name: 'Tools', reason: expect.stringContaining(reason) });
    expect((entry as { remedy: string }).remedy).not.toBe('');
  });

  test('an unknown field stays, so that it is named', () => {
    const { body } = only({ ...minimal, proxy_pas_url: 'x' }) as ServerEntry;
    expect(serverInput.safeParse(body).error?.issues[0]?.message).toBe("unknown field 'proxy_pas_url'");
  });

  test('what is missing is said in plain words', () => {
    const { body } = only({
      server_name: 'Tools',
      path: '/kit',
      mcp_endpoint: null,
      proxy_pass_url: 'ftp://x',
    }) as ServerEntry;
    expect(serverInput.safeParse(body).error?.issues[0]?.message).toBe('must be an http:// or https:// URL');
    const nameless = only({ path: '/kit', mcp_endpoint: url }) as ServerEntry;
    expect(serverInput.safeParse(nameless.body).error?.issues.map(({ message }) => message)).toContain(
      'is required',
    );
  });
});

describe('configurations of clients', () => {
  const remote = {
    body: { server_name: 'docs', path: '/docs-server', proxy_pass_url: url, mcp_endpoint: url },
  };
  test.each<[string, unknown]>([
    ['Claude Code', { mcpServers: { docs: { type: 'http', url } } }],
    ['Cursor', { mcpServers: { docs: { url } } }],
    ['Windsurf', { mcpServers: { docs: { serverUrl: url } } }],
    ['Gemini CLI', { mcpServers: { docs: { httpUrl: url, timeout: 5000 } } }],
    ['Roo', { mcpServers: { docs: { type: 'streamable-http', url, alwaysAllow: ['a'] } } }],
    [
      'VS Code with comments',
      `{\n  // ours\n  "inputs": [{ "type": "promptString", "id": "key", "password": true }],\n  "servers": { "docs": { "type": "http", "url": "${url}", }, },\n}`,
    ],
    ['VS Code settings', { mcp: { servers: { docs: { type: 'http', url } } } }],
    ['Zed', { context_servers: { docs: { source: 'custom', url } } }],
    ['opencode', { mcp: { docs: { type: 'remote', url, enabled: true } } }],
    ['Codex', `model = "x"\n[mcp_servers.docs]\nurl = "${url}"\nstartup_timeout_sec = 20\n`],
    ['mcp-remote', { mcpServers: { docs: { command: 'npx', args: ['-y', 'mcp-remote@latest', url] } } }],
    [
      'mcp-remote by cmd',
      { mcpServers: { docs: { command: 'cmd', args: ['/c', 'npx', 'mcp-remote', url] } } },
    ],
    ['Zed wrapper', { context_servers: { docs: { command: { path: 'npx', args: ['mcp-remote', url] } } } }],
    ['a byte order mark', `\ufeff{"mcpServers":{"docs":{"url":"${url}"}}}`],
  ])('%s', (_, file) => {
    expect(server(file)).toMatchObject({ ...remote, credential: null, notes: [] });
  });

  test.each<[string, unknown, object]>([
    [
      'headers',
      { mcpServers: { docs: { url, headers: { Authorization: 'Bearer t', Accept: '*/*' } } } },
      { auth_scheme: 'bearer', auth_credential: 't' },
    ],
    [
      'Codex',
      `[mcp_servers.docs]\nurl = "${url}"\nhttp_headers = { "X-Key" = "k" }\n`,
      { auth_scheme: 'api_key', auth_credential: 'k', auth_header_name: 'X-Key' },
    ],
    [
      'mcp-remote',
      {
        mcpServers: {
          docs: {
            command: 'npx',
            args: ['mcp-remote', url, '--header', 'Authorization:${AUTH}'],
            env: { AUTH: 'Bearer t' },
          },
        },
      },
      { auth_scheme: 'bearer', auth_credential: 't' },
    ],
  ])('credentials: %s', (_, file, credential) => {
    expect(server(file).credential).toEqual(credential);
  });

  test.each<[string, unknown]>([
    ['a variable', { mcpServers: { docs: { url, headers: { 'X-Api-Key': '${DOCS_KEY}' } } } }],
    ['an input', { servers: { docs: { url, headers: { Authorization: 'Bearer ${input:key}' } } } }],
    ['Codex', `[mcp_servers.docs]\nurl = "${url}"\nbearer_token_env_var = "TOKEN"\n`],
    ['Codex headers', `[mcp_servers.docs]\nurl = "${url}"\nenv_http_headers = { "X-Key" = "KEY" }\n`],
  ])('a credential to be filled in is noted: %s', (_, file) => {
    const { credential, notes } = server(file);
    expect(credential).toBe(null);
    expect(notes.join(' ')).toContain('mcp-gateway server credential /docs-server');
  });

  test('SSE by type and by address', () => {
    const sse = 'https://mcp.example.com/sse';
    for (const value of [{ type: 'sse', url: sse }, { url: sse }, { transport: 'sse', url: sse }])
      expect(server({ mcpServers: { docs: value } }).body).toMatchObject({
        sse_endpoint: sse,
        supported_transports: ['sse'],
      });
    expect(
      server({
        mcpServers: { docs: { command: 'npx', args: ['mcp-remote', url, '--transport', 'sse-only'] } },
      }).body,
    ).toMatchObject({
      supported_transports: ['sse'],
    });
  });

  test('a program is refused alone, the others are taken', () => {
    const file = {
      mcpServers: {
        docs: { type: 'http', url },
        files: { command: 'npx', args: ['-y', '@modelcontextprotocol/server-filesystem', '/srv'] },
        odd: 7,
        open: { url: 'https://${HOST}/mcp' },
      },
    };
    expect(readRegistryFile(JSON.stringify(file)).map(({ kind, name, at }) => [kind, name, at])).toEqual([
      ['server', 'docs', 'mcpServers.docs'],
      ['refused', 'files', 'mcpServers.files'],
      ['refused', 'odd', 'mcpServers.odd'],
      ['refused', 'open', 'mcpServers.open'],
    ]);
  });
});

describe('the official registry', () => {
  const file = {
    $schema: 'https://static.modelcontextprotocol.io/schemas/2025-12-11/server.schema.json',
    ...{ name: 'io.github.example/docs', title: 'Docs', description: 'Search the docs.', version: '1.2.0' },
    remotes: [
      {
        type: 'streamable-http',
        url,
        headers: [{ name: 'Authorization', isRequired: true, isSecret: true }],
      },
    ],
  };

  test('a remote is taken, and its required header is a credential to fill in', () => {
    const { body, credential, notes } = server(file);
    expect(body).toMatchObject({
      server_name: 'Docs',
      path: '/docs-server',
      proxy_pass_url: url,
      mcp_endpoint: url,
      version: '1.2.0',
    });
    expect(credential).toBe(null);
    expect(notes.join(' ')).toContain('--auth-scheme bearer');
  });

  test('earlier schemas, entries of a list, several remotes, templates', () => {
    expect(
      server({
        ...file,
        $schema: undefined,
        remotes: [{ transport_type: 'sse', url: 'https://a.example/sse' }],
      }).body,
    ).toMatchObject({ supported_transports: ['sse'] });
    expect(server({ servers: [{ server: file, _meta: {} }], metadata: { count: 1 } }).body).toMatchObject({
      path: '/docs-server',
    });
    expect(
      server({
        ...file,
        remotes: [
          { type: 'sse', url: 'https://a.example/sse' },
          { type: 'streamable-http', url },
        ],
      }).body,
    ).toMatchObject({ mcp_endpoint: url });
    const template = {
      type: 'streamable-http',
      url: 'https://{tenant}.example.com/mcp',
      variables: { tenant: { default: 'acme' } },
    };
    expect(server({ ...file, remotes: [template] }).body).toMatchObject({
      proxy_pass_url: 'https://acme.example.com/mcp',
    });
  });

  test('packages alone, and a template without a value, are refused', () => {
    expect(
      only({ ...file, remotes: undefined, packages: [{ registryType: 'npm', identifier: 'x' }] }),
    ).toMatchObject({ kind: 'refused' });
    expect(only({ ...file, remotes: [{ type: 'sse', url: 'https://{tenant}.example.com' }] })).toMatchObject({
      kind: 'refused',
      reason: expect.stringContaining('{tenant}'),
    });
  });
});

test('group definitions of the other system: what its database adds is ignored, unknown permissions are set aside', () => {
  const entry = only({
    ...{ _id: 'team', scope_name: 'team', custom_scopes: ['x'], created_at: 'y', create_in_idp: false },
    server_access: [{ server: 'currenttime', methods: ['all'], tools: ['all'] }],
    ui_permissions: { list_service: ['*'], list_skills: ['all'], list_virtual_thing: ['all'] },
  });
  expect(entry).toMatchObject({
    kind: 'scope',
    body: {
      scope_name: 'team',
      create_in_idp: false,
      server_access: [{ server: 'currenttime', methods: ['all'], tools: ['all'] }],
      ui_permissions: { list_service: ['all'] },
    },
    notes: [expect.stringContaining('list_skills'), expect.stringContaining('custom_scopes (x)')],
  });
});

test('agents are recognised in every form', () => {
  const card = {
    name: 'Hello World',
    description: '',
    url: 'http://localhost:9999/',
    version: '1',
    capabilities: {},
    skills: [],
  };
  expect(only(card)).toMatchObject({ kind: 'agent', body: { path: '/hello-world' } });
  expect(only({ path: '/x', card })).toMatchObject({
    kind: 'agent',
    name: 'Hello World',
    body: { path: '/x' },
  });
  expect(only({ ...card, supported_protocol: 'a2a', path: '/y' })).toMatchObject({
    kind: 'agent',
    body: { path: '/y' },
  });
});

test.each<[string, RegExp]>([
  ['', /empty/],
  ['{"a": 1,, }', /line 1, column \d+/],
  ['{\n  "servers": {\n', /line \d+, column \d+/],
  ['[mcp_servers.docs\nurl = 1', /not valid (?:TOML|JSON)/],
  ['mcp_servers = [1,', /not valid TOML/],
  ['{"hello": "world"}', /describes nothing/],
  ['[]', /describes nothing/],
  ['7', /describes nothing/],
  ['{"__proto__": {"url": "x"}}', /__proto__/],
  ['{"\\u005f_proto__": {"url": "x"}}', /__proto__/],
])('%j is refused in words', (text, message) => {
  expect(() => readRegistryFile(text)).toThrow(FileFault);
  expect(() => readRegistryFile(text)).toThrow(message);
});
