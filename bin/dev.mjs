#!/usr/bin/env node
// What the scripts of package.json call. It runs on any Node >= 20 with nothing installed: it installs the locked
// packages first and then hands over to the Node that the project pins.
import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  cpSync,
  existsSync,
  lstatSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const [command = 'start', ...rest] = process.argv.slice(2);

const commands = {
  ...{
    start,
    dev,
    check,
    test,
    'test:postgres': postgres,
    'test:replicas': replicas,
    'test:keycloak': keycloak,
    'test:clients': clients,
    'test:real': real,
    build,
    bench,
    'bench:ui': benchUi,
  },
  ...{ screenshots, format, publishable, fuzz, docs },
};
if (!Object.hasOwn(commands, command))
  fail(`unknown command '${command}'; known: ${Object.keys(commands).join(', ')}`);
commands[command]();

function start() {
  install();
  if (buildIsStale()) runBuild();
  serve(['bin/mcp-gateway.mjs', 'start', ...rest]);
}

function dev() {
  install();
  runBuild();
  serve(['--watch-path=src', 'bin/mcp-gateway.mjs', 'start', ...rest]);
}

function check() {
  install();
  run(bin('biome'), ['check', '--error-on-warnings', '.']);
  typecheck('.', 'server');
  typecheck('src/ui', 'ui');
  // Exports, files and dependencies that nothing uses; knip.json names where programs begin.
  run(bin('knip'), ['--no-progress', '--no-config-hints']);
  run(bin('vitest'), [
    'run',
    'test/architecture.test.ts',
    'test/docs.test.ts',
    'test/english.test.ts',
    'test/attack/regular-expressions.test.ts',
  ]);
}

/** What did not change since the last check is not checked again. */
function typecheck(project, name) {
  run(bin('tsc'), ['-p', project, '--incremental', '--tsBuildInfoFile', `.cache/${name}.tsbuildinfo`]);
}

function test() {
  install();
  if (buildIsStale()) runBuild();
  suite(bin('vitest'), ['run']);
}

/** The suite of the stores over a real PostgreSQL. */
function postgres() {
  suite(bin('vitest'), ['run', '-c', 'vitest.postgres.config.ts']);
}

/** Three gateways on one PostgreSQL behind nginx. */
function replicas() {
  install();
  if (buildIsStale()) runBuild();
  suite(bin('vitest'), ['run', '-c', 'vitest.replicas.config.ts']);
}

/** The tests against a real Keycloak. */
function keycloak() {
  install();
  if (buildIsStale()) runBuild();
  suite(pinnedNode(), ['test/keycloak/main.ts']);
}

/** The tests with third-party clients, which are installed first and kept in `CI_TOOLS`. */
function clients() {
  install();
  if (buildIsStale()) runBuild();
  suite(pinnedNode(), ['test/clients/main.ts']);
}

/** The tests against a real OpenBao and a real MinIO, which are installed first and kept in `CI_TOOLS`. */
function real() {
  install();
  if (buildIsStale()) runBuild();
  run(pinnedNode(), ['test/real/main.ts', ...rest]);
}

function build() {
  if (hasBuildTools()) runBuild();
  else if (process.env.BUILDING_ELSEWHERE)
    fail('the build tools did not install; see what npm printed above');
  else buildElsewhere();
}

/** The documentation as a site, which the gateway serves at /docs when it is there. */
function docs() {
  install();
  run(bin('vitepress'), ['build', 'docs', ...rest]);
}

function bench() {
  install();
  if (buildIsStale()) runBuild();
  run(pinnedNode(), [
    `test/bench/${['soak', 'neighbours', 'hostile', 'workers', 'search'].find((name) => rest.includes(`--${name}`)) ?? 'main'}.ts`,
    ...rest,
  ]);
}

function benchUi() {
  install();
  if (buildIsStale()) runBuild();
  run(pinnedNode(), ['test/bench/ui.ts', ...rest]);
}

/** Coverage-guided fuzzing of the parsers; `--seconds`, `--target`, `--seed`. */
function fuzz() {
  install();
  run(pinnedNode(), ['test/fuzz/main.ts', ...rest]);
}

function screenshots() {
  install();
  if (buildIsStale()) runBuild();
  run(pinnedNode(), ['test/screenshots.ts']);
}

/** Refuses to publish what still has placeholders: addresses of nobody, and a package name that is somebody else's. */
function publishable() {
  const { name, version, repository, bugs, homepage } = JSON.parse(
    readFileSync(join(root, 'package.json'), 'utf8'),
  );
  const open = Object.entries({ repository: repository?.url, bugs: bugs?.url, homepage })
    .filter(([, url]) => !url || /\.example\b|OWNER/.test(url))
    .map(([field, url]) => `${field} is a placeholder (${url})`);
  if (!name.startsWith('@'))
    open.push(`the name '${name}' has no scope (docs/decisions/0050-package-name.md)`);
  if (open.length > 0) fail(`not published: ${open.join('; ')}`);
  console.log(`${name} ${version} may be published`);
}

function format() {
  install();
  run(bin('biome'), ['check', '--write', '.']);
}

/** Installs the locked packages unless they are there. A linked `node_modules` belongs to somebody else and is left alone. */
function install() {
  if (lstatSync(join(root, 'node_modules'), { throwIfNoEntry: false })?.isSymbolicLink() || isInstalled())
    return;
  console.log('Installing packages ...');
  run('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error'], { shell: process.platform === 'win32' });
}

