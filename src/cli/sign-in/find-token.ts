import { resolve } from 'node:path';
import type { Output } from '../output/output.ts';
import type { Terminal } from '../terminal.ts';
import { misuse } from '../trouble.ts';
import { signedInToken } from './signed-in-token.ts';
import { type FoundToken, howToGetToken, tokenIn, tokenInFile } from './token-file.ts';

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
  throw misuse('This command needs a token.', howToGetToken);
}
