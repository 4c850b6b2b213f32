import type { z } from 'zod';
import type { Api } from '../../contract/client.ts';
import type { FileEntry } from '../../contract/files/entry.ts';
import type { Registration, ServerInFull } from '../../contract/servers/servers.ts';
import { isObject } from '../../contract/values/json.ts';
import { plainJson } from '../../contract/values/plain-text.ts';
import { type AddCommands, addCommand, type Run } from '../command.ts';
import { confirm } from '../input/confirm.ts';
import { writeSecret } from '../input/write-secret.ts';
import type { Paint } from '../output/output.ts';
import { type Column, table } from '../output/table.ts';
import { Trouble } from '../trouble.ts';
import { readEntries } from './read-file.ts';

/** The form of an export, told in the file itself. */
const format = 'mcp-gateway-registry/1';

type Members = Record<string, unknown>;

/** `export` and `import`: a whole registry in one file, from staging to production. */
export const addMoveCommands: AddCommands = (program, on) => {
  addCommand(program, 'export', {
    summary:
      'Export every server, agent, virtual server and scope that you can see to one file, without secrets',
    examples: ['mcp-gateway export --output registry.json', 'mcp-gateway export > registry.json'],
  })
    .option('--output <file>', 'file to write (default: standard output)')
    .action(on(exportAll));

  addCommand(program, 'import', {
    summary:
      'Import a file: an export, registrations, client configurations or group files; shows the changes first',
    examples: [
      'mcp-gateway import --file registry.json --dry-run',
      'mcp-gateway import --file .vscode/mcp.json',
    ],
  })
    .requiredOption('--file <file>', 'the file; - reads standard input')
    .option('--dry-run', 'show what would change, and change nothing')
    .option('-y, --yes', 'do not ask for confirmation')
    .action(on(importAll));
};

async function exportAll(
  { api, output, terminal }: Run,
  { output: file }: { output?: string },
): Promise<void> {
  const call = await api();
  const { servers, egress, agents, virtualServers, scopes } = await everything(call);
  const document = {
    format,
    servers: servers.map(registrationOf),
    egress,
    agents: agents.map(({ path, tags, license, metadata, is_enabled, card }) => ({
      ...{ path, tags, license, metadata, is_enabled, card },
    })),
    virtual_servers: virtualServers,
    scopes,
  };
  const text = `${plainJson(document)}\n`;
  if (file === undefined) terminal.stdout.write(text);
  else await writeSecret(terminal.cwd, file, text);
  const secret = [
    ...servers.filter(({ auth_scheme }) => auth_scheme !== 'none').map(({ path }) => path),
    ...egress.filter(({ client_id }) => client_id !== null).map(({ path }) => `${path} (client secret)`),
  ];
  output.note(
    `${[
      counted(servers, 'server'),
      counted(agents, 'agent'),
      counted(virtualServers, 'virtual server'),
      counted(scopes, 'scope'),
    ].join(', ')}${file === undefined ? '' : ` written to ${file}`}.`,
  );
  if (secret.length > 0)
    output.note(`Credentials are not exported; set them again for: ${secret.join(', ')}.`);
}

function counted(things: readonly unknown[], name: string): string {
  return `${things.length} ${name}${things.length === 1 ? '' : 's'}`;
}

/** What a registration takes of a server that is shown: the same in, the same out. */
function registrationOf(server: ServerInFull): Members {
  const { server_name, path, proxy_pass_url, description, tags, license, supported_transports, is_enabled } =
    server;
  const { mcp_endpoint, sse_endpoint, version, forward_authorization, metadata } = server;
  const { pass_headers, call_timeout_seconds } = server;
  return {
    ...{ server_name, path, proxy_pass_url, description, tags, license, supported_transports },
    ...{ mcp_endpoint, sse_endpoint, version, forward_authorization, metadata, is_enabled },
    ...{ pass_headers, call_timeout_seconds },
  };
}

async function everything(call: Api) {
  const listedServers = await pages(async (offset) => {
    const { servers: items, has_next } = await call('servers.list', { query: { limit: 500, offset } });
    return { items, has_next };
  });
  const servers = [];
  for (const { path } of listedServers) servers.push(await call('servers.get', { params: { path } }));
  const egress = [];
  for (const { path, egress_auth_mode: mode, can } of servers)
    if (can.modify && mode !== 'none' && mode !== 'operator_credential') {
      const {
        has_client_secret: _,
        callback_url: __,
        connect_url: ___,
        lists_connection: ____,
        ...settings
      } = await call('servers.egress', { params: { path } });
      egress.push({ path, ...settings });
    }
  const { virtual_servers: virtualServers } = await call('virtualServers.export', {});
  const listed = await pages(async (offset) => {
    const { agents: items, has_next } = await call('agents.list', {
      query: { limit: 500, offset, enabled_only: 'false' },
    });
    return { items, has_next };
  });
  const agents = [];
  for (const { path } of listed) agents.push(await call('agents.get', { params: { path } }));
  const names = await call('scopes.list', { query: {} }).catch((error: unknown) => {
    // Only administrators see scopes; everybody else exports what they see.
    if (error instanceof Trouble && (error.about.status === 403 || error.about.status === 404))
      return undefined;
    throw error;
  });
  const scopes = [];
  for (const name of Object.keys(names?.scopes_groups ?? {})) {
    const {
      source,
      editable: _,
      is_idp_managed: __,
      idp_group_id: ___,
      created_at: ____,
      updated_at: _____,
      ...scope
    } = await call('scopes.get', { params: { name } });
    if (source === 'api') scopes.push(scope);
  }
  return { servers, egress, agents, virtualServers, scopes };
}

