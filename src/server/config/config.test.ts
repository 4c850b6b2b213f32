import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { createAuthority } from '../net/connector.test-support.ts';
import { ConfigFault, readConfig, readEnvironment } from './config.ts';

const production = {
  AUTH_PROVIDER: 'entra',
  ENTRA_TENANT_ID: '12345678-1234-1234-1234-123456789012',
  ENTRA_CLIENT_ID: '87654321-4321-4321-4321-210987654321',
  ENTRA_CLIENT_SECRET: 'abc8Q~example',
  SECRET_KEY: '3f6c1c0d9e8b7a6f5e4d3c2b1a0f9e8d',
  REGISTRY_URL: 'https://gateway.example.com',
};

function faultsOf(environment: Record<string, string>): readonly string[] {
  try {
    readConfig(environment, '/srv');
    return [];
  } catch (error) {
    if (error instanceof ConfigFault) return error.faults;
    throw error;
  }
}

test('nothing configured is the evaluation mode on loopback', () => {
  const config = readConfig({}, '/srv');
  expect(config).toMatchObject({
    mode: 'evaluation',
    host: '127.0.0.1',
    port: 8080,
    registryUrl: 'http://localhost:8080',
  });
  expect(config.emulatorPort).toBe(8081);
});

test("the guide's settings are the production mode", () => {
  const config = readConfig(production, '/srv');
  expect(config.mode).toBe('production');
  expect(config.entra).toMatchObject({
    redirectUri: 'https://gateway.example.com/oauth2/callback/entra',
    graphBaseUrl: 'https://graph.microsoft.com',
  });
  expect(config.scopesFile).toBe('/srv/scopes.yml');
  expect(config.session.secure).toBe(true);
});

test('every fault is reported at once, each naming its variable', () => {
  const faults = faultsOf({
    NODE_ENV: 'production',
    AUTH_PROVIDER: 'entra',
    ENTRA_TENANT_ID: 'contoso.com',
    PORT: 'http',
    LOG_LEVEL: 'loud',
    REGISTRY_URL: 'http://gateway.example.com/registry',
  });
  const named = faults.map((fault) => fault.split(':')[0]);
  for (const name of [
    'ENTRA_TENANT_ID',
    'ENTRA_CLIENT_ID',
    'ENTRA_CLIENT_SECRET',
    'PORT',
    'LOG_LEVEL',
    'REGISTRY_URL',
    'SECRET_KEY',
  ])
    expect(named).toContain(name);
});

test.each([
  ['no key', '', /is missing/],
  ['a short key', 'short-but-random-8f3a', /at least 32/],
  ["the guide's placeholder", 'your-super-secure-random-64-character-string-here', /placeholder/],
  ['a key without randomness', 'a'.repeat(64), /random/],
])('production refuses %s', (_, key, expected) => {
  expect(faultsOf({ ...production, SECRET_KEY: key }).join()).toMatch(expected);
});

test.each([
  [{ AUTH_PROVIDER: 'ldap' }, /'ldap' is not known/],
  [{ REGISTRY_URL: 'http://gateway.example.com' }, /https/],
  [{ ENTRA_LOGIN_BASE_URL: 'http://127.0.0.1:8081' }, /https/],
  [{ ENTRA_CLIENT_SECRET: '3f2504e0-4f89-41d3-9a0c-0305e82c3301' }, /Secret ID/],
  [{ ENTRA_ENABLED: 'false' }, /ENTRA_ENABLED/],
  [{ ENTRA_REDIRECT_URI: 'https://gateway.example.com/elsewhere' }, /must end in/],
])('production refuses %o', (change, expected) => {
  expect(faultsOf({ ...production, ...change }).join()).toMatch(expected);
});

test('production without a provider says so', () => {
  expect(faultsOf({ NODE_ENV: 'production' }).join()).toMatch(/AUTH_PROVIDER: is not set/);
});

