import { type ParseError, parse as parseJsonc, printParseErrorCode, stripComments } from 'jsonc-parser';
import { parse as parseToml, TomlError } from 'smol-toml';
import { isObject } from '../values/json.ts';
import { clientServers, readClientConfig } from './client-config.ts';
import {
  type AgentEntry,
  entryOr,
  type FileEntry,
  type Members,
  parsedOr,
  pathFromName,
  textOf,
} from './entry.ts';
import { isOfficialServer, readOfficialServer } from './official.ts';
import { isScopeDefinition, readScopeDefinition } from './scope-file.ts';
import { isServerRegistration, readServerRegistration } from './server-registration.ts';

/** Whether an object is an A2A card, a wrapped registration of one, or a flat one. */
function isAgent(value: Members): boolean {
  if (isObject(value.card) || (typeof value.card === 'string' && 'path' in value)) return true;
  return (
    'skills' in value ||
    'supportedInterfaces' in value ||
    'defaultInputModes' in value ||
    'default_input_modes' in value ||
    'supportedProtocol' in value ||
    'supported_protocol' in value
  );
}

/** An agent as the API takes it. The server takes the registry's members out of a flat file; the path is named after the card. */
function readAgent(value: Members, at = ''): AgentEntry {
  const wrapped = parsedOr(value.card, undefined);
  const card = isObject(wrapped) ? wrapped : value;
  const name = textOf(card.name) ?? 'agent';
  const body = { ...value, ...(textOf(value.path) ? {} : { path: pathFromName(name) }) };
  return { kind: 'agent', name, at, body, notes: [] };
}

/** The longest file that is read, in characters. */
const maxFileLength = 4 * 1024 * 1024;

/** Most things that one file may describe. */
const maxEntries = 5000;

/** What went wrong while a file was read: line and column count from 1 where they are known. */
export class FileFault extends Error {
  readonly line: number | undefined;
  readonly column: number | undefined;
  constructor(message: string, place: { line?: number | undefined; column?: number | undefined } = {}) {
    super(message);
    this.line = place.line;
    this.column = place.column;
  }
}

/**
 * Reads a file of this trade: registrations of servers, agents and scopes, of this registry and of the one whose setup
 * guide we follow; configurations of MCP clients (JSON with comments, TOML); `server.json` of the official registry; A2A
 * cards; our own exports. Throws a FileFault when the text is neither JSON nor TOML or describes nothing known.
 */
export function readRegistryFile(text: string): FileEntry[] {
  if (text.length > maxFileLength)
    throw new FileFault(`The file is longer than ${maxFileLength} characters.`);
  const entries = entriesOf(parseText(text), '');
  if (entries.length === 0)
    throw new FileFault(
      'The file describes nothing that is known here: no server, client configuration, server.json, agent card or group definition. ' +
        'A server needs at least server_name, path and proxy_pass_url.',
    );
  if (entries.length > maxEntries)
    throw new FileFault(`The file describes more than ${maxEntries} things; split it.`);
  return entries;
}

/** The value of a JSON text, with comments and trailing commas if it has any, or of a TOML text. */
function parseText(given: string): unknown {
  const text = given.replace(/^\ufeff/, '');
  if (text.trim() === '') throw new FileFault('The file is empty.');
  // jsonc-parser would set the prototype of the object that holds it.
  if (/"(?:_|\\u005f){2}proto(?:_|\\u005f){2}"/i.test(text))
    throw new FileFault("A member must not be called '__proto__'.");
  const faults: ParseError[] = [];
  const value: unknown = parseJsonc(text, faults, { allowTrailingComma: true, disallowComments: false });
  const [fault] = faults;
  if (!fault) return value;
  if (!/^\s*[[{"]/.test(stripComments(text)) || looksLikeToml(text)) {
    try {
      return parseToml(text);
    } catch (error) {
      if (error instanceof TomlError && looksLikeToml(text))
        throw new FileFault(`The file is not valid TOML: ${error.message.split('\n')[0]}.`, {
          line: error.line,
          column: error.column,
        });
    }
  }
  const before = text.slice(0, fault.offset).split('\n');
  const place = { line: before.length, column: (before.at(-1)?.length ?? 0) + 1 };
  const reason = printParseErrorCode(fault.error)
    .replace(/([a-z])([A-Z])/g, '$1 $2')
    .toLowerCase();
  throw new FileFault(
    `The file is not valid JSON: line ${place.line}, column ${place.column}: ${reason}.`,
    place,
  );
}

/** A section header or an assignment at the start of a line, which JSON never has. */
function looksLikeToml(text: string): boolean {
  return text
    .split('\n')
    .map((line) => line.trim())
    .some((line) => /^\[\[?[\w."-]+\]/.test(line) || /^[\w-]+\s*=/.test(line));
}

/** Members that hold many of one kind: exports, answers of list endpoints, the official registry's pages. */
const collections = ['servers', 'egress', 'agents', 'virtual_servers', 'scopes', 'groups', 'items'] as const;

function entriesOf(value: unknown, at: string): FileEntry[] {
  if (Array.isArray(value)) return value.flatMap((one, index) => entriesOf(one, join(at, String(index))));
  if (!isObject(value)) return [];
  const clients = clientServers(value);
  if (clients) return readClientConfig({ ...clients, at: join(at, clients.at) });
  const listed = collections.filter((name) => Array.isArray(value[name]));
  const egress = egressIn(value, at);
  if (egress) return [egress];
  if (listed.length > 0 && !isServerRegistration(value) && !isAgent(value) && !isScopeDefinition(value))
    return listed.flatMap((name) => entriesOf(value[name], join(at, name)));
  const one = entryOf(value, at);
  if (one) return [one];
  // `{"server": {...}, "_meta": {...}}`: an entry of the official registry's list.
  return isObject(value.server) ? entriesOf(value.server, join(at, 'server')) : [];
}

function entryOf(value: Members, at: string): FileEntry | undefined {
  if (isScopeDefinition(value)) return readScopeDefinition(value, at);
  if (isOfficialServer(value)) return readOfficialServer(value, at);
  const virtual = virtualServerIn(value, at);
  if (virtual) return virtual;
  const name = textOf(value.server_name) ?? textOf(value.display_name) ?? textOf(value.name) ?? 'server';
  if (isServerRegistration(value)) return entryOr({ name, at }, () => readServerRegistration(value, at));
  if (isAgent(value)) return readAgent(value, at);
  // One server in a client's words, or one whose address was forgotten: the schema then says what is missing.
  if ('url' in value || 'server_name' in value || 'path' in value)
    return entryOr({ name, at }, () => readServerRegistration(value, at));
  return undefined;
}

/** A virtual server: a registration whose path says so, with members or tools of other servers. */
function virtualServerIn(value: Members, at: string): FileEntry | undefined {
  const isOne = 'members' in value || 'tool_mappings' in value;
  if (!isOne || textOf(value.path)?.startsWith('/virtual/') !== true) return undefined;
  const name = textOf(value.server_name) ?? textOf(value.path) ?? 'virtual server';
  return { kind: 'virtual_server', name, at, body: value, notes: [] };
}

/** Whose credentials go to a server, apart from its registration. */
function egressIn(value: Members, at: string): FileEntry | undefined {
  const { path: given, ...body } = value;
  const path = textOf(given);
  if (path === undefined || !('egress_auth_mode' in value) || isServerRegistration(value)) return undefined;
  return { kind: 'egress', name: path, at, path, body, notes: [] };
}

function join(at: string, member: string): string {
  return at === '' ? member : `${at}.${member}`;
}
