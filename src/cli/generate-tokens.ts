import { mkdir, readFile, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { tracedFetch } from './api.ts';
import type { Run } from './command.ts';
import { mapBounded } from './input/bounded.ts';
import type { Entry, Identity } from './input/identities.ts';
import { writeSecret } from './input/write-secret.ts';
import { askToken, EntraRefusal, endpointOf } from './sign-in/entra-tokens.ts';
import { asTrouble, Trouble } from './trouble.ts';

/** How many identities get their tokens at the same time. */
const atOnce = 8;
/** The part of its life after which a token is renewed. */
const renewAfter = 0.8;

/** Where tokens come from and go to. */
export interface Errand {
  readonly loginUrl: string;
  readonly identitiesFile: string;
  readonly outputDir: string;
  /** Leaves a token that is good for a while yet as it is. */
  readonly keepGood: boolean;
}

/** What came of an identity. */
export interface Outcome {
  readonly name: string;
  readonly file: string | null;
  /** ISO 8601. */
  readonly expiresAt: string | null;
  /** When to renew it, in milliseconds since 1970. */
  readonly renewAt: number | null;
  readonly kept: boolean;
  readonly error: string | null;
}

/** Gets a token for each identity and writes it to its file; a failure concerns its identity only. */
export function generateAll(run: Run, errand: Errand, entries: readonly Entry[]): Promise<Outcome[]> {
  return mapBounded(entries, atOnce, (entry) => generate(run, errand, entry));
}

/** Makes the folder that tokens go to, for its owner only; warns when it was there and others can look into it. */
export async function makeFolder({ terminal, output }: Run, name: string): Promise<void> {
  const path = resolve(terminal.cwd, name);
  try {
    await mkdir(path, { recursive: true, mode: 0o700 });
    const { mode } = await stat(path);
    // A folder that was there before may be in use for other things: what it is for is not ours to change.
    if (process.platform !== 'win32' && (mode & 0o077) !== 0)
      output.warn(`the folder ${name} can be read by others; run: chmod 700 ${name}`);
  } catch (cause) {
    const code = cause instanceof Error && 'code' in cause ? String(cause.code) : 'unknown error';
    throw new Trouble(`The folder ${name} cannot be created (${code}).`, { cause });
  }
}

async function generate(run: Run, errand: Errand, entry: Entry): Promise<Outcome> {
  const { name } = entry;
  const nothing = { name, file: null, expiresAt: null, renewAt: null, kept: false };
  if ('fault' in entry) return { ...nothing, error: entry.fault };
  const { identity } = entry;
  const file = join(errand.outputDir, `${name}.json`);
  try {
    const path = resolve(run.terminal.cwd, file);
    if (path === resolve(run.terminal.cwd, errand.identitiesFile))
      throw new Trouble('its token would overwrite the identities file; give it another identity_name');
    const good = errand.keepGood ? await goodToken(path, identity, run.terminal.clock.now()) : undefined;
    if (good) return { ...nothing, file, ...good, kept: true, error: null };
    return { ...nothing, file, ...(await renew(run, errand, identity, file)), error: null };
  } catch (error) {
    return { ...nothing, error: wordsOf(error, identity) };
  }
}

async function renew(
  { terminal, output }: Run,
  { loginUrl }: Errand,
  identity: Identity,
  file: string,
): Promise<Pick<Outcome, 'expiresAt' | 'renewAt'>> {
  const { identity_name, tenant_id, client_id, client_secret, scope } = identity;
  const url = endpointOf(loginUrl, tenant_id, 'token');
  const asked = terminal.clock.now();
  const { access_token, token_type, expires_in } = await askToken(tracedFetch(output.debug), url, {
    ...{ grant_type: 'client_credentials', client_id, client_secret, scope },
  });
  const expiresAt = new Date(asked + expires_in * 1000).toISOString();
  const content = {
    ...{ identity_name, access_token, token_type, expires_in },
    ...{ generated_at: new Date(asked).toISOString(), expires_at: expiresAt },
    ...{ provider: 'entra', tenant_id, client_id, scope },
  };
  await writeSecret(terminal.cwd, file, `${JSON.stringify(content, null, 2)}\n`);
  return { expiresAt, renewAt: asked + expires_in * 1000 * renewAfter };
}

/** The token in a file of ours, when it is of the same identity and not due for renewal. */
async function goodToken(
  path: string,
  { tenant_id, client_id, scope }: Identity,
  now: number,
): Promise<Pick<Outcome, 'expiresAt' | 'renewAt'> | undefined> {
  try {
    const held = JSON.parse(await readFile(path, 'utf8')) as Record<string, unknown>;
    const same = held.tenant_id === tenant_id && held.client_id === client_id && held.scope === scope;
    const [from, to] = [Date.parse(String(held.generated_at)), Date.parse(String(held.expires_at))];
    const renewAt = from + (to - from) * renewAfter;
    if (!same || typeof held.access_token !== 'string' || !(renewAt > now)) return undefined;
    return { expiresAt: String(held.expires_at), renewAt };
  } catch {
    return undefined; // None, or none of ours: a new one is written.
  }
}

/** Why an identity has no token; the contract's words for a secret speak of the gateway's own. */
function wordsOf(error: unknown, { client_id }: Identity): string {
  const { message, about } = asTrouble(error);
  const code = error instanceof EntraRefusal ? error.aadsts : undefined;
  if (code === 7000215 || code === 7000222)
    return `AADSTS${code}: its client_secret ${code === 7000222 ? 'has expired' : 'is not right'}. Get a new one with: mcp-gateway app rotate-secret ${client_id}`;
  return [message, about.remedy].filter(Boolean).join(' ');
}