test.each([
  [{ EVALUATION: 'true', NODE_ENV: 'production' }, /does not start with NODE_ENV=production/],
  [{ HOST: '0.0.0.0' }, /loopback only/],
  [{ REGISTRY_URL: 'https://gateway.example.com' }, /this machine only/],
  [{ AUTH_SERVER_EXTERNAL_URL: 'http://10.0.0.1' }, /this machine only/],
])('evaluation mode refuses %o', (change, expected) => {
  expect(faultsOf(change as unknown as Record<string, string>).join()).toMatch(expected);
});

test('faults never repeat a secret', () => {
  const faults = faultsOf({
    ...production,
    SECRET_KEY: 'changeme-8f3a2b',
    ENTRA_CLIENT_SECRET: 'your-secret-value-here',
  });
  expect(faults.join()).not.toMatch(/8f3a2b|your-secret-value-here/);
});

test('blank values count as absent', () => {
  expect(readConfig({ PORT: ' ', AUTH_PROVIDER: '' }, '/srv').port).toBe(8080);
});

test('several redirect URIs are all served, and each must be safe', () => {
  const uris = ['https://gateway.example.com/auth/callback', 'http://localhost:9000/oauth2/callback/entra'];
  const config = readConfig({ ...production, ENTRA_REDIRECT_URI: uris.join(', ') }, '/srv');
  expect(config.entra).toMatchObject({ redirectUri: uris[0], redirectUris: uris });
  expect(config.allowedHosts).toEqual(expect.arrayContaining(['gateway.example.com', 'localhost:9000']));
  expect(config.allowedOrigins).toContain('http://localhost:9000');
  const [fault] = faultsOf({ ...production, ENTRA_REDIRECT_URI: 'http://gateway.example.com/auth/callback' });
  expect(fault).toContain('ENTRA_REDIRECT_URI');
});

const keycloak = {
  KEYCLOAK_URL: 'https://sso.example.com/',
  KEYCLOAK_CLIENT_ID: 'mcp-gateway-web',
  KEYCLOAK_CLIENT_SECRET: 'the-secret',
};

test('several providers keep their order, each with a redirect URI of its own', () => {
  const environment = { ...production, ...keycloak, AUTH_PROVIDER: 'Keycloak, entra' };
  const config = readConfig(environment, '/srv');
  expect(config.providers).toEqual(['keycloak', 'entra']);
  expect(config.entra?.tenantId).toBe(production.ENTRA_TENANT_ID);
  expect(config.oidc.map(({ name, redirectUris }) => [name, ...redirectUris])).toEqual([
    ['keycloak', 'https://gateway.example.com/oauth2/callback/keycloak'],
  ]);
});

test('the faults of all named providers are told at once, and those of others are not', () => {
  const faults = faultsOf({ ...production, AUTH_PROVIDER: 'keycloak,cognito,ldap,ldap' });
  const named = faults.map((fault) => fault.split(':')[0]);
  expect(named).toEqual(
    expect.arrayContaining([
      'KEYCLOAK_URL',
      'KEYCLOAK_CLIENT_ID',
      'KEYCLOAK_CLIENT_SECRET',
      'COGNITO_USER_POOL_ID',
      'COGNITO_CLIENT_ID',
      'COGNITO_CLIENT_SECRET',
    ]),
  );
  expect(faults.join()).toMatch(/'ldap' is not known.*'ldap' is named twice/s);
  expect(faults.join()).not.toMatch(/AUTH0|ENTRA_/);
});