async function pages<T>(
  read: (offset: number) => Promise<{ items: readonly T[]; has_next: boolean }>,
): Promise<T[]> {
  const all: T[] = [];
  for (;;) {
    const { items, has_next } = await read(all.length);
    all.push(...items);
    if (!has_next || items.length === 0) return all;
  }
}

const columns: readonly Column<Omit<Step, 'run'>>[] = [
  { title: 'KIND', show: ({ kind }) => kind },
  { title: 'NAME', show: ({ name }) => name },
  { title: 'ACTION', show: ({ action }) => action },
  { title: 'DETAIL', show: ({ detail }) => detail },
];

/** What an import does about one thing. */
interface Step {
  readonly kind: FileEntry['kind'];
  readonly name: string;
  readonly action: 'create' | 'update' | 'unchanged' | 'refuse';
  /** What differs, or why it is refused. */
  readonly detail: string;
  readonly run?: (call: Api) => Promise<unknown>;
}

async function importAll(
  run: Run,
  flags: { file: string; dryRun?: boolean; yes?: boolean },
): Promise<number> {
  const { api, output, terminal } = run;
  const { entries } = await readEntries(flags.file, terminal);
  const call = await api();
  const steps: Step[] = [];
  for (const entry of entries) steps.push(await stepOf(call, entry));
  const changes = steps.filter((step) => step.run !== undefined);
  const shown = steps.map(({ kind, name, action, detail }) => ({ kind, name, action, detail }));
  const show = (paint: Paint, room: number | undefined): string => table(shown, columns, room, paint);
  if (flags.dryRun || changes.length === 0) {
    output.result({ dry_run: Boolean(flags.dryRun), steps: shown, failed: [] }, show);
    if (!output.json)
      output.note(
        changes.length === 0
          ? 'Nothing to change.'
          : `${changes.length} changes; run again without --dry-run.`,
      );
    return steps.some(({ action }) => action === 'refuse') ? 1 : 0;
  }
  if (!flags.yes && !(await confirm(`Apply ${changes.length} changes?`, terminal))) {
    output.note('Nothing was changed.');
    return 0;
  }
  const failed: { name: string; error: string }[] = [];
  for (const step of changes)
    await step.run?.(call).catch((error: unknown) => {
      if (!(error instanceof Trouble)) throw error;
      failed.push({ name: step.name, error: [error.message, ...(error.about.faults ?? [])].join(' ') });
    });
  output.result({ dry_run: false, steps: shown, failed }, show);
  for (const { name, error } of failed) output.warn(`${name}: ${error}`);
  return failed.length > 0 || steps.some(({ action }) => action === 'refuse') ? 1 : 0;
}

async function stepOf(call: Api, entry: FileEntry): Promise<Step> {
  const { kind, name } = entry;
  if (entry.kind === 'refused')
    return { kind, name, action: 'refuse', detail: `${entry.reason} ${entry.remedy}` };
  if (entry.kind === 'server') return serverStep(call, entry);
  if (entry.kind === 'agent') return agentStep(call, entry);
  if (entry.kind === 'virtual_server') return virtualStep(call, entry);
  if (entry.kind === 'egress') return egressStep(call, entry);
  return scopeStep(call, entry);
}

async function serverStep(
  call: Api,
  { kind, name, body, credential }: FileEntry & { kind: 'server' },
): Promise<Step> {
  const { serverEndpoints } = await import('../../contract/servers/servers.ts');
  const parsed = serverEndpoints['servers.register'].body.safeParse({
    ...body,
    ...(credential ? { credential } : {}),
  });
  if (!parsed.success)
    return {
      ...{ kind, name, action: 'refuse' },
      detail: faultsOf(parsed.error),
    };
  const wanted = parsed.data as Registration;
  const params = { path: wanted.path };
  const now = await unlessMissing(call('servers.get', { params }));
  if (!now)
    return {
      kind,
      name,
      action: 'create',
      detail: wanted.path,
      run: (to) => to('servers.register', { body: wanted }),
    };
  const differing = differences(registrationOf(now), wanted as unknown as Members, ['credential']);
  if (differing.length === 0 && !credential) return { kind, name, action: 'unchanged', detail: wanted.path };
  const { is_enabled, credential: secret, ...definition } = wanted;
  return {
    ...{ kind, name, action: 'update' },
    detail: [...differing, ...(credential ? ['credential'] : [])].join(', '),
    async run(to) {
      if (differing.some((field) => field !== 'is_enabled'))
        await to('servers.replace', { params, body: definition });
      if (secret) await to('servers.credential', { params, body: secret });
      if (now.is_enabled !== is_enabled)
        await to('servers.toggle', { params, body: { enabled: is_enabled } });
    },
  };
}

