import { envFile, settingsIn } from '../../setup/files.ts';
import { removeBlock } from '../../setup/settings-block.ts';
import { needSecret, secretOf } from './admin-client.ts';
import { block, type SetupWorld, type Step } from './step.ts';

/** The settings of the gateway. Secrets are read from the realm each time, so that a run cut short loses none. */
export const settingSteps: readonly Step[] = [
  {
    id: 'settings',
    title: 'Settings (guide, environment)',
    async plan(world) {
      const text = (await world.files.read(envFile)) ?? '';
      const there = settingsIn(text);
      const wanted = wantedSettings(world, text, await secrets(world, secretOf));
      const names = Object.keys(wanted).filter((name) => !wanted[name] || there[name] !== wanted[name]);
      return names.length > 0 ? [`write ${names.join(', ')} to ${envFile}`] : [];
    },
    async apply(world) {
      const text = (await world.files.read(envFile)) ?? '';
      const made = await secrets(world, (_, clientId) => needSecret(world, clientId));
      await world.files.write(envFile, block.into(text, wantedSettings(world, text, made)));
    },
    undo: ({ files }) => removeBlock(files, block),
  },
];

async function secrets(
  { api, wish: { clientId, adminClientId } }: SetupWorld,
  read: (api: SetupWorld['api'], clientId: string) => Promise<string | undefined>,
): Promise<Record<string, string>> {
  return {
    KEYCLOAK_CLIENT_SECRET: (await read(api, clientId)) ?? '',
    ...(adminClientId === undefined
      ? {}
      : {
          KEYCLOAK_ADMIN_CLIENT_ID: adminClientId,
          KEYCLOAK_ADMIN_CLIENT_SECRET: (await read(api, adminClientId)) ?? '',
        }),
  };
}

function wantedSettings(
  { wish, newKey }: SetupWorld,
  text: string,
  ofClients: Readonly<Record<string, string>>,
): Record<string, string> {
  const own = block.in(text);
  const given = settingsIn(text).SECRET_KEY;
  return {
    AUTH_PROVIDER: providersWithKeycloak(settingsIn(block.outOf(text)).AUTH_PROVIDER),
    REGISTRY_URL: wish.registryUrl,
    KEYCLOAK_URL: wish.serverUrl,
    KEYCLOAK_REALM: wish.realm,
    KEYCLOAK_CLIENT_ID: wish.clientId,
    ...ofClients,
    // A key of one's own stays outside of the block; a made one stays what it is.
    ...(given && !own.SECRET_KEY ? {} : { SECRET_KEY: own.SECRET_KEY ?? newKey() }),
  };
}

/** People who sign in with another provider go on doing so. */
function providersWithKeycloak(given = ''): string {
  const names = given.split(',').map((name) => name.trim());
  return [...new Set([...names.filter(Boolean), 'keycloak'])].join(',');
}