test.each([
  [{ KEYCLOAK_URL: 'http://keycloak:8080' }, /KEYCLOAK_URL.*https/],
  [{ KEYCLOAK_ENABLED: 'false' }, /KEYCLOAK_ENABLED: is false/],
  [{ KEYCLOAK_GROUPS_CLAIM: '["a",1]' }, /KEYCLOAK_GROUPS_CLAIM/],
  [{ AUTH_PROVIDER: 'keycloak,oidc', OIDC_NAME: 'entra' }, /OIDC_NAME.*something else/],
  [{ AUTH_PROVIDER: 'oidc', OIDC_NAME: 'role' }, /OIDC_NAME.*something else/],
  [{ AUTH_PROVIDER: 'oidc', OIDC_NAME: 'a:b' }, /OIDC_NAME/],
  [{ AUTH_PROVIDER: 'oidc', OIDC_ISSUER: 'https://a.example/?x=1' }, /OIDC_ISSUER.*query/],
  [{ AUTH_PROVIDER: 'oidc', OIDC_SCOPES: 'profile' }, /OIDC_SCOPES.*openid/],
  [{ AUTH_PROVIDER: 'google' }, /GOOGLE_HOSTED_DOMAINS: is missing/],
])('production refuses %o of another provider', (change, expected) => {
  const environment = { ...production, ...keycloak, AUTH_PROVIDER: 'keycloak', ...change };
  expect(faultsOf(environment as unknown as Record<string, string>).join()).toMatch(expected);
});

test('plain http is for a provider on this machine alone', () => {
  const environment = { ...production, ...keycloak, AUTH_PROVIDER: 'keycloak' };
  expect(faultsOf({ ...environment, KEYCLOAK_URL: 'http://localhost:8180' })).toEqual([]);
});

test.each([
  ['groups', ['groups']],
  ['realm_access.roles', ['realm_access', 'roles']],
  ['https://mcp-gateway.example/groups', ['https://mcp-gateway.example/groups']],
  ['cognito:groups', ['cognito:groups']],
  ['["a.b","c"]', ['a.b', 'c']],
])('the claim path %s is %o', (given, path) => {
  const environment = { ...production, ...keycloak, AUTH_PROVIDER: 'keycloak', KEYCLOAK_GROUPS_CLAIM: given };
  expect(readConfig(environment, '/srv').oidc[0]?.value('KEYCLOAK_GROUPS_CLAIM')).toEqual(path);
});

test('proxies are read in upper and lower case, with or without a scheme, and their passwords not repeated', () => {
  const read = (environment: Record<string, string>) =>
    readConfig(readEnvironment('/nowhere', environment), '/srv').proxy;
  expect(read({})).toEqual({ https: null, http: null, except: [] });
  const usual = {
    https_proxy: 'http://a:3128',
    HTTP_PROXY: 'me:secret@b:3128',
    no_proxy: 'x.example, 10.0.0.0/8',
  };
  expect(read(usual)).toMatchObject({
    https: { href: 'http://a:3128/' },
    http: { href: 'http://me:secret@b:3128/' },
    except: ['x.example', '10.0.0.0/8'],
  });
  expect(faultsOf({ HTTPS_PROXY: 'socks5://me:secret@host' })).toEqual([
    'HTTPS_PROXY: must be the address of an http proxy, such as http://proxy.example.com:3128',
  ]);
});