async function agentStep(call: Api, { kind, name, body }: FileEntry & { kind: 'agent' }): Promise<Step> {
  const path = String(body.path);
  const now = await unlessMissing(call('agents.get', { params: { path } }));
  if (!now)
    return { kind, name, action: 'create', detail: path, run: (to) => to('agents.register', { body }) };
  const { tags, license, metadata, is_enabled, card } = now;
  const before: Members = { path, tags, license, metadata, is_enabled, card };
  const differing = differences(before, body, []).filter((field) => field in body);
  if (differing.length === 0) return { kind, name, action: 'unchanged', detail: path };
  return {
    ...{ kind, name, action: 'update', detail: differing.join(', ') },
    run: (to) => to('agents.replace', { params: { path }, body }),
  };
}

async function virtualStep(
  call: Api,
  { kind, name, body }: FileEntry & { kind: 'virtual_server' },
): Promise<Step> {
  const { virtualServerDefinition } = await import('../../contract/servers/virtual-servers.ts');
  const parsed = virtualServerDefinition.safeParse(body);
  if (!parsed.success) return { kind, name, action: 'refuse', detail: faultsOf(parsed.error) };
  const { path } = parsed.data;
  const run = (to: Api): Promise<unknown> =>
    to('virtualServers.import', { body: { virtual_servers: [parsed.data] } });
  const now = await unlessMissing(call('virtualServers.get', { params: { path } }));
  if (!now) return { kind, name, action: 'create', detail: path, run };
  const differing = differences(now as unknown as Members, parsed.data as unknown as Members, []);
  if (differing.length === 0) return { kind, name, action: 'unchanged', detail: path };
  return { kind, name, action: 'update', detail: differing.join(', '), run };
}

async function egressStep(
  call: Api,
  { kind, name, path, body }: FileEntry & { kind: 'egress' },
): Promise<Step> {
  const { egressInput } = await import('../../contract/servers/server-egress.ts');
  const parsed = egressInput.safeParse(body);
  if (!parsed.success) return { kind, name, action: 'refuse', detail: faultsOf(parsed.error) };
  const params = { path };
  const now = await unlessMissing(call('servers.egress', { params }));
  const wanted = parsed.data as unknown as Members;
  const differing = now ? differences(now as unknown as Members, wanted, ['client_secret']) : ['all'];
  if (differing.length === 0 && parsed.data.client_secret === undefined)
    return { kind, name, action: 'unchanged', detail: path };
  const run = (to: Api): Promise<unknown> => to('servers.configureEgress', { params, body: parsed.data });
  return { kind, name, action: 'update', detail: differing.join(', '), run };
}

function faultsOf({ issues }: z.core.$ZodError): string {
  return issues.map(({ path, message }) => `${path.join('.')}: ${message}`).join('; ');
}

async function scopeStep(
  call: Api,
  { kind, name, body, notes }: FileEntry & { kind: 'scope' },
): Promise<Step> {
  const now = await unlessMissing(call('scopes.get', { params: { name } }));
  const run = (to: Api): Promise<unknown> => to('scopes.import', { body: body as never });
  if (!now) return { kind, name, action: 'create', detail: notes.join(' '), run };
  if (now.source !== 'api') {
    const detail =
      now.source === 'file'
        ? 'The scopes file defines this scope; change it there.'
        : 'The gateway has this role built in; give the scope another name.';
    return { kind, name, action: 'refuse', detail };
  }
  const differing = differences(now as unknown as Members, body, ['create_in_idp', 'scope_type']).filter(
    (field) => field in body,
  );
  if (differing.length === 0) return { kind, name, action: 'unchanged', detail: '' };
  return { kind, name, action: 'update', detail: differing.join(', '), run };
}

async function unlessMissing<T>(asked: Promise<T>): Promise<T | undefined> {
  try {
    return await asked;
  } catch (error) {
    if (error instanceof Trouble && error.about.status === 404) return undefined;
    throw error;
  }
}

function differences(before: Members, wanted: Members, ignored: readonly string[]): string[] {
  return Object.keys(wanted)
    .filter((field) => !ignored.includes(field))
    .filter((field) => canonical(before[field]) !== canonical(wanted[field]));
}

/** Equal values give equal texts, whatever the order of their members; absent and null are alike. */
function canonical(value: unknown): string {
  return JSON.stringify(value ?? null, (_, part: unknown) =>
    isObject(part) ? Object.fromEntries(Object.entries(part).sort(([a], [b]) => (a < b ? -1 : 1))) : part,
  );
}
