import { isObject } from '../values/json.ts';
import {
  entryOr,
  type FileEntry,
  type Members,
  pathFromName,
  Refusal,
  type ServerEntry,
  textOf,
} from './entry.ts';
import { credentialOf } from './headers.ts';

/** Whether a value is a `server.json` of the official MCP registry (schema 2025-12-11 and earlier ones). */
export function isOfficialServer(value: Members): boolean {
  const schema = textOf(value.$schema) ?? '';
  return (
    (schema.includes('modelcontextprotocol') && schema.endsWith('server.schema.json')) ||
    (textOf(value.name)?.includes('/') === true &&
      (Array.isArray(value.remotes) || Array.isArray(value.packages)))
  );
}

/** A `server.json`: its first remote becomes the registration; packages alone cannot be reached over HTTP. */
export function readOfficialServer(value: Members, at = ''): FileEntry {
  const name = textOf(value.name) ?? 'server';
  return entryOr({ name, at }, () => readRemotes(value, name, at));
}

function readRemotes(value: Members, name: string, at: string): ServerEntry {
  const remotes = (Array.isArray(value.remotes) ? value.remotes : []).filter(isObject);
  const transportOf = (remote: Members): string =>
    (textOf(remote.type) ?? textOf(remote.transport_type) ?? '').toLowerCase();
  const remote = remotes.find((one) => transportOf(one).includes('http')) ?? remotes[0];
  if (!remote)
    throw new Refusal(
      'It lists packages to run and no remote endpoint, and the gateway reaches servers over HTTP only.',
      'Run one of its packages with a Streamable HTTP endpoint and register that URL.',
    );
  const short = name.split('/').at(-1) ?? name;
  const path = pathFromName(short);
  const { url, notes } = filledUrl(remote, path);
  const isSse = transportOf(remote) === 'sse';
  const pairs = headersOf(remote);
  const reading = credentialOf(pairs, path);
  const repository = isObject(value.repository) ? textOf(value.repository.url) : undefined;
  return {
    ...{ kind: 'server', name: textOf(value.title) ?? short, at },
    body: {
      server_name: textOf(value.title) ?? short,
      path,
      proxy_pass_url: url,
      ...(isSse ? { sse_endpoint: url, supported_transports: ['sse'] } : { mcp_endpoint: url }),
      ...(textOf(value.description) ? { description: value.description } : {}),
      ...(textOf(value.version) ? { version: value.version } : {}),
      metadata: {
        registry_name: name,
        ...(repository ? { repository } : {}),
        ...(textOf(value.websiteUrl) ? { website: value.websiteUrl } : {}),
      },
    },
    credential: reading.credential,
    notes: [...notes, ...reading.notes],
  };
}

/** Headers with a value, and required ones without, which become a credential to fill in. */
function headersOf(remote: Members): [string, string | undefined][] {
  const headers = (Array.isArray(remote.headers) ? remote.headers : []).filter(isObject);
  return headers.flatMap((header): [string, string | undefined][] => {
    const name = textOf(header.name);
    const value = textOf(header.value) ?? textOf(header.default);
    const isRequired = (header.isRequired ?? header.is_required) === true;
    return name && (value !== undefined || isRequired) ? [[name, value]] : [];
  });
}

/** URL templates (`https://{tenant}.example.com/mcp`) take the defaults of their variables. */
function filledUrl(remote: Members, path: string): { url: string; notes: string[] } {
  const variables = isObject(remote.variables) ? remote.variables : {};
  const open: string[] = [];
  const url = (textOf(remote.url) ?? '').replace(/\{([\w-]+)\}/g, (whole, name: string) => {
    const variable = variables[name];
    const value = isObject(variable) ? (textOf(variable.value) ?? textOf(variable.default)) : undefined;
    if (value === undefined) open.push(name);
    return value ?? whole;
  });
  if (url === '') throw new Refusal('Its remote has no URL.', 'Add the URL of its endpoint.');
  if (open.length > 0)
    throw new Refusal(
      `Its URL needs a value for ${open.map((name) => `{${name}}`).join(' and ')}.`,
      `Write the whole URL into remotes[].url, then import it again as ${path}.`,
    );
  return { url, notes: [] };
}
