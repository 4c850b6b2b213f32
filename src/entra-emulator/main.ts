import type { JSONWebKeySet } from 'jose';
import { type Clock, instant, makeClock } from './clock.ts';
import { type Faults, makeFaults } from './control/faults.ts';
import { persist } from './control/persist.ts';
import { reset, restoreSnapshot, takeSnapshot } from './control/snapshot.ts';
import { type KeyRoll, openKeyring } from './keys/keyring.ts';
import { tlsIdentity } from './keys/tls.ts';
import { listen } from './listen.ts';
import { answer } from './routes.ts';
import { shippedSeed, shippedTenant } from './shipped.ts';
import { type Claims, signAnything } from './sts/sign.ts';
import { type ApplicationSeed, plant, readSeed, type Seed } from './tenant/seed.ts';
import { graphOrigin, issuersOf, type World } from './world.ts';

export { shippedSeed, shippedTenant } from './shipped.ts';
export type { Seed } from './tenant/seed.ts';

/** The version in the `x-entra-emulator` header. */
const version = '0.1.0';

/** How to start an emulator; everything has a default. */
export type EmulatorOptions = {
  /** 0, the default, takes any free port. */
  port?: number;
  /** The address to listen on, loopback by default. */
  host?: string;
  /** The origin that issuers and endpoints are written with, when clients reach the emulator under another name. */
  origin?: string;
  /** Assumes the worst where evidence does not decide how Entra behaves. */
  strict?: boolean;
  /** What is in the tenants; the shipped ones by default. */
  seed?: Seed;
  /** Milliseconds since the epoch, to begin with; the emulator's clock can be moved from there. */
  clock?: () => number;
  /** Where keys, a TLS identity and the state are kept; without it they live as long as the process. */
  dataDir?: string;
  https?: boolean;
  /** How the emulator waits when a latency fault says so. */
  pause?: (milliseconds: number) => Promise<void>;
  /** Five by default, as at Microsoft. */
  devicePollSeconds?: number;
};

/** Somebody who can sign in with a password. */
export type Account = { userPrincipalName: string; password: string; displayName: string; objectId: string };

/** An emulator that runs. */
export type Emulator = {
  /** Scheme, host and port, no trailing slash: the authority is `{origin}/{tenantId}`. */
  origin: string;
  /** Base of Graph: `{graphOrigin}/v1.0/...`. */
  graphOrigin: string;
  /** The issuers of the first tenant's tokens. */
  issuers: { v1: string; v2: string };
  /** Id of the seed's first tenant, its first application and that application's secret. */
  tenantId: string;
  clientId: string;
  clientSecret: string;
  accounts: Account[];
  /** The authority (PEM) that https clients must trust; undefined over http. */
  ca: string | undefined;
  clock: Clock;
  faults: Faults;
  rollKeys(how?: KeyRoll): Promise<void>;
  /** Makes the keys of a foreign issuer known, for federated credentials. */
  trustIssuer(issuer: string, keys: JSONWebKeySet): void;
  /** The state as text, and back. */
  snapshot(): string;
  restore(snapshot: string): void;
  /** Back to the seed, with the clock unmoved and no faults. */
  reset(): void;
  /** Signs any claims with the current key: for tests of what must be refused. */
  sign(claims: Claims, header?: Claims): Promise<string>;
  close(): Promise<void>;
};

/** Starts an emulator in this process and resolves once it listens. */
export async function startEmulator(options: EmulatorOptions = {}): Promise<Emulator> {
  const seed = options.seed ?? shippedSeed();
  const world = makeWorld(options, seed);
  const persistence = persist(world, seed, options.dataDir);
  const host = options.host ?? '127.0.0.1';
  const own = options.origin ? [new URL(options.origin).hostname] : [];
  const names = ['localhost', '127.0.0.1', 'login.entra.localhost', ...own];
  const tls = options.https ? tlsIdentity(names, new Date(world.clock.now()), options.dataDir) : undefined;
  const listener = await listen({
    host,
    port: options.port ?? 0,
    hosts: [host, ...own],
    tls,
    version,
    now: () => world.clock.now(),
    answer: (ask) => {
      if (ask.method !== 'GET') persistence.note();
      return answer(world, ask, seed);
    },
  });
  world.origin =
    options.origin ??
    `${tls ? 'https' : 'http'}://${host.includes(':') ? `[${host}]` : host}:${listener.port}`;
  return handle(world, seed, tls?.ca, async () => {
    await listener.close();
    persistence.flush();
  });
}

