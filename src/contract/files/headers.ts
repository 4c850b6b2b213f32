import { isObject } from '../values/json.ts';
import { type FileCredential, type Members, parsedOr, textOf } from './entry.ts';

/** What a file says about the headers that go to a server. */
export interface HeaderReading {
  readonly credential: FileCredential | null;
  readonly notes: readonly string[];
}

/** `${KEY}`, `${env:KEY}`, `${input:key}`, `$KEY`, `Bearer $KEY`, `{key}`, `%KEY%`, `<your key>`, `YOUR_API_KEY`: a value to be filled in. */
const placeholder =
  /\$\{[^${}]*\}|^(?:Bearer )?\$[A-Za-z_]\w*$|\{[A-Za-z_][\w-]*\}|^%\w+%$|<[^<>]+>|^(?:Bearer )?(?:your|my)[-_ ]?\w{0,40}(?:token|key|secret)\w{0,40}$|^x{4,}$/i;

/** Headers as an object, as a list of `{name, value}`, as a list of single-member objects, or any of these as JSON text. */
export function headerPairs(value: unknown): [string, string | undefined][] {
  const given = parsedOr(value, undefined);
  if (Array.isArray(given)) return given.filter(isObject).flatMap((header) => pairOf(header));
  if (!isObject(given)) return [];
  return Object.entries(given).map(([name, text]) => [name, typeof text === 'string' ? text : undefined]);
}

function pairOf(header: Members): [string, string | undefined][] {
  const name = textOf(header.name) ?? textOf(header.key);
  if (name) return [[name, typeof header.value === 'string' ? header.value : undefined]];
  return Object.entries(header).map(([key, text]) => [key, typeof text === 'string' ? text : undefined]);
}

/**
 * Turns the headers of a client's or another registry's file into the credential that the gateway sends: `Authorization:
 * Bearer x` becomes a bearer credential, the first header that looks like a key an API key, the others further headers. A
 * placeholder is no value: the note says which credential has to be set afterwards.
 */
export function credentialOf(
  pairs: readonly (readonly [string, string | undefined])[],
  path: string,
): HeaderReading {
  const notes: string[] = [];
  let main: Omit<FileCredential, 'custom_headers'> | undefined;
  const further: { name: string; value: string }[] = [];
  for (const [name, raw] of pairs) {
    if (ignored.has(name.toLowerCase())) continue;
    const value = raw?.trim();
    if (!value || placeholder.test(value)) {
      const isBearer = name.toLowerCase() === 'authorization';
      notes.push(
        `The header '${name}' has no value in the file. Set it with: mcp-gateway server credential ${path} ` +
          `--auth-scheme ${isBearer ? 'bearer' : `api_key --auth-header-name ${name}`} --credential-stdin`,
      );
      continue;
    }
    const [, token] = /^Bearer\s+(\S.*)$/i.exec(value) ?? [];
    if (name.toLowerCase() === 'authorization' && token && !main)
      main = { auth_scheme: 'bearer', auth_credential: token };
    else if (!main && /key|token|secret|auth/i.test(name))
      main = { auth_scheme: 'api_key', auth_credential: value, auth_header_name: name };
    else further.push({ name, value });
  }
  const custom = further.length > 0 ? { custom_headers: further } : {};
  const credential = main
    ? { ...main, ...custom }
    : further.length > 0
      ? { auth_scheme: 'none' as const, ...custom }
      : null;
  return { credential, notes };
}

/** The client's own protocol headers, which the gateway writes itself. */
const ignored = new Set(['accept', 'content-type', 'user-agent', 'mcp-protocol-version', 'mcp-session-id']);