test('certificates for servers are read once, and what is wrong with a file is said of its setting', () => {
  const directory = mkdtempSync(join(tmpdir(), 'tls-'));
  const authority = createAuthority('Company CA');
  const [own, other] = [authority.issue('gateway'), authority.issue('other')];
  for (const [name, text] of Object.entries({
    ...{ 'ca.pem': authority.ca, 'cert.pem': own.cert, 'key.pem': own.key },
    ...{ 'both.pem': own.cert + own.key, 'other.pem': other.key },
  }))
    writeFileSync(join(directory, name), text);
  const read = (environment: Record<string, string>) => readConfig(environment, directory).gateway.tls;
  const named = {
    UPSTREAM_CA_FILE: 'ca.pem',
    UPSTREAM_CLIENT_CERT_FILE: 'cert.pem',
    UPSTREAM_CLIENT_KEY_FILE: 'key.pem',
  };
  expect(read({})).toBeUndefined();
  expect(read(named)).toEqual({ ca: authority.ca, cert: own.cert, key: own.key });
  expect(read({ UPSTREAM_CLIENT_CERT_FILE: 'both.pem' })?.key).toContain(own.key);
  for (const [environment, fault] of [
    [{ UPSTREAM_CA_FILE: 'none.pem' }, 'UPSTREAM_CA_FILE: cannot be used'],
    [{ UPSTREAM_CA_FILE: 'key.pem' }, 'UPSTREAM_CA_FILE: key.pem is not a PEM file'],
    [
      { ...named, UPSTREAM_CLIENT_KEY_FILE: 'other.pem' },
      'UPSTREAM_CLIENT_KEY_FILE: other.pem is not a PEM file with the key',
    ],
    [{ UPSTREAM_CLIENT_KEY_FILE: 'key.pem' }, 'UPSTREAM_CLIENT_KEY_FILE: is set although'],
  ] as const)
    expect(() => read(environment)).toThrow(fault);
  rmSync(directory, { recursive: true });
});

test('a .env of an editor that marks its files is the production that it asks for', () => {
  const directory = mkdtempSync(join(tmpdir(), 'env-file-'));
  const lines = Object.entries(production).map(([name, value]) => `${name}=${value}`);
  for (const encoding of ['utf8', 'utf16le'] as const) {
    writeFileSync(join(directory, '.env'), `\ufeff${lines.join('\r\n')}`, encoding);
    expect(readConfig(readEnvironment(directory, {}), directory)).toMatchObject({
      mode: 'production',
      warnings: [],
    });
  }
  rmSync(directory, { recursive: true });
});

test('a provider that is described and not chosen is warned about, unless the evaluation is meant', () => {
  const { AUTH_PROVIDER: _, SECRET_KEY: __, REGISTRY_URL: ___, ...entra } = production;
  expect(readConfig(entra, '/srv')).toMatchObject({
    mode: 'evaluation',
    warnings: [
      expect.stringMatching(/^ENTRA_CLIENT_ID is set but AUTH_PROVIDER is not.*Set AUTH_PROVIDER=entra/),
    ],
  });
  expect(readConfig({ ...entra, EVALUATION: 'true' }, '/srv').warnings).toEqual([]);
  expect(readConfig({}, '/srv').warnings).toEqual([]);
});

test('the scopes file is also found where the setup guide has it, after the usual place', () => {
  const directory = mkdtempSync(join(tmpdir(), 'scopes-file-'));
  const found = (): string => readConfig(production, directory).scopesFile;
  mkdirSync(join(directory, 'auth_server'));
  expect(found()).toBe(join(directory, 'scopes.yml'));
  writeFileSync(join(directory, 'auth_server', 'scopes.yml'), 'group_mappings: {}');
  expect(found()).toBe(join(directory, 'auth_server', 'scopes.yml'));
  writeFileSync(join(directory, 'scopes.yml'), 'group_mappings: {}');
  expect(found()).toBe(join(directory, 'scopes.yml'));
  rmSync(directory, { recursive: true });
});

test('a scopes file that is named and missing is a fault, with the command that creates it', () => {
  expect(faultsOf({ ...production, SCOPES_CONFIG_PATH: '/nowhere/scopes.yml' })).toEqual([
    expect.stringMatching(
      /^SCOPES_CONFIG_PATH: .*\/nowhere\/scopes\.yml does not exist; create it with: cp .*examples\/scopes\.yml \/nowhere\/scopes\.yml$/,
    ),
  ]);
  expect(faultsOf(production)).toEqual([]);
});

