import { z } from 'zod';
import type { SetupOptions, SetupResult, SetupTalk } from '../../../../contract/diagnosis/setup.ts';
import { Failure, invalidInput } from '../../../failure/errors.ts';
import type { Fetch } from '../../../net/outbound.ts';
import type { Pause } from '../../../provider/retry.ts';
import type { SetupFiles } from '../../setup/files.ts';
import { rolesNamed } from '../../setup/roles.ts';
import { carryOut, type Work } from '../../setup/run.ts';
import { scopesFile, scopesStep } from '../../setup/scopes-file.ts';
import { createRealmApi, type RealmApi } from '../realm-api.ts';
import { type Credential, clientToken, whoIs } from '../token.ts';
import { adminClientSteps } from './admin-client.ts';
import { clientSteps } from './client.ts';
import { groupSteps, mappedGroups } from './groups.ts';
import { settingSteps } from './settings.ts';
import type { SetupWorld, Step } from './step.ts';
import { type KeycloakWish, keycloakWish } from './wish.ts';

/** Every step, in the order in which they are taken; they are undone in the reverse order. */
const steps: readonly Step[] = [
  ...clientSteps,
  ...groupSteps,
  ...adminClientSteps,
  ...settingSteps,
  scopesStep<SetupWorld>({
    title: 'Group mappings (guide, groups and scopes)',
    roles: ({ wish }) => wish.groups.map(({ role }) => role),
    find: mappedGroups,
  }),
];

/** All that is done in a realm. */
function workIn(world: SetupWorld): Work<SetupWorld> {
  const { wish } = world;
  const clients = [wish.clientId, ...(wish.adminClientId === undefined ? [] : [wish.adminClientId])];
  return {
    ...{ steps, world, place: `realm ${wish.realm} of ${wish.serverUrl}` },
    removal: [
      ...clients.map((clientId) => `the client '${clientId}' with its secret`),
      `the client scope '${wish.scopeName}'`,
      ...wish.groups.map(({ name }) => `the group '${name}'`),
      'the settings that setup wrote to .env, and scopes.yml unless it was edited',
    ],
  };
}

/** The client that every realm of Keycloak has for administration with user name and password. */
const adminCli = 'admin-cli';

/** What setup works with. */
export interface KeycloakPerformWorld {
  /** What the settings say already: where Keycloak is, without a slash at its end, and the like. */
  readonly given: {
    readonly serverUrl: string;
    readonly realm: string;
    readonly clientId: string;
    readonly audience: string | undefined;
    readonly groupsClaim: readonly string[];
    readonly registryUrl: string;
    readonly authUrl: string;
  };
  /** A client that may administer the realm, from KEYCLOAK_SETUP_CLIENT_ID and KEYCLOAK_SETUP_CLIENT_SECRET. */
  readonly client: { readonly clientId: string; readonly clientSecret: string };
  readonly fetch: Fetch;
  readonly files: SetupFiles;
  readonly now: () => number;
  readonly pause: Pause;
  readonly newKey: () => string;
}

/** Signs an administrator in, shows the plan, and carries it out when it is agreed to; or takes everything back. */
export async function performKeycloakSetup(
  world: KeycloakPerformWorld,
  options: SetupOptions,
  talk: SetupTalk,
): Promise<SetupResult> {
  const wish = wishFor(world, options);
  const api = await open(world, wish, options, talk);
  const setup = { ...world, wish, api };
  const result = await carryOut(workIn(setup), options, talk);
  if (result.done && !result.removed) await tellUnmapped(setup, talk);
  return result;
}

/** A scopes file that was there before is its owner's to change. */
async function tellUnmapped(setup: SetupWorld, talk: SetupTalk): Promise<void> {
  const text = (await setup.files.read(scopesFile)) ?? '';
  for (const group of Object.values(await mappedGroups(setup)))
    if (group && !text.includes(group.id))
      talk.say(
        `${scopesFile} was there already and does not map the group ${group.id}: add it to group_mappings.`,
      );
}

function wishFor({ given }: KeycloakPerformWorld, options: SetupOptions): KeycloakWish {
  return keycloakWish({
    ...given,
    serverUrl: options.serverUrl ?? given.serverUrl,
    realm: options.realm ?? given.realm,
    clientId: options.name ?? (given.clientId || 'mcp-gateway-web'),
    registryUrl: options.url ?? given.registryUrl,
    signInOnly: options.signInOnly,
    roles: rolesNamed(options.role),
    admins: options.admin,
    users: options.user,
  });
}

async function open(
  world: KeycloakPerformWorld,
  { serverUrl, realm }: KeycloakWish,
  { loginRealm = 'master', username }: SetupOptions,
  talk: SetupTalk,
): Promise<RealmApi> {
  const credential = await credentialOf(world.client, { realm: loginRealm, username }, talk);
  const realmUrl = `${serverUrl}/realms/${encodeURIComponent(loginRealm)}`;
  const token = clientToken({ realmUrl, ...world }, credential);
  const who = `${whoIs(credential)} of the realm ${loginRealm}`;
  await token();
  talk.say(`Signed in as ${who}.`);
  const api = createRealmApi(`${serverUrl}/admin/realms/${encodeURIComponent(realm)}`, token, world, who);
  if (!(await api.find('', z.looseObject({ realm: z.string() }), { role: 'view-realm' })))
    throw new Failure(
      'not_found',
      `There is no realm '${realm}' at ${serverUrl}. Create it in the admin console, or name another one with --realm.`,
    );
  return api;
}

/** Secrets come from the environment or are asked for, never from the command line, which others can read. */
async function credentialOf(
  { clientId, clientSecret }: KeycloakPerformWorld['client'],
  { realm, username }: { realm: string; username: string | undefined },
  talk: SetupTalk,
): Promise<Credential> {
  if (Boolean(clientId) !== Boolean(clientSecret))
    throw invalidInput([], {
      said: 'KEYCLOAK_SETUP_CLIENT_ID and KEYCLOAK_SETUP_CLIENT_SECRET: only one of them is set; set both or neither.',
    });
  if (clientId && username === undefined) return { clientId, clientSecret };
  const name = username ?? (await talk.ask(`Administrator's user name in the realm ${realm}: `));
  const password = await talk.ask(`Password of ${name}: `, { isSecret: true });
  return { clientId: adminCli, username: name, password };
}
