import { z } from 'zod';
import { GraphFailure } from '../../../provider/graph-failure.ts';
import { settingsIn } from '../../setup/files.ts';
import type { Application } from '../objects.ts';
import { settled } from '../settled.ts';
import {
  addCertificate,
  certificateSettings,
  chosenCertificate,
  isThatCertificate,
  readCertificate,
  replace,
} from './certificate.ts';
import { block, type SetupWorld } from './step.ts';

const day = 86_400_000;
const made = z.object({ secretText: z.string() });

/** All ways to prove who the gateway is, of which it takes one. */
const credentialSettings = [
  'ENTRA_CLIENT_SECRET',
  'ENTRA_CLIENT_CERTIFICATE_PATH',
  'ENTRA_CLIENT_CERTIFICATE_KEY_PATH',
  'ENTRA_FEDERATED_TOKEN_FILE',
  'ENTRA_MANAGED_IDENTITY',
];

/** What proves who the gateway is, and what has to be done about it. */
export interface CredentialWork {
  /** What would be made; nothing when all is in place. */
  readonly toMake: readonly string[];
  /** What a run that crashed, or the other kind of credential, has left behind; nothing before it is known what is in use. */
  readonly orphans: { readonly secrets: readonly string[]; readonly certificates: readonly string[] };
  /** The settings as they are known before it is made; the value of a secret to be made is empty. */
  readonly settings: Readonly<Record<string, string>>;
  /** Makes what is missing; answers the settings. */
  make(found: Application): Promise<Readonly<Record<string, string>>>;
}

/** Looks at the credential in the registration and in the settings. */
export async function lookAtCredential(
  world: SetupWorld,
  found: Application | undefined,
  text: string,
): Promise<CredentialWork> {
  const chosen = chosenCertificate(world, text);
  if (!chosen) return lookAtSecret(world, found, text);
  const certificate = await readCertificate(world, chosen);
  const used = found?.keyCredentials.find((one) => isThatCertificate(one, certificate));
  const settings = alone(text, certificateSettings(chosen));
  return {
    toMake: used ? [] : [`register the certificate in ${chosen.path} (its public part)`],
    orphans: orphansOf(world, found, used?.keyId),
    settings,
    async make(application) {
      if (!used) await addCertificate(world, application, certificate);
      return settings;
    },
  };
}

function lookAtSecret(world: SetupWorld, found: Application | undefined, text: string): CredentialWork {
  const held = settingsIn(text).ENTRA_CLIENT_SECRET ?? '';
  const [used] = (found?.passwordCredentials ?? [])
    .filter(({ hint }) => hint && held.startsWith(hint))
    .sort((a, b) => b.endDateTime.localeCompare(a.endDateTime));
  const isNeeded = !used || Date.parse(used.endDateTime) - world.now() < 30 * day;
  return {
    toMake: isNeeded ? [`create a client secret for ${world.wish.secretDays} days`] : [],
    orphans: orphansOf(world, found, isNeeded ? undefined : used.keyId),
    settings: alone(text, { ENTRA_CLIENT_SECRET: isNeeded ? '' : held }),
    async make(application) {
      const secret = isNeeded ? await addSecret(world, application) : held;
      return alone(text, { ENTRA_CLIENT_SECRET: secret });
    },
  };
}

/** The settings with the other kinds blanked where lines outside of the block name them: two would contradict each other. */
function alone(text: string, settings: Record<string, string>): Record<string, string> {
  const outside = settingsIn(block.outOf(text));
  const others = credentialSettings.filter((name) => outside[name] && settings[name] === undefined);
  return { ...settings, ...Object.fromEntries(others.map((name) => [name, ''])) };
}

/** Credentials of this place (its name) that are not the one in use; none while none is in use. */
function orphansOf(
  { wish }: SetupWorld,
  found: Application | undefined,
  usedKeyId: string | undefined,
): CredentialWork['orphans'] {
  const left = (list: readonly { keyId: string; displayName?: string | null | undefined }[] = []) =>
    list
      .filter(({ keyId, displayName }) => displayName === wish.secretName && keyId !== usedKeyId)
      .map(({ keyId }) => keyId);
  if (usedKeyId === undefined) return { secrets: [], certificates: [] };
  return { secrets: left(found?.passwordCredentials), certificates: left(found?.keyCredentials) };
}

/** Removes what is left behind from the registration. */
export async function removeOrphans(
  world: SetupWorld,
  { id, keyCredentials }: Application,
  { secrets, certificates }: CredentialWork['orphans'],
): Promise<void> {
  for (const keyId of secrets)
    await world.graph.send('POST', `/applications/${id}/removePassword`, { body: { keyId } });
  if (certificates.length > 0)
    await replace(
      world,
      id,
      keyCredentials.filter(({ keyId }) => !certificates.includes(keyId)),
    );
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
