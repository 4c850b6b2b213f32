import { readFile, stat } from 'node:fs/promises';
import { textOfFile } from '../../contract/values/file-text.ts';
import { Trouble } from '../trouble.ts';

/** How to get a token, for messages. */
export const howToGetToken =
  'Sign in with `mcp-gateway auth login`. Or create a token with `mcp-gateway token create --output .token` (evaluation mode) or with Get JWT Token in the web UI, and pass it with --token-file.';

/** Where a token was found, and the token. */
export interface FoundToken {
  readonly token: string;
  /** In words, for messages: never the token itself. */
  readonly source: string;
}

/** Reads the token in a file, called `name` in messages; a file that others can read is warned about. */
export async function tokenInFile(path: string, name: string, warn: (text: string) => void): Promise<string> {
  return tokenIn(await readTokenFile(path, name, warn), `The token file ${name}`);
}

async function readTokenFile(path: string, name: string, warn: (text: string) => void): Promise<string> {
  try {
    const { mode } = await stat(path);
    if (process.platform !== 'win32' && (mode & 0o077) !== 0)
      warn(`the token file ${name} can be read by others; run: chmod 600 ${name}`);
    return textOfFile(await readFile(path));
  } catch (cause) {
    const code = cause instanceof Error && 'code' in cause ? String(cause.code) : 'unknown error';
    const why = code === 'ENOENT' ? 'does not exist' : `cannot be read (${code})`;
    throw new Trouble(`The token file ${name} ${why}.`, { remedy: howToGetToken, cause, exitCode: 2 });
  }
}

/**
 * The token in the text of a token file: JSON with `access_token` at the top or inside `tokens` or `token_data`, or else
 * the whole text. `name` begins the message when there is none.
 */
export function tokenIn(text: string, name: string): string {
  const trimmed = text.replace(/^\ufeff/, '').trim();
  if (!trimmed) throw new Trouble(`${name} is empty.`, { remedy: howToGetToken });
  const json = asRecord(parsed(trimmed));
  const found = json
    ? [json, asRecord(json.tokens), asRecord(json.token_data)].map((part) => part?.access_token)
    : [trimmed.replace(/^bearer\s+/i, '')];
  const token = found.find((value) => typeof value === 'string' && value !== '');
  if (typeof token !== 'string')
    throw new Trouble(`${name} is JSON, but has no access_token in it.`, {
      remedy: `It must have access_token, tokens.access_token or token_data.access_token. ${howToGetToken}`,
    });
  // What a header cannot carry is not a token: say so here, where the file is known.
  if (!/^[\x21-\x7e]+$/.test(token))
    throw new Trouble(`${name} does not hold a token: there are spaces or control characters in it.`, {
      remedy: howToGetToken,
    });
  return token;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function asRecord(value: unknown): Record<string, unknown> | undefined {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined;
}
