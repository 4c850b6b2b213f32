import { expect, test } from 'vitest';
import { misspelledSettings } from './environment.ts';
import { settings } from './settings.ts';

const known = Object.keys(settings);
const warned = (name: string, providers: string[] = ['entra']) =>
  misspelledSettings({ [name]: 'x' }, known, providers);

test.each([
  ['ENTRA_CLIENT_SECRETT', 'ENTRA_CLIENT_SECRET'],
  ['ENTRA_TENNANT_ID', 'ENTRA_TENANT_ID'],
  ['ENTRA_TENANTID', 'ENTRA_TENANT_ID'],
  ['ENTRA_GROUPS_ADMIN_ID', 'ENTRA_GROUP_ADMIN_ID'],
  ['ENTRA_ADMIN_GROUP_ID', 'ENTRA_GROUP_ADMIN_ID'],
  ['SECRETKEY', 'SECRET_KEY'],
  ['REGSITRY_URL', 'REGISTRY_URL'],
  ['SCOPE_CONFIG_PATH', 'SCOPES_CONFIG_PATH'],
  ['LOGLEVEL', 'LOG_LEVEL'],
  ['UPSTREAM_ALLOWED_NETWORK', 'UPSTREAM_ALLOWED_NETWORKS'],
])('%s: did you mean %s', (name, meant) => {
  expect(warned(name)).toEqual([`${name} is not a setting and has no effect; did you mean ${meant}?`]);
});

test('a variable of a provider in use that is no setting is named', () => {
  expect(warned('ENTRA_SOMETHING_ELSE')).toEqual([
    expect.stringContaining('ENTRA_SOMETHING_ELSE is not a setting'),
  ]);
  expect(warned('KEYCLOAK_ADMIN')).toEqual([]);
});

test('what other programs read is not taken for a slip', () => {
  const usual =
    'PATH HOME HOST HOSTNAME PORT SHELL USER PWD TERM LANG EDITOR NODE_OPTIONS NODE_EXTRA_CA_CERTS HTTP_PROXY ALL_PROXY ' +
    'FTP_PROXY NO_PROXY CI POSTGRES_PASSWORD DATABASE_PASSWORD PGHOST KUBERNETES_PORT KUBERNETES_SERVICE_HOST TZ TMPDIR ' +
    'AWS_SECRET_ACCESS_KEY AZURE_CLIENT_ID AZURE_TENANT_ID AZURE_CLIENT_SECRET GITHUB_TOKEN OTEL_RESOURCE_ATTRIBUTES';
  expect(usual.split(' ').flatMap((name) => warned(name))).toEqual([]);
  expect(known.flatMap((name) => warned(name))).toEqual([]);
});
