import { envFile, settingsIn } from '../../setup/files.ts';
import type { GroupRole } from '../../setup/roles.ts';
import { removeBlock } from '../../setup/settings-block.ts';
import type { Application } from '../objects.ts';
import { lookAtCredential, removeOrphans } from './credential.ts';
import {
  block,
  findApplication,
  findGroup,
  needApplication,
  needGroup,
  type SetupWorld,
  type Step,
} from './step.ts';

/** The setting of a role's group; other roles are mapped in scopes.yml. */
const groupSettings: Partial<Record<GroupRole, string>> = {
  admin: 'ENTRA_GROUP_ADMIN_ID',
  user: 'ENTRA_GROUP_USERS_ID',
};

/** The credential and the settings: one step, since a secret that is not written down at once is lost. */
export const secretSteps: readonly Step[] = [
  {
    id: 'settings',
    title: 'Credential and settings (guide, step 3 and environment)',
    async plan(world) {
      const text = (await world.files.read(envFile)) ?? '';
      const found = await findApplication(world);
      const { toMake, orphans, settings } = await lookAtCredential(world, found, text);
      const { wanted, isComplete } = await wantedSettings(world, found, text);
      const there = settingsIn(text);
      const all: Record<string, string> = { ...wanted, ...settings };
      const changed = Object.keys(all).filter((name) => (there[name] ?? '') !== all[name]);
      const isSecret = settings.ENTRA_CLIENT_SECRET === '' && toMake.length > 0;
      const names = [...new Set([...changed, ...(isSecret ? ['ENTRA_CLIENT_SECRET'] : [])])];
      const left = orphans.secrets.length + orphans.certificates.length;
      return [
        ...toMake,
        ...(left > 0 ? [`remove ${left} unused credential(s)`] : []),
        ...(names.length > 0 || !isComplete ? [`write ${names.join(', ')} to ${envFile}`] : []),
      ];
    },
    async apply(world) {
      const text = (await world.files.read(envFile)) ?? '';
      const found = await needApplication(world);
      for (const wish of world.wish.groups) await needGroup(world, wish);
      const { wanted } = await wantedSettings(world, found, text);
      const work = await lookAtCredential(world, found, text);
      const written = block.into(text, { ...wanted, ...(await work.make(found)) });
      await world.files.write(envFile, written);
      const after = await needApplication(world);
      await removeOrphans(world, after, (await lookAtCredential(world, after, written)).orphans);
    },
    undo: ({ files }) => removeBlock(files, block),
  },
];

async function wantedSettings(world: SetupWorld, found: Application | undefined, text: string) {
  const own = block.in(text);
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
