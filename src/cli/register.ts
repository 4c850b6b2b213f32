import type { z } from 'zod';
import type { Api } from '../contract/client.ts';
import type { Server, ServerInput } from '../contract/servers.ts';
import type { Run } from './command.ts';
import { faultLine, readJsonFile } from './json-file.ts';
import type { JsonPlaces } from './json-places.ts';
import { serverFields } from './server-view.ts';
import type { Terminal } from './terminal.ts';
import { Trouble } from './trouble.ts';

type Registration = ServerInput & { is_enabled?: boolean };

/** The action of `register`: registers, or with `--overwrite` replaces, what the file describes. */
export async function register(
  { api, output, terminal }: Run,
  { config, overwrite = false }: { config: string; overwrite?: boolean },
): Promise<void> {
  const registration = await readRegistration(config, terminal);
  const call = await api();
  const { server, replaced } = await put(call, registration, overwrite);
  output.result(server, (paint) => serverFields(server, paint));
  if (output.json) return;
  output.note(`${replaced ? 'Replaced' : 'Registered'} ${server.path}.`);
  if (!server.is_enabled) output.note(`Switch it on with: mcp-gateway toggle --path ${server.path}`);
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
      throw new Trouble(error.message, { ...error.about, remedy: 'Say --overwrite to replace it.' });
    return { server: await replace(call, registration), replaced: true };
  }
}

async function replace(call: Api, { is_enabled, ...body }: Registration): Promise<Server> {
  const params = { path: body.path };
  const server = await call('servers.replace', { params, body });
  return is_enabled === undefined || is_enabled === server.is_enabled
    ? server
    : call('servers.toggle', { params, body: { enabled: is_enabled } });
}

async function readRegistration(config: string, terminal: Terminal): Promise<Registration> {
  const { name, value, places } = await readJsonFile(config, terminal);
  const { serverEndpoints } = await import('../contract/servers.ts');
  const result = serverEndpoints['servers.register'].body.safeParse(value);
  if (result.success) return value as Registration;
  const faults = result.error.issues.flatMap((issue) => faultLines(issue, places));
  throw new Trouble(`${name} does not describe a server.`, { faults, remedy: remedyFor(value) });
}

/** One line for each thing that an issue of the schema is about, with its place in the file. */
function faultLines(issue: z.core.$ZodIssue, places: JsonPlaces): string[] {
  const line = (path: string, message: string): string => faultLine(places, path, message);
  const path = issue.path.join('.');
  if (issue.code === 'unrecognized_keys')
    return issue.keys.map((key) => line(path ? `${path}.${key}` : key, 'is not a field of a server'));
  return [line(path, places.at(path) ? issue.message : 'is missing')];
}

function remedyFor(value: unknown): string {
  const record = typeof value === 'object' && value !== null ? value : {};
  return 'mcpServers' in record || 'servers' in record
    ? "This looks like a client's list of servers; give one server with server_name, path and proxy_pass_url."
    : 'It needs at least server_name, path and proxy_pass_url; examples/server.json shows a complete one.';
}
