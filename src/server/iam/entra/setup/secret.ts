import { z } from 'zod';
import { GraphFailure } from '../../graph-failure.ts';
import type { Application } from '../objects.ts';
import { settingsIn, settingsOfBlock, withBlock, withoutBlock } from './files.ts';
import {
  findApplication,
  findGroup,
  needApplication,
  needGroup,
  type SetupWorld,
  type Step,
  settled,
} from './step.ts';
import type { GroupRole } from './wish.ts';

const day = 86_400_000;
const made = z.object({ secretText: z.string() });

/** Where the gateway reads its settings. */
export const envFile = '.env';

/** The setting of a role's group; other roles are mapped in scopes.yml. */
export const groupSettings: Partial<Record<GroupRole, string>> = {
  admin: 'ENTRA_GROUP_ADMIN_ID',
  user: 'ENTRA_GROUP_USERS_ID',
};

/** The client secret and the settings: one step, since a secret that is not written down at once is lost. */
export const secretSteps: readonly Step[] = [
  {
    id: 'settings',
    title: 'Client secret and settings (guide, step 3 and environment)',
    async plan(world) {
      const text = (await world.files.read(envFile)) ?? '';
      const found = await findApplication(world);
      const { isNeeded, orphans } = lookAtSecrets(world, found, text);
      const { wanted, isComplete } = await wantedSettings(world, found, text);
      const there = settingsIn(text);
      const changed = Object.keys(wanted).filter((name) => there[name] !== wanted[name]);
      return [
        ...(isNeeded ? [`create a client secret for ${world.wish.secretDays} days`] : []),
        ...(orphans.length > 0 ? [`remove ${orphans.length} secret(s) that nobody has`] : []),
        ...(changed.length > 0 || isNeeded || !isComplete
          ? [`write ${[...changed, ...(isNeeded ? ['ENTRA_CLIENT_SECRET'] : [])].join(', ')} to ${envFile}`]
          : []),
      ];
    },
    async apply(world) {
      const text = (await world.files.read(envFile)) ?? '';
      const found = await needApplication(world);
      for (const wish of world.wish.groups) await needGroup(world, wish);
      const { isNeeded } = lookAtSecrets(world, found, text);
      const { wanted } = await wantedSettings(world, found, text);
      const secret = isNeeded ? await addSecret(world, found) : (settingsIn(text).ENTRA_CLIENT_SECRET ?? '');
      const written = withBlock(text, { ...wanted, ENTRA_CLIENT_SECRET: secret });
      await world.files.write(envFile, written);
      const { orphans } = lookAtSecrets(world, await needApplication(world), written);
      for (const { keyId } of orphans)
        await world.graph.send('POST', `/applications/${found.id}/removePassword`, { body: { keyId } });
    },
    async undo({ files }) {
      const text = await files.read(envFile);
      if (text === undefined || Object.keys(settingsOfBlock(text)).length === 0) return [];
      const rest = withoutBlock(text);
      await (rest === '' ? files.remove(envFile) : files.write(envFile, rest));
      return [`the settings in ${envFile}`];
    },
  },
];

/** Whether a secret has to be made, and which ones of this place lead nowhere: made by a run that crashed before writing. */
function lookAtSecrets({ wish, now }: SetupWorld, found: Application | undefined, text: string) {
  const held = settingsIn(text).ENTRA_CLIENT_SECRET ?? '';
  const secrets = found?.passwordCredentials ?? [];
  const fitting = secrets
    .filter(({ hint }) => hint && held.startsWith(hint))
    .sort((a, b) => b.endDateTime.localeCompare(a.endDateTime));
  const [used] = fitting;
  const isNeeded = !used || Date.parse(used.endDateTime) - now() < 30 * day;
  const orphans = isNeeded
    ? []
    : secrets.filter(({ keyId, displayName }) => displayName === wish.secretName && keyId !== used.keyId);
  return { isNeeded, orphans };
}

async function addSecret(world: SetupWorld, { id }: Application): Promise<string> {
  const add = async (days: number): Promise<string> => {
    const endDateTime = new Date(world.now() + days * day).toISOString();
    const passwordCredential = { displayName: world.wish.secretName, endDateTime };
    const body = await settled(world, () =>
      world.graph.send('POST', `/applications/${id}/addPassword`, { body: { passwordCredential } }),
    );
    return made.parse(body).secretText;
  };
  try {
    return await add(world.wish.secretDays);
  } catch (error) {
    const isTooLong =
      error instanceof GraphFailure && error.graph.code === 'CredentialInvalidLifetimeAsPerAppPolicy';
    // The tenant allows shorter ones only; 30 days would be announced as expiring at once.
    if (!isTooLong || world.wish.secretDays <= 31) throw error;
    return add(Math.max(31, Math.min(90, Math.floor(world.wish.secretDays / 2))));
  }
}

async function wantedSettings(world: SetupWorld, found: Application | undefined, text: string) {
  const own = settingsOfBlock(text);
  const given = settingsIn(text).SECRET_KEY;
  const groups: Record<string, string> = {};
  let isComplete = found !== undefined;
  for (const wish of world.wish.groups) {
    const setting = groupSettings[wish.role];
    const group = await findGroup(world, wish);
    isComplete &&= group !== undefined;
    if (setting) groups[setting] = group?.id ?? '(its Object Id)';
  }
  const wanted: Record<string, string> = {
    ...world.wish.settings,
    ENTRA_TENANT_ID: world.tenantId,
    ENTRA_CLIENT_ID: found?.appId ?? '(its client id)',
    ENTRA_REDIRECT_URI: world.wish.redirectUris.join(','),
    ...groups,
    // A key of one's own stays outside of the block; a made one stays what it is.
    ...(given && !own.SECRET_KEY ? {} : { SECRET_KEY: own.SECRET_KEY ?? world.newKey() }),
  };
  return { wanted, isComplete };
}
