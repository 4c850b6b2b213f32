import { expect, test } from 'vitest';
import type { SettingInForce } from '../../contract/system.ts';
import { knownProviders } from './config-oidc.ts';
import { settingsInForce } from './environment.ts';
import type { Setting } from './setting.ts';
import { settings } from './settings.ts';

const otlp = 'OTEL_EXPORTER_OTLP_ENDPOINT';
const table = settings as Record<string, Setting<unknown>>;
const read = (environment: Record<string, string>, asked: string[] = []): Map<string, SettingInForce> =>
  new Map(settingsInForce(table, environment, asked).map((one) => [one.name, one]));

test.each([
  ['what is given', { PORT: ' 9000 ' }, 'PORT', 'environment', '9000'],
  ['what is blank', { PORT: ' ' }, 'PORT', 'default', '8080'],
  ['what is not given', {}, 'PORT', 'default', '8080'],
  ['what has no value', {}, 'REGISTRY_URL', 'default', null],
  ['a secret that is given', { SECRET_KEY: 'hush' }, 'SECRET_KEY', 'environment', null],
  ['a URL with a password', { [otlp]: 'https://me:hush@otel' }, otlp, 'environment', null],
  ['a URL without one', { [otlp]: 'https://otel/a@b' }, otlp, 'environment', 'https://otel/a@b'],
] as const)('%s is told with its source', (_what, environment, name, source, value) => {
  expect(read(environment).get(name)).toMatchObject({ source, value });
});

test('no text of a secret is in what is told, whichever setting it is for', () => {
  const secrets = Object.entries(table).filter(([, row]) => row.secret);
  expect(secrets.length).toBeGreaterThan(8);
  const environment = Object.fromEntries(secrets.map(([name]) => [name, `hush-${name}`]));
  const told = read(environment, [...knownProviders]);
  for (const [name] of secrets)
    expect(told.get(name)).toMatchObject({ secret: true, source: 'environment', value: null });
  expect(JSON.stringify([...told])).not.toContain('hush');
});

test('settings of providers that are not asked for are left out', () => {
  const groups = (asked: string[]) => new Set([...read({}, asked).values()].map(({ group }) => group));
  expect(groups([]).has('Microsoft Entra ID')).toBe(false);
  expect(groups(['entra']).has('Microsoft Entra ID')).toBe(true);
  expect(groups(['entra']).has('Keycloak')).toBe(false);
  expect(groups(['keycloak']).has('Keycloak')).toBe(true);
});
