import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { shippedTenant, startEmulator } from '../../entra-emulator/main.ts';
import { startCurrentTime } from '../../samples/currenttime.ts';
import { startEverything } from '../../samples/everything.ts';
import { flightBooking } from '../../samples/flight-booking.ts';
import { type Config, type EntraConfig, packagedFile } from '../config/config.ts';
import { withLease } from '../db/lease.ts';
import type { Db } from '../db/tables.ts';
import type { Log } from '../log.ts';
import { ensureAgent, ensureServers, type Seed, seedName } from '../registry/seed.ts';
import type { LookAfter } from '../registry/servers/health/look-after.ts';
import type { Ending } from './ending.ts';

/** What only the evaluation mode has running: the emulator and the sample servers. */
export interface Running {
  close(): Promise<void>;
}

/** Starts the Entra emulator and answers the configuration that signs in there, with a key made in the data directory. */
export async function prepareEvaluation(config: Config): Promise<{ config: Config; emulator: Running }> {
  const emulator = await startEmulator({
    port: config.emulatorPort,
    dataDir: join(config.dataDir, 'entra-emulator'),
  });
  return {
    emulator,
    config: {
      ...config,
      secretKey: config.secretKey || keyIn(config.dataDir),
      entra: entraOfEmulator(config, emulator.origin),
    },
  };
}

/** The settings with which the gateway signs in at an emulator of the shipped tenant. */
export function entraOfEmulator({ registryUrl }: Config, origin: string): EntraConfig {
  return {
    tenantId: shippedTenant.tenantId,
    clientId: shippedTenant.clientId,
    clientSecret: shippedTenant.clientSecret,
    redirectUri: `${registryUrl}/oauth2/callback/entra`,
    loginBaseUrl: origin,
    graphBaseUrl: `${origin}/graph`,
    applicationIdUri: shippedTenant.appIdUri,
    groupAdminId: null,
    groupUsersId: null,
    commandLineClientId: shippedTenant.publicClientId,
    // What asks Graph is a registration of its own, as in production.
    graph: shippedTenant.admin,
  };
}

/** What the samples are registered in. */
export interface SamplesWorld {
  readonly db: Db;
  readonly lookAfter: LookAfter;
  readonly log: Log;
  readonly now: () => number;
  readonly newId: () => string;
}

/**
 * Starts the sample MCP servers, registers them and looks at each once; registers the card of a sample agent. What was
 * started ends with `ending`, also when the rest fails.
 */
export async function startSamples(world: SamplesWorld, ending: Ending): Promise<void> {
  const log = {
    info: (text: string) => world.log.info({}, text),
    debug: (text: string) => world.log.debug({}, text),
  };
  const currentTime = await startCurrentTime();
  ending.defer(() => currentTime.close());
  const everything = await startEverything({ log });
  ending.defer(() => everything?.close());
  const samples: Seed[] = [
    {
      server_name: 'Current Time',
      path: '/currenttime',
      proxy_pass_url: currentTime.url,
      description: 'Tells the time in any time zone, and counts down with progress messages.',
      tags: ['sample', 'time'],
    },
    ...(everything
      ? [
          {
            server_name: 'Everything',
            path: '/everything',
            proxy_pass_url: everything.url,
            description: 'The reference server that shows every feature of the protocol.',
            tags: ['sample', 'reference'],
          },
        ]
      : []),
  ];
  // Several processes may start at once on one database; the last of them has its samples used by all.
  const rows = await withLease(world.db, 'samples', async () => {
    await ensureAgent(world, flightBooking, seedName);
    return ensureServers(world, samples);
  });
  await Promise.all(rows.filter((row) => row.isEnabled).map((row) => world.lookAfter.one(row)));
}

/** What a newcomer needs to see once it runs. */
export function banner(config: Config): string {
  const { admin, user, developer, operator, noGroup } = shippedTenant.accounts;
  const accounts = [admin, user, developer, operator, noGroup].map(
    ({ userPrincipalName, about }) => `    ${userPrincipalName.padEnd(24)} ${about}`,
  );
  const command = commandHere();
  const at = config.registryUrl === 'http://localhost:8080' ? '' : ` --registry-url ${config.registryUrl}`;
  return `
  MCP Gateway & Registry: EVALUATION MODE
  Demo accounts with public passwords, a Microsoft Entra ID emulator, this machine only. Not for real data.

  Open    ${config.registryUrl}
  Sign in with Microsoft Entra ID, password for every account: ${shippedTenant.password}
${accounts.join('\n')}

  Connect a client, which opens the sign-in by itself:
    claude mcp add --transport http currenttime ${config.registryUrl}/currenttime/mcp
    ${command} server connect /currenttime --client vscode${at}

  Or try the command line in a second terminal:
    ${command} auth login${at}
    ${command} server list${at}
    ${command} server tools /currenttime${at}

  Data is in ${config.dataDir}. Stop with Ctrl-C.
`;
}

/** How the command is called where this gateway was started: in a checkout by npm, elsewhere by its name. */
function commandHere(): string {
  return existsSync(packagedFile('src')) ? 'npm run -s cli --' : 'mcp-gateway';
}

/** The secret of this data directory, made at the first start. */
function keyIn(directory: string): string {
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const file = join(directory, 'secret-key');
  try {
    writeFileSync(file, randomBytes(32).toString('hex'), { mode: 0o600, flag: 'wx' });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
  return readFileSync(file, 'utf8').trim();
}
