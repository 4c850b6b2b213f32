import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

interface Locked {
  readonly license?: string;
  readonly dev?: boolean;
  readonly hasInstallScript?: boolean;
  readonly version?: string;
}

const packages = Object.entries(
  (JSON.parse(readFileSync('package-lock.json', 'utf8')) as { packages: Record<string, Locked> }).packages,
).filter(([path]) => path !== '');
const permissive =
  /^(?:MIT|MIT-0|ISC|Apache-2\.0|BSD-2-Clause|BSD-3-Clause|0BSD|BlueOak-1\.0\.0|Unlicense|CC0-1\.0|Python-2\.0|Zlib)$/;

/** `(MIT OR GPL-2.0)`: one of them has to be permissive; `MIT AND ISC`: all of them. */
function isPermissive(licence: string): boolean {
  const plain = licence.replace(/^\(|\)$/g, '');
  if (plain.includes(' OR ')) return plain.split(' OR ').some(isPermissive);
  if (plain.includes(' AND ')) return plain.split(' AND ').every(isPermissive);
  return permissive.test(plain);
}

test('every package that ships has a permissive licence', () => {
  const shipped = packages.filter(([, { dev }]) => !dev);
  expect(shipped.length).toBeGreaterThan(20);
  expect(
    shipped
      .filter(([, { license = '' }]) => !isPermissive(license))
      .map(([path, { license }]) => `${path}: ${license}`),
  ).toEqual([]);
});

test('install scripts run only for packages that package.json names', () => {
  const { allowScripts } = JSON.parse(readFileSync('package.json', 'utf8')) as { allowScripts: object };
  const named = new Set(Object.keys(allowScripts));
  const scripts = packages
    .filter(([, { hasInstallScript }]) => hasInstallScript)
    .map(([path]) => path.slice(path.lastIndexOf('node_modules/') + 13));
  expect(scripts.filter((name) => !named.has(name) && name !== 'fsevents')).toEqual([]);
});