test('a public URL of this machine with another port than the gateway listens on is warned about', () => {
  const guide = { ...production, REGISTRY_URL: 'http://localhost' };
  expect(readConfig(guide, '/srv').warnings).toEqual([
    expect.stringMatching(
      /^REGISTRY_URL and AUTH_SERVER_EXTERNAL_URL are http:\/\/localhost, .* port 8080.* PORT to 80\.$/,
    ),
  ]);
  for (const right of [
    { ...guide, PORT: '80' },
    { ...guide, REGISTRY_URL: 'http://localhost:8080' },
    production,
  ])
    expect(readConfig(right, '/srv').warnings).toEqual([]);
});

test('a misspelled setting is warned about with the one that is meant', () => {
  expect(readConfig({ ...production, ENTRA_GROUP_ADMINS_ID: 'x' }, '/srv').warnings).toEqual([
    'ENTRA_GROUP_ADMINS_ID is not a setting and has no effect; did you mean ENTRA_GROUP_ADMIN_ID?',
  ]);
});

test("the guide's production settings are taken as they are", () => {
  const { entra } = readConfig(
    {
      ...{ ...production, ENTRA_REDIRECT_URI: 'https://your-domain.com/oauth2/callback/entra' },
      AUTH_SERVER_EXTERNAL_URL: 'https://your-domain.com:8888',
    },
    '/srv',
  );
  expect(entra?.redirectUri).toBe('https://your-domain.com/oauth2/callback/entra');
});

test('the authority of a proxy is read from EXTRA_CA_FILE; a file that is missing or none is a fault', () => {
  const folder = mkdtempSync(join(tmpdir(), 'config-'));
  const { ca } = createAuthority('company');
  writeFileSync(join(folder, 'ca.pem'), ca);
  writeFileSync(join(folder, 'ca.der'), 'x');
  expect(readConfig({ ...production, EXTRA_CA_FILE: 'ca.pem' }, folder).extraCa).toBe(ca);
  for (const [file, why] of [
    ['gone.pem', 'does not exist'],
    ['ca.der', 'is not a PEM file'],
  ] as const)
    expect(() => readConfig({ ...production, EXTRA_CA_FILE: file }, folder)).toThrow(why);
  rmSync(folder, { recursive: true });
});

test.each([
  ['https://s3.example.com/bucket/', 'https://s3.example.com/bucket'],
  ['http://minio:9000/bucket/a b', 'http://minio:9000/bucket/a%20b'],
  ['https://s3.example.com/bucket/100%25', 'https://s3.example.com/bucket/100%25'],
  ['https://s3.example.com', 'is not an address'],
  ['https://s3.example.com//', 'is not an address'],
  ['https://key:secret@s3.example.com/bucket', 'is not an address'],
  ['https://s3.example.com/bucket?x', 'is not an address'],
  ['https://s3.example.com/bucket#1', 'is not an address'],
  ['s3://bucket/prefix', 'is not an address'],
  ['https://s3.example.com/bucket/100%', "write '%25'"],
  ['https://s3.example.com/bucket//a', "write one '/'"],
  ['https://s3.example.com/bucket/a%2F%2Fb', "write one '/'"],
])('where the trail goes: %s', (AUDIT_S3_URL, expected) => {
  const keys = { AUDIT_S3_ACCESS_KEY_ID: 'id', AUDIT_S3_SECRET_ACCESS_KEY: 'secret' };
  const read = () => readConfig({ ...production, AUDIT_S3_URL, ...keys }, '/').s3?.url;
  if (expected.startsWith('http')) expect(read()).toBe(expected);
  else expect(read).toThrow(expected);
});

test('the engine has no key with a slash in its name', () => {
  const transit = { VAULT_KMS: 'transit', VAULT_ADDR: 'https://vault.example.com', VAULT_TOKEN: 't' };
  const named = (VAULT_TRANSIT_KEY: string) => () =>
    readConfig({ ...production, ...transit, VAULT_TRANSIT_KEY }, '/').kms?.key;
  expect(named('a/b')).toThrow("may not have a '/'");
  expect(named('a.b-c_1')()).toBe('a.b-c_1');
});
