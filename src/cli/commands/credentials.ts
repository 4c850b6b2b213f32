import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { parseEnv } from 'node:util';
import { Option } from 'commander';
import { textOfFile } from '../../contract/values/file-text.ts';
import { plainLine } from '../../contract/values/plain-text.ts';
import { openApi, tracedFetch } from '../api.ts';
import { type AddCommands, addCommand, type Run } from '../command.ts';
import { type Errand, generateAll, makeFolder, type Outcome } from '../generate-tokens.ts';
import { type Entry, type ForGateway, readIdentities } from '../input/identities.ts';
import { keepTokens } from '../keep-tokens.ts';
import { loginUrlOf } from '../sign-in/entra-tokens.ts';
import type { Terminal } from '../terminal.ts';
import { misuse, Trouble } from '../trouble.ts';

interface Flags {
  identitiesFile: string;
  outputDir: string;
  verbose?: boolean;
  watch?: boolean;
  authProvider?: string;
  force?: boolean;
  entraTenantId?: string;
  entraClientId?: string;
  entraLoginUrl?: string;
}

/** The credentials provider: tokens for the M2M accounts of an identities file. */
export const addCredentialCommands: AddCommands = (program, on) => {
  const tokens = addCommand(program, 'generate-tokens', {
    summary: 'Get a token from Entra ID for each identity in a file, and write each to its own file',
    examples: [
      'mcp-gateway generate-tokens',
      'mcp-gateway generate-tokens --identities-file my-identities.json --output-dir .oauth-tokens --verbose',
      'mcp-gateway generate-tokens --watch',
    ],
  });
  shared(tokens)
    .addOption(new Option('--all-agents', 'all identities (the default)').hideHelp())
    .action(on<Flags>(generate));

  const creds = addCommand(program, 'generate-creds', {
    summary: 'Like token generate, using the settings in .env; skips tokens that are not about to expire',
    examples: ['mcp-gateway generate-creds', 'mcp-gateway generate-creds --auth-provider entra --force'],
  });
  shared(creds)
    .addOption(
      new Option('-a, --auth-provider <name>', 'the identity provider (or AUTH_PROVIDER)').choices(['entra']),
    )
    .option('-f, --force', 'get new tokens even if the current ones are still valid')
    .option('--entra-tenant-id <id>', 'tenant of the gateway (or ENTRA_TENANT_ID)')
    .option('--entra-client-id <id>', 'Application (client) ID of the gateway (or ENTRA_CLIENT_ID)')
    .action(
      on<Flags>(async (run, flags) => {
        const settings = await settingsOf(run.terminal);
        const provider = flags.authProvider ?? settings.AUTH_PROVIDER;
        const isEvaluation = !provider && (await emulatorOf(run, settings)) !== undefined;
        if (provider === 'entra' || isEvaluation) return generate(run, flags, !flags.force);
        const what = provider ? `The provider '${provider}' is not known here` : 'No provider is named';
        throw misuse(`${what}.`, 'Set AUTH_PROVIDER=entra in .env, or add --auth-provider entra.');
      }),
    );
};

function shared(command: ReturnType<typeof addCommand>) {
  return command
    .option('-i, --identities-file <file>', 'the identities', '.oauth-tokens/entra-identities.json')
    .option('--output-dir <folder>', 'where the tokens go', '.oauth-tokens')
    .option('-v, --verbose', 'log each request, without tokens and secrets')
    .option('--watch', 'keep running and renew each token before it expires')
    .option(
      '--entra-login-url <url>',
      'the login host (or ENTRA_LOGIN_BASE_URL; default the emulator of an evaluation gateway on this machine, else the public cloud)',
    );
}

/** Exit code 0 only when every identity has its token. */
async function generate(run: Run, flags: Flags, keepGood = false): Promise<number> {
  const { terminal, output } = run;
  const settings = await settingsOf(terminal);
  const gateway: ForGateway = {
    clientId: flags.entraClientId ?? settings.ENTRA_CLIENT_ID?.trim(),
    tenantId: flags.entraTenantId ?? settings.ENTRA_TENANT_ID?.trim(),
  };
  const { identitiesFile, outputDir, verbose = false } = flags;
  const login = flags.entraLoginUrl ?? settings.ENTRA_LOGIN_BASE_URL ?? (await emulatorOf(run, settings));
  const loginUrl = loginUrlOf(login, flags.entraLoginUrl ? '--entra-login-url' : 'ENTRA_LOGIN_BASE_URL');
  const errand: Errand = { loginUrl, identitiesFile, outputDir, keepGood };
  let warned = false;
  const read = async (): Promise<Entry[]> => {
    const entries = await readIdentities(identitiesFile, terminal, gateway, warned ? () => {} : output.warn);
    if (!warned) for (const doubt of doubtsOf(entries, gateway)) output.warn(doubt);
    warned = true;
    return entries;
  };
  const entries = await read();
  if (entries.length === 0) output.warn(`${identitiesFile} has no identities in it.`);
  if (verbose) for (const entry of entries) output.note(plan(entry, errand));
  if (entries.length > 0) await makeFolder(run, outputDir);
  const tell = (outcome: Outcome): void => output.note(lineOf(outcome, verbose));
  if (flags.watch && entries.length > 0)
    return summed(
      run,
      await terminal.untilInterrupted((signal) =>
        keepTokens(run, { read, generate: (due) => generateAll(run, errand, due), tell }, signal),
      ),
      true,
    );
  const outcomes = await generateAll(run, errand, entries);
  for (const outcome of outcomes) tell(outcome);
  return summed(run, outcomes);
}

