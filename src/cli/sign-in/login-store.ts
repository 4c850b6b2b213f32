import { mkdir, open, readFile, rm, stat } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { writeSecret } from '../input/write-secret.ts';
import type { Terminal } from '../terminal.ts';
import { Trouble } from '../trouble.ts';

/** What `mcp-gateway login` keeps of a sign-in at a registry. */
export interface SignedIn {
  readonly provider: string;
  readonly username: string;
  readonly client_id: string;
  /** Where the refresh token goes, and nowhere else: as it was at sign-in. */
  readonly token_endpoint: string;
  /** Where the sign-in is given back; absent where it only ends by itself. */
  readonly revocation_endpoint?: string;
  readonly scope: string;
  readonly access_token: string;
  readonly refresh_token: string | null;
  /** ISO 8601. */
  readonly expires_at: string;
}

type Content = { version: 1; registries: Record<string, SignedIn> };

/** A lock that is older than this was left behind, in milliseconds; nothing that holds it takes as long. */
const lockLasts = 60_000;
const pollEvery = 100;

/** The file with the sign-ins: `mcp-gateway/credentials.json` in XDG_CONFIG_HOME or `~/.config`. */
function storePath({ env }: Pick<Terminal, 'env'>): string {
  const config = env.XDG_CONFIG_HOME || join(env.HOME || homedir(), '.config');
  return join(config, 'mcp-gateway', 'credentials.json');
}

/** The sign-in at a registry; undefined when there is none. */
export async function signedInAt(terminal: Terminal, registryUrl: string): Promise<SignedIn | undefined> {
  const { registries } = await read(storePath(terminal));
  return Object.hasOwn(registries, registryUrl) ? registries[registryUrl] : undefined;
}

/**
 * Changes what is kept of a registry while nobody else does: `change` gets what is there now and gives what is to be
 * there, undefined for nothing. The file is written whole, for its owner only.
 */
export async function changeSignIn(
  terminal: Terminal,
  registryUrl: string,
  change: (present: SignedIn | undefined) => Promise<SignedIn | undefined> | SignedIn | undefined,
): Promise<SignedIn | undefined> {
  const path = storePath(terminal);
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  return locked(path, terminal, async () => {
    const { registries } = await read(path);
    const { [registryUrl]: present, ...others } = registries;
    const next = await change(present);
    if (next === present) return next;
    const content: Content = { version: 1, registries: next ? { ...others, [registryUrl]: next } : others };
    await writeSecret('/', path, `${JSON.stringify(content, null, 2)}\n`);
    return next;
  });
}

async function read(path: string): Promise<Content> {
  try {
    const content = JSON.parse(await readFile(path, 'utf8')) as Partial<Content> | null;
    if (content?.version === 1 && typeof content.registries === 'object') return content as Content;
  } catch (cause) {
    if (cause instanceof Error && 'code' in cause && cause.code === 'ENOENT')
      return { version: 1, registries: {} };
    if (!(cause instanceof SyntaxError)) throw new Trouble(`${path} cannot be read.`, { cause });
  }
  throw new Trouble(`${path} is not a file that mcp-gateway auth login wrote.`, {
    remedy: `Remove it and sign in again: rm ${path}; mcp-gateway auth login`,
  });
}

/** Does work while holding the lock file: two commands at once would use one refresh token twice. */
async function locked<T>(path: string, { clock }: Terminal, work: () => Promise<T>): Promise<T> {
  const lock = `${path}.lock`;
  const until = clock.now() + lockLasts;
  while (!(await taken(lock))) {
    const left = await stat(lock).then(
      ({ mtimeMs }) => Date.now() - mtimeMs > lockLasts,
      () => false,
    );
    if (left || clock.now() > until) await rm(lock, { force: true });
    else await clock.pause(pollEvery);
  }
  try {
    return await work();
  } finally {
    await rm(lock, { force: true });
  }
}

async function taken(lock: string): Promise<boolean> {
  try {
    await (await open(lock, 'wx', 0o600)).close();
    return true;
  } catch (cause) {
    if (cause instanceof Error && 'code' in cause && cause.code === 'EEXIST') return false;
    throw new Trouble(`${lock} cannot be written.`, { cause });
  }
}
