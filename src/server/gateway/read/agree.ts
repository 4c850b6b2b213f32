import type { AskedCall, Message } from './read-call.ts';

/** The headers by which a client repeats what its body says (MCP 2026-07-28, SEP-2243). */
export interface RepeatedHeaders {
  readonly version: string | undefined;
  readonly method: string | undefined;
  readonly name: string | undefined;
}

/** JSON-RPC code of MCP 2026-07-28: a header does not say what the body says. */
export const headerMismatch = -32020;

const modernSince = '2026-07-28';
/** Versions whose transport has JSON-RPC batches; without a version header, 2025-03-26 is assumed. */
const batching: ReadonlySet<string | undefined> = new Set([undefined, '2024-11-05', '2025-03-26']);
const dated = /^\d{4}-\d{2}-\d{2}$/;
const sentinel = /^=\?base64\?([A-Za-z0-9+/]*={0,2})\?=$/;

/** Whether the protocol version that a request states allows a batch. */
export function mayBatch(version: string | undefined): boolean {
  return batching.has(version);
}

/**
 * What a header and the body disagree about, in words; undefined when they agree. Headers that are present are always
 * compared; those that 2026-07-28 requires must be there once the version header or the body states that era.
 */
export function disagreement(
  asked: AskedCall,
  headers: RepeatedHeaders,
  areRequired = true,
): string | undefined {
  const [message] = asked.messages;
  if (asked.batch)
    return (headers.method ?? headers.name) === undefined
      ? undefined
      : 'Mcp-Method and Mcp-Name cannot describe a batch';
  if (message.kind === 'response')
    return headers.name === undefined ? undefined : 'Mcp-Name cannot describe a response';
  const fault =
    versionFault(message, headers) ?? methodFault(message, headers) ?? nameFault(message, headers);
  return !areRequired && fault?.endsWith(missing) ? undefined : fault;
}

const missing = ' is missing';

function isModern(message: Message, headers: RepeatedHeaders): boolean {
  const { version } = headers;
  return (
    message.version !== undefined || (version !== undefined && dated.test(version) && version >= modernSince)
  );
}

function versionFault(message: Message, { version }: RepeatedHeaders): string | undefined {
  if (message.version === undefined) return undefined;
  if (version === undefined)
    return message.kind === 'request' ? `the header MCP-Protocol-Version${missing}` : undefined;
  return version === message.version ? undefined : 'MCP-Protocol-Version is not the version in the body';
}

function methodFault(message: Message, headers: RepeatedHeaders): string | undefined {
  if (headers.method !== undefined)
    return headers.method === message.method ? undefined : 'Mcp-Method is not the method in the body';
  return message.kind === 'request' && isModern(message, headers)
    ? `the header Mcp-Method${missing}`
    : undefined;
}

/** Methods for which 2026-07-28 and its extension for tasks require `Mcp-Name`. */
const mustBeNamed: ReadonlySet<string> = new Set([
  ...['tools/call', 'prompts/get', 'resources/read'],
  ...['tasks/get', 'tasks/update', 'tasks/cancel'],
]);

/** Compared wherever it stands: what is in front of the server may route by it, whatever the method. */
function nameFault(message: Message, headers: RepeatedHeaders): string | undefined {
  const { name, method } = message;
  if (headers.name !== undefined)
    return name !== undefined && decodeName(headers.name) === name
      ? undefined
      : 'Mcp-Name is not the name in the body';
  return message.kind === 'request' &&
    name !== undefined &&
    mustBeNamed.has(method) &&
    isModern(message, headers)
    ? `the header Mcp-Name${missing}`
    : undefined;
}

/** The value of an `Mcp-Name` header, decoded when it is `=?base64?...?=`; undefined when that is malformed. */
export function decodeName(value: string): string | undefined {
  const encoded = sentinel.exec(value)?.[1];
  if (encoded === undefined) return value.startsWith('=?base64?') ? undefined : value;
  const bytes = Buffer.from(encoded, 'base64');
  const text = bytes.toString('utf8');
  return Buffer.from(text, 'utf8').equals(bytes) ? text : undefined;
}

const plainHeader = /^[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?$/;

/** A value as an `Mcp-Name` or `Mcp-Param` header has it: as it is, or as `=?base64?...?=` (MCP 2026-07-28). */
export function headerValue(value: string): string {
  if (plainHeader.test(value) && !value.startsWith('=?base64?')) return value;
  return `=?base64?${Buffer.from(value, 'utf8').toString('base64')}?=`;
}
