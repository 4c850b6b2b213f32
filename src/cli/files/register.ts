import type { z } from 'zod';
import type { Api } from '../../contract/client.ts';
import type { RefusedEntry, ServerEntry } from '../../contract/files/entry.ts';
import type { Registration, Server } from '../../contract/servers/servers.ts';
import type { Run } from '../command.ts';
import { faultLine } from '../input/json-file.ts';
import { serverFields, serverTable } from '../output/server-view.ts';
import { misuse, Trouble } from '../trouble.ts';
import { type ReadFile, readEntries } from './read-file.ts';

interface RegisterFlags {
  config: string;
  overwrite?: boolean;
  only?: string;
  path?: string;
}

/** The action of `register`: registers every server that the file describes, or with `--overwrite` replaces it. */
export async function register(run: Run, flags: RegisterFlags): Promise<number> {
  const { api, output, terminal } = run;
  const file = await readEntries(flags.config, terminal);
  const { wanted, refused } = chosen(file, flags);
  const registrations = await Promise.all(wanted.map((entry) => validated(file, entry, flags)));
  const call = await api();
  const [first] = registrations;
  if (registrations.length === 1 && first && refused.length === 0) {
    const { server, replaced } = await put(call, first.registration, flags.overwrite ?? false);
    output.result(server, (paint) => serverFields(server, paint));
    for (const note of first.notes) output.note(note);
    if (!output.json) sayHow(run, server, replaced);
    return 0;
  }
  return registerAll(run, call, { registrations, refused, overwrite: flags.overwrite ?? false });
}

/** The servers of the file that are meant; everything else in it that can't be taken is told. */
function chosen({ name, entries }: ReadFile, { only, path }: RegisterFlags) {
  const named = entries.filter((entry) => only === undefined || entry.name === only);
  const wanted = named.filter((entry): entry is ServerEntry => entry.kind === 'server');
  const refused = named.filter((entry): entry is RefusedEntry => entry.kind === 'refused');
  if (named.length === 0)
    throw misuse(
      `${name} has no server '${only}'.`,
      `It has: ${entries.map((entry) => entry.name).join(', ')}.`,
    );
  const [first] = refused;
  if (wanted.length === 0 && first)
    throw new Trouble(`${first.name}: ${first.reason}`, { remedy: first.remedy });
  if (wanted.length === 0)
    throw new Trouble(`${name} does not describe a server.`, {
      remedy: elsewhere[named[0]?.kind ?? 'scope'] ?? '',
    });
  if (path !== undefined && wanted.length > 1)
    throw misuse('--path goes with one server, and the file has several.', 'Choose one with --only NAME.');
  return { wanted, refused };
}

/** What to do with a file that describes something else. */
const elsewhere: Readonly<Record<string, string>> = {
  agent: 'It describes an agent: register it with `mcp-gateway agent register FILE`.',
  scope: 'It describes a scope: import it with `mcp-gateway scope import FILE`.',
  virtual_server: 'It describes a virtual server: create it with `mcp-gateway virtual create FILE`.',
  egress: 'It says whose credentials go to a server: import it with mcp-gateway import --file FILE.',
};

interface Checked {
  readonly name: string;
  readonly registration: Registration;
  readonly notes: readonly string[];
}

async function validated(file: ReadFile, entry: ServerEntry, { path }: RegisterFlags): Promise<Checked> {
  const { serverEndpoints } = await import('../../contract/servers/servers.ts');
  const value = {
    ...entry.body,
    ...(path === undefined ? {} : { path }),
    ...(entry.credential ? { credential: entry.credential } : {}),
  };
  const result = serverEndpoints['servers.register'].body.safeParse(value);
  if (result.success)
    return { name: entry.name, registration: value as unknown as Registration, notes: entry.notes };
  const faults = result.error.issues.map((issue) => lineOf(file, entry, issue));
  const which = file.entries.length > 1 ? ` as ${entry.name}` : '';
  throw new Trouble(`${file.name} does not describe a server${which}.`, {
    faults,
    remedy:
      'It needs at least server_name, path and proxy_pass_url; examples/server.json shows a complete one.',
  });
}

/** One line for what an issue is about, with its place in the file where that is known. */
function lineOf({ places }: ReadFile, { at }: ServerEntry, issue: z.core.$ZodIssue): string {
  const path = [at, ...issue.path.map(String)].filter((part) => part !== '').join('.');
  const [unknown] = issue.code === 'unrecognized_keys' ? issue.keys : [];
  const full = unknown === undefined ? path : [path, unknown].filter(Boolean).join('.');
  const message = unknown === undefined ? issue.message : 'is not a field of a server';
  return places ? faultLine(places, full, message) : `${full ? `${full}: ` : ''}${message}`;
}

async function put(
  call: Api,
  registration: Registration,
  overwrite: boolean,
): Promise<{ server: Server; replaced: boolean }> {
  try {
    return { server: await call('servers.register', { body: registration }), replaced: false };
  } catch (error) {
    if (!(error instanceof Trouble) || error.about.code !== 'conflict') throw error;
    if (!overwrite)
      throw new Trouble(`A server is already registered at ${registration.path}.`, {
        ...error.about,
        remedy: 'To replace it, add --overwrite; to change single fields, use `mcp-gateway server update`.',
      });
    return { server: await replace(call, registration), replaced: true };
  }
}

async function replace(call: Api, { is_enabled, credential, ...body }: Registration): Promise<Server> {
  const params = { path: body.path };
  let server = await call('servers.replace', { params, body });
  if (credential) server = await call('servers.credential', { params, body: credential });
  return is_enabled === undefined || is_enabled === server.is_enabled
    ? server
    : call('servers.toggle', { params, body: { enabled: is_enabled } });
}

function sayHow({ output }: Run, server: Server, replaced: boolean): void {
  output.note(`${replaced ? 'Replaced' : 'Registered'} ${server.path}.`);
  if (!server.is_enabled) output.note(`Enable it with: mcp-gateway server enable ${server.path}`);
}

/** Registers one after the other; one that fails does not keep the others from being registered. */
async function registerAll(
  { output }: Run,
  call: Api,
  {
    registrations,
    refused,
    overwrite,
  }: { registrations: Checked[]; refused: readonly RefusedEntry[]; overwrite: boolean },
): Promise<number> {
  const servers: Server[] = [];
  const failed: { name: string; error: string }[] = [];
  for (const { name, registration, notes } of registrations) {
    try {
      servers.push((await put(call, registration, overwrite)).server);
      for (const note of notes) output.note(`${name}: ${note}`);
    } catch (error) {
      if (!(error instanceof Trouble)) throw error;
      failed.push({ name, error: [error.message, error.about.remedy].filter(Boolean).join(' ') });
    }
  }
  const skipped = refused.map(({ name, reason, remedy }) => ({ name, error: `${reason} ${remedy}` }));
  output.result({ servers, failed, refused: skipped }, (paint, room) =>
    servers.length > 0 ? serverTable(servers, room, paint) : '',
  );
  for (const { name, error } of [...failed, ...skipped]) output.warn(`${name}: ${error}`);
  if (!output.json)
    output.note(`${servers.length} of ${registrations.length + refused.length} servers registered.`);
  return failed.length > 0 ? 1 : 0;
}