/**
 * The emulator that an evaluation gateway on this machine signs people in with; undefined where settings name a tenant, and
 * where no such gateway is. Secrets are sent there, so nothing but this machine counts.
 */
async function emulatorOf(
  { registryUrl, output }: Run,
  settings: Readonly<Record<string, string | undefined>>,
): Promise<string | undefined> {
  if (settings.AUTH_PROVIDER || settings.ENTRA_TENANT_ID || !isHere(registryUrl)) return undefined;
  try {
    const send = tracedFetch(output.debug);
    const { evaluation } = await (await openApi(registryUrl, () => ({}), output.debug))('auth.providers');
    if (!evaluation) return undefined;
    const begun = await send(`${registryUrl}/oauth2/login/entra`, { redirect: 'manual' });
    const { origin } = new URL(begun.headers.get('location') ?? '');
    return isHere(origin) ? origin : undefined;
  } catch {
    return undefined; // No gateway runs: the public cloud is meant.
  }
}

function isHere(url: string): boolean {
  return /^(localhost|127(\.\d{1,3}){3}|\[::1\])$/.test(new URL(url).hostname);
}

/** What may be meant but mostly is not. */
function doubtsOf(entries: readonly Entry[], { clientId, tenantId }: ForGateway): string[] {
  return entries.flatMap((entry) => {
    if (!('identity' in entry)) return [];
    const { scope, tenant_id } = entry.identity;
    return [
      ...(clientId && !scope.toLowerCase().includes(clientId.toLowerCase()) && scope.startsWith('api://')
        ? [`${entry.name}: its scope is not the one of this gateway, api://${clientId}/.default`]
        : []),
      ...(tenantId && tenant_id.toLowerCase() !== tenantId.toLowerCase()
        ? [`${entry.name}: its tenant is not the one of this gateway, ${tenantId}`]
        : []),
    ];
  });
}

function plan(entry: Entry, { loginUrl }: Errand): string {
  if ('fault' in entry) return `[DEBUG] ${entry.name}: not asked for`;
  const { tenant_id, client_id, scope } = entry.identity;
  return `[DEBUG] ${entry.name}: client ${client_id} asks ${loginUrl}/${tenant_id} for ${scope}`;
}

function lineOf({ name, file, expiresAt, kept, error }: Outcome, verbose: boolean): string {
  if (error !== null) return `[ERROR] ${name}: ${error}`;
  const how = kept ? 'still good' : 'written';
  return `[SUCCESS] ${name}: ${file} ${how}, expires ${expiresAt}${verbose && kept ? '; --force renews it' : ''}`;
}

/** The summary; a watch that was asked to end has done what it should. */
function summed({ output }: Run, outcomes: readonly Outcome[], watched = false): number {
  const successful = outcomes.filter(({ error }) => error === null).length;
  const identities = outcomes.map(({ name, file, expiresAt, kept, error }) => ({
    ...{ identity_name: name, file, expires_at: expiresAt, kept, error },
  }));
  output.result({ successful, total: outcomes.length, identities }, () =>
    plainLine(`Token generation complete: ${successful}/${outcomes.length} successful`),
  );
  return watched || successful === outcomes.length ? 0 : 1;
}

/** The environment over the `.env` file of the folder, as the server reads them; blank values count as absent. */
async function settingsOf({ env, cwd }: Pick<Terminal, 'env' | 'cwd'>) {
  const file = await readFile(resolve(cwd, '.env')).catch((cause: NodeJS.ErrnoException) => {
    if (cause.code === 'ENOENT') return Buffer.alloc(0);
    throw new Trouble(`.env cannot be read (${cause.code}).`, { cause });
  });
  const given = Object.entries(env).filter(([, value]) => value?.trim());
  return { ...parseEnv(textOfFile(file)), ...Object.fromEntries(given) } as Readonly<
    Record<string, string | undefined>
  >;
}
