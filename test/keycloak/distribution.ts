import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';

/** The Keycloak that the tests run against; the checksum is of the archive as it was first looked at. */
const version = '26.7.3';
const artifact = `org.keycloak:keycloak-quarkus-dist:${version}:tar.gz`;
const sha256 = '77657f30b7e90d70f727712ce1c967f430fd6a5e9f458d32d8c6df0635345f47';

/** Why Keycloak cannot run here. */
export class NotHere extends Error {}

/**
 * The directory of an unpacked Keycloak: KEYCLOAK_HOME where that is set, else the pinned version, which Maven fetches once
 * into `node_modules/.cache`. Throws NotHere with the reason when it is not to be had.
 */
export function distribution(): string {
  requireJava();
  const given = process.env.KEYCLOAK_HOME;
  if (given) {
    if (existsSync(join(given, 'bin/kc.sh'))) return resolve(given);
    throw new NotHere(`KEYCLOAK_HOME is ${given}, where there is no bin/kc.sh`);
  }
  const cache = resolve('node_modules/.cache');
  const home = join(cache, `keycloak-${version}`);
  if (!existsSync(home)) unpack(cache, home);
  return home;
}

/** Keycloak 26 needs Java 17 or newer. */
function requireJava(): void {
  const java = process.env.JAVA_HOME ? join(process.env.JAVA_HOME, 'bin/java') : 'java';
  const { error, stderr } = spawnSync(java, ['-version'], { encoding: 'utf8' });
  if (error) throw new NotHere(`there is no Java (${java}); install Java 17 or newer, or set JAVA_HOME`);
  const [, major] = /version "(\d+)/.exec(stderr) ?? [];
  if (Number(major) < 17) throw new NotHere(`Java is version ${major}; Keycloak needs 17 or newer`);
}

/** Into a directory beside it first, so that a run that is cut short leaves nothing that looks whole. */
function unpack(cache: string, home: string): void {
  const place = join(cache, `keycloak-${process.pid}`);
  mkdirSync(place, { recursive: true });
  try {
    const archive = join(place, `keycloak-quarkus-dist-${version}.tar.gz`);
    fetchArchive(place);
    const found = createHash('sha256').update(readFileSync(archive)).digest('hex');
    if (found !== sha256)
      throw new Error(`${artifact} has the SHA-256 ${found}, not ${sha256}: it is not used`);
    const { status } = spawnSync('tar', ['-xzf', archive, '-C', place], { stdio: 'inherit' });
    if (status !== 0) throw new Error(`${archive} cannot be unpacked`);
    renameSync(join(place, `keycloak-${version}`), home);
  } finally {
    rmSync(place, { recursive: true, force: true });
  }
}

function fetchArchive(place: string): void {
  console.log(`Fetching Keycloak ${version} (177 MB, once) ...`);
  const goal = ['dependency:copy', `-Dartifact=${artifact}`, `-DoutputDirectory=${place}`];
  const { error, status, stdout } = spawnSync('mvn', ['-B', '-q', '-C', ...goal], {
    encoding: 'utf8',
    timeout: 180_000,
  });
  if (status === 0) return;
  const missing = (error as NodeJS.ErrnoException | undefined)?.code === 'ENOENT';
  if (missing)
    throw new NotHere('there is no Maven (mvn) to fetch Keycloak with; install it or set KEYCLOAK_HOME');
  const [said = error?.message ?? ''] = /\[ERROR\] .*/.exec(stdout ?? '') ?? [];
  throw new NotHere(`Maven cannot fetch ${artifact}: ${said.replace('[ERROR] ', '').slice(0, 300)}`);
}
