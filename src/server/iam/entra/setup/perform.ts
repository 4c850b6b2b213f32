import type { SetupOptions, SetupResult, SetupTalk } from '../../../../contract/diagnosis/setup.ts';
import { invalidInput } from '../../../failure/errors.ts';
import type { Fetch } from '../../../net/outbound.ts';
import { createGraph } from '../../../provider/graph.ts';
import type { Pause } from '../../../provider/retry.ts';
import type { SetupFiles } from '../../setup/files.ts';
import { rolesNamed } from '../../setup/roles.ts';
import { carryOut } from '../../setup/run.ts';
import { signInWithCode } from '../device-code.ts';
import { workIn } from './index.ts';
import { printAz } from './print-az.ts';
import { printTerraform } from './print-terraform.ts';
import type { SetupWorld } from './step.ts';
import { type Wish, wishOf } from './wish.ts';

/** Microsoft's public client for administration with Graph; it is in every tenant and asks for what it is told to. */
const graphCommandLine = '14d82eec-204b-4c2f-b7e8-296a70dab67e';

/** What the administrator consents to for this sign-in. */
const scopes = [
  'Application.ReadWrite.All',
  'AppRoleAssignment.ReadWrite.All',
  'DelegatedPermissionGrant.ReadWrite.All',
  'Group.ReadWrite.All',
  'User.Read.All',
];

/** What setup works with. */
export interface PerformWorld {
  readonly loginBaseUrl: string;
  readonly graphBaseUrl: string;
  readonly registryUrl: string;
  /** Settings to write besides, such as those of a sovereign cloud. */
  readonly settings: Readonly<Record<string, string>>;
  /** Tells this machine and folder from others. */
  readonly place: string;
  readonly fetch: Fetch;
  readonly files: SetupFiles;
  readonly now: () => number;
  readonly pause: Pause;
  readonly newId: () => string;
  readonly newKey: () => string;
}

/** Signs an administrator in, shows the plan, and carries it out when it is agreed to; or takes everything back. */
export async function performSetup(
  world: PerformWorld,
  options: SetupOptions,
  talk: SetupTalk,
): Promise<SetupResult> {
  const wish = wishFor(world, options);
  if (options.print)
    return { plan: [], done: false, printed: options.print === 'az' ? printAz(wish) : printTerraform(wish) };
  const setup = await open(world, wish, options, talk);
  return carryOut(workIn(setup), options, talk);
}

function wishFor(world: PerformWorld, options: SetupOptions): Wish {
  if (options.certificateKey && !options.certificate)
    throw invalidInput([
      { at: '--certificate-key', message: 'name the certificate too, with --certificate' },
    ]);
  return wishOf({
    ...options,
    registryUrl: options.url ?? world.registryUrl,
    redirectUris: options.redirectUri,
    roles: rolesNamed(options.role),
    users: options.user,
    certificate: options.certificate
      ? { path: options.certificate, keyPath: options.certificateKey }
      : undefined,
    place: world.place,
    settings: world.settings,
  });
}

async function open(
  world: PerformWorld,
  wish: Wish,
  { tenant = 'organizations', clientId = graphCommandLine }: SetupOptions,
  talk: SetupTalk,
): Promise<SetupWorld> {
  const { loginBaseUrl, fetch, pause } = world;
  const { token, tenantId, ...administrator } = await signInWithCode(
    {
      ...{ loginBaseUrl, tenant, fetch, pause },
      show: (address, code) =>
        talk.say(`As an administrator of the tenant, open ${address} and enter the code ${code}`),
    },
    clientId,
    scopes,
  );
  talk.say(`Signed in as ${administrator.username}.`);
  const graph = createGraph({ ...world, baseUrl: world.graphBaseUrl, token: async () => token });
  return { ...world, say: talk.say, wish, graph, tenantId, administrator };
}
