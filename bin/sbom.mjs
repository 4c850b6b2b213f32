// Lists the packages of which the build has taken something into dist/, in the form of CycloneDX 1.5 (ECMA-424).
import { readFileSync, writeFileSync } from 'node:fs';

const folder = 'node_modules/';

/** Writes the list for the modules at these paths; those of our own are left out. */
export function writeSbom(modules, file) {
  const packages = new Set(modules.flatMap((path) => packageOf(path.replaceAll('\\', '/')) ?? []));
  const components = [...packages].map(componentOf);
  const unique = new Map(components.map((one) => [one['bom-ref'], one]));
  const sorted = [...unique.values()].sort((a, b) => (a['bom-ref'] < b['bom-ref'] ? -1 : 1));
  const { name, version } = JSON.parse(readFileSync('package.json', 'utf8'));
  const subject = { type: 'application', name, version };
  const bom = { bomFormat: 'CycloneDX', specVersion: '1.5', version: 1, metadata: { component: subject } };
  writeFileSync(file, `${JSON.stringify({ ...bom, components: sorted }, null, 1)}\n`);
}

/** The directory of the package that a module is in; undefined for one of ours or the bundler's. */
function packageOf(path) {
  const at = path.lastIndexOf(folder);
  if (at < 0 || path.startsWith('\0')) return undefined;
  const [scope, name] = path.slice(at + folder.length).split('/');
  return path.slice(0, at + folder.length) + (scope.startsWith('@') ? `${scope}/${name}` : scope);
}

function componentOf(directory) {
  const { name, version, license } = JSON.parse(readFileSync(`${directory}/package.json`, 'utf8'));
  const purl = `pkg:npm/${name.replace('@', '%40')}@${version}`;
  const licenses = /[ (]/.test(license) ? [{ expression: license }] : [{ license: { id: license } }];
  return { type: 'library', 'bom-ref': purl, name, version, purl, licenses };
}
