import { mkdir, readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { Option } from 'commander';
import { plainJson } from '../../contract/values/plain-text.ts';
import { normalizePath } from '../../contract/values/server-path.ts';
import { type AddCommands, addCommand, pathOption, type Run } from '../command.ts';
import { writeSecret } from '../input/write-secret.ts';
import { NoToken } from '../sign-in/signed-in-token.ts';
import { misuse, Trouble } from '../trouble.ts';
import { type ClientName, type ClientRow, clients } from './clients.ts';
import { NotEditable, withEntry } from './edit-config.ts';

interface ConnectFlags {
  path: string;
  client: ClientName;
  user?: boolean;
  name?: string;
  tokenEnv?: string;
  print?: boolean;
}

const tokenVariable = /^[A-Za-z_][A-Za-z0-9_]*$/;

/** `connect`: writes a server into the configuration of an MCP client. */
export const addConnectCommand: AddCommands = (program, on) => {
  addCommand(program, 'connect', {
    summary: 'Add a server to the configuration of an MCP client; the client then signs in by itself',
    examples: [
      'mcp-gateway connect --client claude-code --path /currenttime',
      'mcp-gateway connect --client vscode --path /currenttime --print',
      'mcp-gateway connect --client roo --path /currenttime --token-env MCP_GATEWAY_TOKEN',
    ],
  })
    .addOption(pathOption())
    .addOption(
      new Option('--client <client>', 'the client to set up')
        .choices(Object.keys(clients))
        .makeOptionMandatory(),
    )
    .option('--user', "your own configuration instead of the project's in this folder")
    .option('--name <name>', 'the name that the client shows; by default from the path')
    .option('--token-env <variable>', 'send the token in this environment variable instead of signing in')
    .option('--print', 'print what would be written, and write nothing')
    .action(on(connect));
};

async function connect(run: Run, flags: ConnectFlags): Promise<void> {
  const { output, terminal } = run;
  const client: ClientRow = clients[flags.client];
  if (flags.tokenEnv !== undefined && !tokenVariable.test(flags.tokenEnv))
    throw misuse(`--token-env takes the name of an environment variable, not '${flags.tokenEnv}'.`);
  if (!client.signsIn && flags.tokenEnv === undefined)
    throw misuse(
      `${client.title} cannot sign in by itself.`,
      'Create a token with mcp-gateway token create, keep it in an environment variable, and add --token-env MCP_GATEWAY_TOKEN.',
    );
  const server = await serverAt(run, flags.path);
  const sse = server.endpoint_url.endsWith('/sse');
  if (sse && !client.sse)
    throw new Trouble(`${client.title} needs Streamable HTTP, and ${server.path} has SSE only.`, {
      remedy: 'Use a client that can connect to SSE, such as claude-code or vscode.',
    });
  const key = flags.name ?? server.path.slice(1).replaceAll(/[^A-Za-z0-9_-]+/g, '-');
  const connection = { key, url: server.endpoint_url, sse, tokenVariable: flags.tokenEnv ?? null };
  const home = (...parts: string[]): string => join(terminal.env.HOME || homedir(), ...parts);
  const place = client.place(connection, { cwd: terminal.cwd, home, user: flags.user ?? false });
  const before = await readOr(place.file, '');
  const shown = relative(terminal.cwd, place.file).startsWith('..')
    ? place.file
    : relative(terminal.cwd, place.file);
  const after = await withEntry(before, key, place).catch((error: unknown) => {
    if (!(error instanceof NotEditable)) throw error;
    throw new Trouble(`${shown} was not changed: ${error.message}.`, {
      remedy: 'Correct the file, or print the entry with --print and add it by hand.',
    });
  });
  if (!flags.print && after !== before) {
    await mkdir(dirname(place.file), { recursive: true });
    await writeSecret(terminal.cwd, place.file, after);
  }
  const result = {
    client: flags.client,
    file: place.file,
    name: key,
    entry: place.entry,
    written: !flags.print,
  };
  output.result(result, () =>
    flags.print ? after.trimEnd() : `${client.title}: ${server.path} is in ${shown} as '${key}'.`,
  );
  if (!output.json && !flags.print)
    output.note(
      flags.tokenEnv === undefined
        ? client.next.replace('NAME', key)
        : `Set ${flags.tokenEnv} to a token (mcp-gateway token create) before you start ${client.title}.`,
    );
}

/**
 * The path and the address of an enabled server. Without a sign-in it is the address that every server has unless it is
 * one with SSE only: the client signs in by itself, so a newcomer needs no token first.
 */
async function serverAt(
  { api, credential, output, registryUrl }: Run,
  asked: string,
): Promise<{ path: string; endpoint_url: string }> {
  const found = await credential().catch((error: unknown) => {
    if (error instanceof NoToken) return undefined;
    throw error;
  });
  if (!found) {
    const path = normalizePath(asked);
    output.note(`You are not signed in, so it was not checked that ${path} exists.`);
    return { path, endpoint_url: `${registryUrl}${path}/mcp` };
  }
  const server = await (await api(found))('servers.get', { params: { path: asked } });
  if (server.is_enabled) return server;
  throw new Trouble(`${server.path} is disabled, so no client can connect to it.`, {
    remedy: `Someone with the permission can enable it: mcp-gateway server enable ${server.path}`,
  });
}

async function readOr(file: string, otherwise: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return otherwise;
    throw error;
  }
}

/** The action of `server-connect-config`: what an MCP client's configuration needs to connect to a server. */
export async function connectConfig({ api, output }: Run, { path }: { path: string }): Promise<void> {
  const server = await (await api())('servers.get', { params: { path } });
  if (!server.is_enabled)
    throw new Trouble(`${server.path} is disabled, so no client can connect to it.`, {
      remedy: `Someone with the permission can enable it: mcp-gateway server enable ${server.path}`,
    });
  const name = server.path.slice(1).replaceAll('/', '-');
  const config = {
    mcpServers: {
      [name]: {
        type: server.endpoint_url.endsWith('/sse') ? 'sse' : 'http',
        url: server.endpoint_url,
        // A place to put it, never the token itself: this is copied, shown and committed.
        headers: { Authorization: 'Bearer <your token>' },
      },
    },
  };
  output.result(config, () => plainJson(config));
  output.note('Replace <your token>, or leave headers out where the client signs in by itself (OAuth).');
}
