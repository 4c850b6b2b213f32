import { resolve } from 'node:path';
import { tracedFetch } from '../api.ts';
import type { Output } from '../output/output.ts';
import type { Terminal } from '../terminal.ts';
import { asTrouble, Trouble } from '../trouble.ts';
import { askToken, EntraRefusal } from './entra-tokens.ts';
import { changeSignIn, type SignedIn, signedInAt } from './login-store.ts';
import { type FoundToken, howToGetToken, tokenIn, tokenInFile } from './token-file.ts';

/** A token with less time left than this is renewed first, in milliseconds. */
const leastLeft = 60_000;

/**
 * The token of the sign-in at a registry, renewed when it is about to expire; undefined when nobody is signed in there.
 * A sign-in that cannot be renewed is a trouble: no other credential takes its place.
 */
async function signedInToken(
  terminal: Terminal,
  registryUrl: string,
  debug: (line: string) => void,
): Promise<FoundToken | undefined> {
  const found = await signedInAt(terminal, registryUrl);
  if (!found) return undefined;
  const isFresh = (one: SignedIn): boolean => Date.parse(one.expires_at) - terminal.clock.now() >= leastLeft;
  const fresh = isFresh(found)
    ? found
    : await changeSignIn(terminal, registryUrl, (present) =>
        // Another command may have renewed it, or signed out, while this one waited.
        present === undefined || isFresh(present) ? present : renewed(present, terminal, debug),
      );
  if (!fresh) return undefined;
  return { token: fresh.access_token, source: `the sign-in of ${fresh.username} (mcp-gateway auth login)` };
}

async function renewed(
  present: SignedIn,
  { clock }: Terminal,
  debug: (line: string) => void,
): Promise<SignedIn> {
  const { refresh_token, token_endpoint, client_id, scope, username, provider } = present;
  if (!refresh_token) throw over(username, 'it has expired');
  const asked = clock.now();
  try {
    // What the person narrowed at the gateway must not be asked for in full again; what was granted is the default.
    const scopes: Record<string, string> = provider === 'gateway' ? {} : { scope };
    const form = { grant_type: 'refresh_token', client_id, refresh_token, ...scopes };
    const token = await askToken(tracedFetch(debug), token_endpoint, form);
    return {
      ...present,
      access_token: token.access_token,
      refresh_token: token.refresh_token ?? refresh_token,
      expires_at: new Date(asked + token.expires_in * 1000).toISOString(),
    };
  } catch (error) {
    if (error instanceof EntraRefusal) throw over(username, error.message, error);
    const { message, about } = asTrouble(error);
    throw new Trouble(`The sign-in of ${username} cannot be renewed now: ${message}`, about);
  }
}

function over(username: string, why: string, cause?: unknown): Trouble {
  return new Trouble(`The sign-in of ${username} is over: ${why}`.replace(/\.?$/, '.'), {
    remedy: 'Sign in again with `mcp-gateway auth login`.',
    cause,
  });
}

/** No one is signed in, and no token was given; some commands can do without. */
export class NoToken extends Trouble {
  constructor() {
    super('This command needs a token.', { exitCode: 2, remedy: howToGetToken });
  }
}

/**
 * Finds the caller's token: `--token-file`, then MCP_GATEWAY_TOKEN_FILE, then MCP_GATEWAY_TOKEN (the token itself), then
 * the sign-in at the registry. The first that is given counts, also when it is of no use: nobody acts as somebody else
 * than meant. Throws a trouble with the remedy when there is none; a file that others can read is warned about.
 */
export async function findToken(
  tokenFile: string | undefined,
  registryUrl: string,
  terminal: Terminal,
  { warn, debug }: Pick<Output, 'warn' | 'debug'>,
): Promise<FoundToken> {
  const { env, cwd } = terminal;
  const file = tokenFile ?? (env.MCP_GATEWAY_TOKEN_FILE || undefined);
  if (file !== undefined) {
    return { token: await tokenInFile(resolve(cwd, file), file, warn), source: file };
  }
  if (env.MCP_GATEWAY_TOKEN)
    return { token: tokenIn(env.MCP_GATEWAY_TOKEN, 'MCP_GATEWAY_TOKEN'), source: 'MCP_GATEWAY_TOKEN' };
  const signedIn = await signedInToken(terminal, registryUrl, debug);
  if (signedIn) return signedIn;
  throw new NoToken();
}
