import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

interface Locked {
  readonly license?: string;
  readonly dependencies?: Readonly<Record<string, string>>;
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

/** The packages that the sources import, which the build bundles, with all that those depend on: their paths in the lock file. */
function bundled(): Set<string> {
  const imported = readdirSync('src', { recursive: true, encoding: 'utf8' })
    .filter((file) => /\.tsx?$/.test(file) && !/\.test\.|test-support|testing|vite\.config/.test(file))
    .flatMap((file) => [
      ...readFileSync(`src/${file}`, 'utf8').matchAll(
        /(?:from|import)\s*\(?'((?:@[\w.-]+\/)?[\w.-]+)[^'\n]*'/g,
      ),
    ])
    .map(([, name = '']) => name)
    .filter((name) => !name.startsWith('.') && name !== 'node');
  const byPath = new Map(packages);
  const found = new Set<string>();
  const add = (name: string, from: string): void => {
    const places = [`${from}/node_modules/${name}`, `node_modules/${name}`];
    const path = places.find((place) => byPath.has(place));
    if (path === undefined || found.has(path)) return;
    found.add(path);
    for (const next of Object.keys(byPath.get(path)?.dependencies ?? {})) add(next, path);
  };
  for (const name of imported) add(name, '');
  return found;
}

test('every package that ships has a permissive licence', () => {
  const names = bundled();
  const shipped = packages.filter(([path]) => names.has(path));
  expect([...names]).toEqual(
    expect.arrayContaining(['node_modules/hono', 'node_modules/react', 'node_modules/zod']),
  );
  expect(shipped.length).toBeGreaterThan(20);
  expect(
    shipped
      .filter(([, { license = '' }]) => !isPermissive(license))
      .map(([path, { license }]) => `${path}: ${license}`),
  ).toEqual([]);
});

test('the build lists what it has bundled, and nothing in it has another licence', () => {
  const { components } = JSON.parse(readFileSync('dist/sbom.cdx.json', 'utf8')) as {
    components: {
      name: string;
      version: string;
      licenses: { expression?: string; license?: { id: string } }[];
    }[];
  };
  const names = components.map(({ name }) => name);
  expect(names).toEqual(expect.arrayContaining(['hono', 'jose', 'oidc-provider', 'react', 'undici', 'zod']));
  const locked = new Set(
    packages.map(([path, { version }]) => `${path.slice(path.lastIndexOf('node_modules/') + 13)}@${version}`),
  );
  const wrong = components.filter(
    ({ name, version, licenses: [licence] }) =>
      !locked.has(`${name}@${version}`) || !isPermissive(licence?.expression ?? licence?.license?.id ?? ''),
  );
  expect(wrong).toEqual([]);
});

test('install scripts run only for packages that package.json names', () => {
  const { allowScripts } = JSON.parse(readFileSync('package.json', 'utf8')) as { allowScripts: object };
  const named = new Set(Object.keys(allowScripts));
  const scripts = packages
    .filter(([, { hasInstallScript }]) => hasInstallScript)
    .map(([path]) => path.slice(path.lastIndexOf('node_modules/') + 13));
  expect(scripts.filter((name) => !named.has(name) && name !== 'fsevents')).toEqual([]);
});