/** Whether what is installed is what the lock file says; versions are compared, since git touches the times of files. */
function isInstalled() {
  try {
    const locked = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')).packages;
    const installed = JSON.parse(
      readFileSync(join(root, 'node_modules/.package-lock.json'), 'utf8'),
    ).packages;
    const { dependencies, devDependencies } = locked[''];
    const wanted = {
      ...dependencies,
      ...(command === 'start' && existsSync(join(root, 'dist')) ? {} : devDependencies),
    };
    return (
      Object.entries(installed).every(([path, { version }]) => locked[path]?.version === version) &&
      Object.keys(wanted).every((name) => installed[`node_modules/${name}`])
    );
  } catch {
    return false;
  }
}

function hasBuildTools() {
  return existsSync(join(root, 'node_modules/esbuild')) && existsSync(join(root, 'node_modules/vite'));
}

function runBuild() {
  run(pinnedNode(), ['bin/build.mjs']);
  writeFileSync(join(root, 'dist/build.json'), JSON.stringify({ sources: fingerprint() }));
}

function buildIsStale() {
  if (!hasBuildTools() && existsSync(join(root, 'dist/cli.js'))) return false;
  try {
    return JSON.parse(readFileSync(join(root, 'dist/build.json'), 'utf8')).sources !== fingerprint();
  } catch {
    return true;
  }
}

/** A production install has no bundler: build in a temporary folder with all packages, and bring back only `dist`. */
function buildElsewhere() {
  const folder = mkdtempSync(join(tmpdir(), 'mcp-gateway-build-'));
  process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
  for (const name of ['package.json', 'package-lock.json', 'tsconfig.json', 'bin', 'src', 'examples', 'docs'])
    cpSync(join(root, name), join(folder, name), { recursive: true });
  // What the caller asked of npm (--omit=dev, or --dry-run of npm pack) is not meant for this folder.
  const options = ['--include=dev', '--dry-run=false', '--no-audit', '--no-fund', '--loglevel=error'];
  run('npm', ['ci', ...options], { cwd: folder });
  // Whatever goes wrong there, it must not build elsewhere once more, and so on without end.
  const env = { ...process.env, BUILDING_ELSEWHERE: 'yes' };
  run(process.execPath, ['bin/dev.mjs', 'build'], { cwd: folder, env });
  rmSync(join(root, 'dist'), { recursive: true, force: true });
  cpSync(join(folder, 'dist'), join(root, 'dist'), { recursive: true });
}

/** Changes whenever a file that the build reads changes. */
function fingerprint() {
  const hash = createHash('sha256');
  for (const name of readdirSync(join(root, 'src'), { recursive: true }).sort()) {
    const stat = statSync(join(root, 'src', name));
    if (stat.isFile() && !/\.test\.tsx?$/.test(name)) hash.update(`${name} ${stat.size} ${stat.mtimeMs}\n`);
  }
  for (const name of ['package-lock.json', 'package.json', 'bin/build.mjs']) {
    if (existsSync(join(root, name))) hash.update(readFileSync(join(root, name)));
  }
  return hash.digest('hex');
}

function pinnedNode() {
  const pinned = join(root, 'node_modules/node/bin', process.platform === 'win32' ? 'node.exe' : 'node');
  return existsSync(pinned) ? pinned : process.execPath;
}

function bin(name) {
  return join(root, 'node_modules/.bin', name);
}

/**
 * Runs a suite. In CI the few files that fail run once more, each whole, since its tests share what they start, and one after
 * the other: a browser on a busy machine loses a click now and then. What passes only then is named (test/closing-line.ts).
 */
function suite(file, args) {
  if (process.env.CI !== 'true' || rest.length > 0) return run(file, [...args, ...rest]);
  const folder = mkdtempSync(join(tmpdir(), 'mcp-gateway-suite-'));
  process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
  const outcome = join(folder, 'outcome.json');
  const status = attempt(file, args, { env: { TEST_OUTCOME: outcome } });
  if (status === 0) return;
  const { files } = existsSync(outcome) ? JSON.parse(readFileSync(outcome, 'utf8')) : { files: [] };
  if (files.length === 0 || files.length > 4) process.exit(status);
  console.log(`\nOnce more, by themselves: ${files.join(', ')}\n`);
  run(file, [...args, ...files, '--maxWorkers=1'], { env: { TEST_OUTCOME: outcome } });
}

function run(file, args, options) {
  const status = attempt(file, args, options);
  if (status !== 0) process.exit(status);
}

/** Runs a program to its end; returns its exit code. */
function attempt(file, args, { env, ...options } = {}) {
  const path = `${join(root, 'node_modules/.bin')}${delimiter}${process.env.PATH}`;
  const result = spawnSync(file, args, {
    cwd: root,
    stdio: 'inherit',
    env: { ...process.env, PATH: path, ...env },
    ...options,
  });
  if (result.error) fail(`could not run ${file}: ${result.error.message}`);
  return result.status ?? 1;
}

/** Runs the server as a child that gets this process's signals, so that it can drain, and ends with its exit code. */
function serve(args) {
  const child = spawn(pinnedNode(), args, { cwd: root, stdio: 'inherit' });
  process.on('SIGTERM', () => child.kill('SIGTERM'));
  process.on('SIGINT', () => {}); // the terminal sends Ctrl-C to the child as well
  // npm ends on SIGTERM without passing it on; whoever is left without a parent drains as if told to.
  const parent = process.ppid;
  const watch = setInterval(() => {
    if (process.ppid === parent) return;
    clearInterval(watch);
    child.kill('SIGTERM'); // once: a second signal would cut the draining short
  }, 500);
  watch.unref();
  child.on('error', (error) => fail(`could not start the server: ${error.message}`));
  child.on('exit', (code, signal) => process.exit(code ?? (signal === 'SIGINT' ? 130 : 1)));
}

function fail(message) {
  console.error(message);
  process.exit(2);
}