function makeWorld(options: EmulatorOptions, seed: Seed): World {
  const clock = makeClock(options.clock);
  return {
    version,
    origin: '',
    clock,
    keys: openKeyring(options.dataDir),
    faults: makeFaults(),
    isStrict: options.strict ?? false,
    pause:
      options.pause ??
      ((milliseconds) => new Promise((resolve) => void setTimeout(resolve, milliseconds).unref())),
    devicePollSeconds: options.devicePollSeconds ?? 5,
    tenants: plant(seed, instant(clock)),
    codes: new Map(),
    refreshTokens: new Map(),
    deviceCodes: new Map(),
    sessions: new Map(),
    trustedIssuers: new Map(),
    usedAssertions: new Map(),
  };
}

function handle(world: World, seed: Seed, ca: string | undefined, close: () => Promise<void>): Emulator {
  const [tenant] = seed.tenants;
  const [application] = tenant?.applications ?? [];
  const tenantId = tenant?.id ?? '';
  return {
    origin: world.origin,
    graphOrigin: graphOrigin(world),
    issuers: issuersOf(world, tenantId),
    tenantId,
    clientId: application?.appId ?? '',
    clientSecret: application?.passwordCredentials?.[0]?.secretText ?? '',
    accounts: accountsOf(world, seed),
    ca,
    clock: world.clock,
    faults: world.faults,
    rollKeys: (how = 'normal') => world.keys.roll(how),
    trustIssuer: (issuer, keys) => void world.trustedIssuers.set(issuer, keys),
    snapshot: () => takeSnapshot(world),
    restore: (snapshot) => restoreSnapshot(world, snapshot),
    reset: () => reset(world, seed),
    sign: (claims, header) => signAnything(world, claims, header),
    close,
  };
}

function accountsOf(world: World, seed: Seed): Account[] {
  const [first] = seed.tenants;
  const users = world.tenants.get(first?.id ?? '')?.users.values() ?? [];
  const byName = new Map([...users].map((user) => [user.userPrincipalName, user]));
  return (first?.users ?? []).flatMap(({ userPrincipalName, password }) => {
    const user = byName.get(userPrincipalName);
    if (!user || !password) return [];
    return [{ userPrincipalName, password, displayName: user.displayName, objectId: user.id }];
  });
}

/** How the command `mcp-gateway entra-emulator` is called. */
export type RunOptions = {
  /** A seed file, YAML or JSON. */
  seed?: string;
  port?: number;
  host?: string;
  https?: boolean;
  dataDir?: string;
  origin?: string;
  strict?: boolean;
};

/** Runs an emulator until SIGINT or SIGTERM; resolves to the exit code. */
export async function runEmulator({ seed: file, port = 8443, ...options }: RunOptions): Promise<number> {
  // Before its address is printed: who reads it may end it at once.
  const asked = new Promise<void>((resolve) => {
    process.once('SIGINT', () => resolve());
    process.once('SIGTERM', () => resolve());
  });
  let emulator: Emulator;
  try {
    const seed = file ? { seed: readSeed(file) } : {};
    emulator = await startEmulator({ ...options, ...seed, port });
  } catch (error) {
    console.error(`entra-emulator: ${error instanceof Error ? error.message : String(error)}`);
    return 1;
  }
  introduce(emulator, file === undefined);
  await asked;
  await emulator.close();
  return 0;
}

function introduce(
  { origin, tenantId, clientId, clientSecret, accounts, ca, graphOrigin: graph }: Emulator,
  shipped: boolean,
): void {
  console.log(`EMULATOR - not Microsoft. Sign-in at ${origin}, Graph at ${graph}/v1.0

  ENTRA_TENANT_ID=${tenantId}
  ENTRA_CLIENT_ID=${clientId}
  ENTRA_CLIENT_SECRET=${clientSecret}
`);
  for (const { userPrincipalName, password } of accounts) console.log(`  ${userPrincipalName}  ${password}`);
  if (ca) console.log(`\nClients must trust this authority:\n${ca}`);
  if (!shipped) return;
  console.log('\nService principals (client_credentials):');
  for (const agent of Object.values(shippedTenant.agents))
    console.log(`  ${agent.displayName}  ${agent.clientId}  ${agent.clientSecret}`);
}

/** Microsoft's own public client for administration with Graph, the same in every tenant. */
export const adminClientId = '14d82eec-204b-4c2f-b7e8-296a70dab67e';

/** That client in a seed, with consent to what `mcp-gateway setup entra` asks for: an administrator signs in with a code. */
export function adminClient(): ApplicationSeed {
  const scopes = [
    'Application.ReadWrite.All',
    'AppRoleAssignment.ReadWrite.All',
    'DelegatedPermissionGrant.ReadWrite.All',
    'Group.ReadWrite.All',
    'User.Read.All',
  ];
  return {
    appId: adminClientId,
    displayName: 'Microsoft Graph Command Line Tools (emulated)',
    isFallbackPublicClient: true,
    publicClient: { redirectUris: ['http://localhost'] },
    grantedScopes: [
      { resource: 'Microsoft Graph', scope: `openid profile offline_access ${scopes.join(' ')}` },
    ],
  };
}
