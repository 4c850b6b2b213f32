import { execFile, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, dirname, join, resolve } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** A third-party client: where it comes from, in which version. */
export interface Pinned {
  readonly name: string;
  readonly from: 'npm' | 'pypi' | 'go';
  readonly package: string;
  readonly version: string;
  /** The command that it installs. */
  readonly program?: string;
}

/** Every client that is tried, by the key that the tests use. */
export const pinned = {
  claudeOlder: npm('Claude Code', '@anthropic-ai/claude-code', '2.1.197', 'claude'),
  claude: npm('Claude Code', '@anthropic-ai/claude-code', '2.1.330', 'claude'),
  codex: npm('Codex', '@openai/codex', '0.171.0', 'codex'),
  gemini: npm('Gemini CLI', '@google/gemini-cli', '0.61.0', 'gemini'),
  inspector: npm('MCP Inspector', '@modelcontextprotocol/inspector', '2.12.0', 'mcp-inspector'),
  mcporter: npm('mcporter', 'mcporter', '0.12.3'),
  'mcp-remote': npm('mcp-remote', 'mcp-remote', '0.15.1'),
  mcp1: pypi('Python SDK 1', 'mcp', '1.30.0'),
  mcp2: pypi('Python SDK 2', 'mcp', '2.3.0'),
  fastmcp2: pypi('FastMCP 2', 'fastmcp', '2.14.7'),
  fastmcp4: pypi('FastMCP 4', 'fastmcp', '4.2.3'),
  agents: pypi('OpenAI Agents SDK', 'openai-agents', '0.24.0'),
  go: {
    ...{ name: 'Go SDK', from: 'go', package: 'github.com/modelcontextprotocol/go-sdk', version: '1.8.0' },
  },
} as const satisfies Record<string, Pinned>;

/** The key of a client that has to be installed. */
export type Key = keyof typeof pinned;

function npm(name: string, of: string, version: string, program = of): Pinned {
  return { name, from: 'npm', package: of, version, program };
}

function pypi(name: string, of: string, version: string): Pinned {
  return { name, from: 'pypi', package: of, version };
}

/** Where the installs are kept between runs, outside the repository. */
const cache = join(process.env.CI_TOOLS || join(homedir(), '.cache/mcp-gateway-ci'), 'clients');

/** The folder of one client's install; another version is another folder. */
export function folderOf(key: Key): string {
  const { from, package: of, version } = pinned[key];
  return join(cache, from, `${of.replaceAll('/', '+')}@${version}`);
}

/** The program or interpreter of an installed client. */
export function programOf(key: Key): string {
  const folder = folderOf(key);
  const { from, program = key }: Pinned = pinned[key];
  if (from === 'pypi') return join(folder, 'bin/python');
  if (from === 'go') return join(folder, 'driver');
  return join(folder, 'node_modules/.bin', program);
}

/** What a package of npm depends on is of this day; for PyPI and Go, drivers/ has files that say the versions. */
const asOf = '2026-11-29';

/** Installs what is not there yet; returns why each client that could not be installed is absent. */
export async function installAll(): Promise<Partial<Record<Key, string>>> {
  const absent: Partial<Record<Key, string>> = {};
  const waiting = Object.keys(pinned) as Key[];
  const work = async (): Promise<void> => {
    for (let key = waiting.shift(); key; key = waiting.shift())
      await install(key).catch((error: { stderr?: string; message: string }) => {
        absent[key as Key] = lastLine(error.stderr) || lastLine(error.message);
      });
  };
  await Promise.all([work(), work(), work()]);
  return absent;
}

async function install(key: Key): Promise<void> {
  const { from, package: of, version } = pinned[key];
  const folder = folderOf(key);
  const done = join(folder, 'installed');
  if (existsSync(done) && from !== 'go') return;
  if (from !== 'go') rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  console.log(`Installing ${of} ${version} ...`);
  if (from === 'npm') {
    writeFileSync(join(folder, 'package.json'), '{"private":true}');
    const quiet = ['--no-audit', '--no-fund', '--loglevel=error', '--save-exact', `--before=${asOf}`];
    await run('npm', ['install', ...quiet, `${of}@${version}`], { cwd: folder, ...limits });
  } else if (from === 'pypi') {
    await run('python3', ['-m', 'venv', folder], limits);
    const quiet = ['--quiet', '--disable-pip-version-check'];
    const constraints = resolve(`test/clients/drivers/python/${key}.txt`);
    await run(join(folder, 'bin/pip'), ['install', ...quiet, '-c', constraints, `${of}==${version}`], limits);
  } else
    await run('go', ['build', '-o', join(folder, 'driver'), '.'], {
      ...{ cwd: resolve('test/clients/drivers/go'), ...limits },
      env: { ...process.env, GOFLAGS: '-mod=readonly', GOTOOLCHAIN: 'local' },
    });
  if (spawnSync(programOf(key), ['--version'], { timeout: 60_000, env: bareEnvironment(folder) }).error)
    throw new Error(`${programOf(key)} does not run`);
  writeFileSync(done, '');
}

const limits = { timeout: 240_000, killSignal: 'SIGKILL' } as const;

/** What a client's process gets of this one's environment: the way to programs, and a home of its own. */
export function bareEnvironment(home: string): Record<string, string> {
  const path = [dirname(process.execPath), process.env.PATH ?? ''].join(delimiter);
  return { PATH: path, HOME: home, LANG: 'C.UTF-8' };
}

function lastLine(text = ''): string {
  return text.trim().split('\n').at(-1)?.slice(0, 200) ?? '';
}
