import type { ServerInput } from '../contract/servers/servers.ts';
import { isObject } from '../contract/values/json.ts';
import { type AddCommands, addCommand, pathOption, type Run } from './command.ts';
import { jsonPlaces } from './input/json-places.ts';
import { serverFields } from './output/server-view.ts';
import { misuse } from './trouble.ts';

type JsonObject = Record<string, never>;

interface UpdateFlags {
  path: string;
  body?: string;
  serverName?: string;
  description?: string;
  proxyPassUrl?: string;
  tags?: string;
  license?: string;
  metadata?: string;
  ifMatch?: string;
}

const ifMatch = [
  '--if-match <etag>',
  'only if it still has this revision (from `server get --json`)',
] as const;

/** `update-server` and `patch-server`: what is said about a server that is registered. */
export const addServerUpdates: AddCommands = (program, on) => {
  addCommand(program, 'update-server', {
    summary: 'Change the registration of a server: single fields as options, or all of it with --body',
    examples: [
      'mcp-gateway update-server --path /currenttime --description "Tells the time" --tags time,demo',
      `mcp-gateway update-server --path /currenttime --body '{"server_name": "Time", "path": "/currenttime", "proxy_pass_url": "https://time.example.com/mcp"}'`,
    ],
  })
    .addOption(pathOption())
    .option('--body <json>', 'the complete registration; fields left out get their default')
    .option('--server-name <name>', 'its name')
    .option('--description <text>', 'what it does')
    .option('--proxy-pass-url <url>', 'address of the server')
    .option('--tags <a,b>', 'tags, replacing the current ones')
    .option('--license <license>', 'its license')
    .option('--metadata <json>', 'metadata fields to change; null removes one')
    .option(...ifMatch)
    .action(on(update));

  addCommand(program, 'patch-server', {
    summary: 'Change fields of a server with a JSON merge patch (RFC 7396)',
    examples: [`mcp-gateway patch-server --path /currenttime --patch '{"tags": ["time"], "version": null}'`],
  })
    .addOption(pathOption())
    .requiredOption('--patch <json>', 'fields to change; null resets one to its default')
    .option(...ifMatch)
    .action(on(patch));
};

async function update(run: Run, flags: UpdateFlags): Promise<void> {
  const { path, body } = flags;
  const { serverName, description, proxyPassUrl, tags, license, metadata } = flags;
  const given = Object.entries({
    ...{ server_name: serverName, description, license, proxy_pass_url: proxyPassUrl },
    tags: tags
      ?.split(',')
      .map((tag) => tag.trim())
      .filter(Boolean),
    metadata: metadata === undefined ? undefined : objectIn(metadata, '--metadata'),
  }).filter(([, value]) => value !== undefined);
  if ((body === undefined) === (given.length === 0))
    throw misuse(
      'Give either --body or the fields to change.',
      'Run `mcp-gateway server update --help` for usage.',
    );
  if (body === undefined) return change(run, path, Object.fromEntries(given) as JsonObject, flags.ifMatch);
  const whole = objectIn(body, '--body') as unknown as ServerInput;
  const params = { path };
  const server = await (await run.api())('servers.replace', {
    ...{ params, body: whole, headers: condition(flags.ifMatch) },
  });
  run.output.result(server, (paint) => serverFields(server, paint));
}

function patch(run: Run, flags: { path: string; patch: string; ifMatch?: string }): Promise<void> {
  return change(run, flags.path, objectIn(flags.patch, '--patch'), flags.ifMatch);
}

async function change(
  { api, output }: Run,
  path: string,
  body: JsonObject,
  revision: string | undefined,
): Promise<void> {
  const headers = condition(revision);
  const server = await (await api())('servers.patch', { params: { path }, body, headers });
  output.result(server, (paint) => serverFields(server, paint));
}

/** A bare number is a revision, whose entity tag has it in quotes. */
function condition(etag: string | undefined): Record<string, string> {
  return etag === undefined ? {} : { 'if-match': /^\d+$/.test(etag) ? `"${etag}"` : etag };
}

function objectIn(text: string, option: string): JsonObject {
  const { fault } = jsonPlaces(text);
  if (fault) throw misuse(`${option} is not valid JSON: column ${fault.column}: ${fault.message}.`);
  const value: unknown = JSON.parse(text);
  if (isObject(value)) return value as JsonObject;
  throw misuse(`${option} is not a JSON object.`);
}
