import { z } from 'zod';
import type { Graph } from '../../../provider/graph.ts';
import { GraphFailure } from '../../../provider/graph-failure.ts';
import { ifThere } from '../../../provider/not-there.ts';
import type { NewSecret, ServiceAccounts } from '../../directory.ts';
import { type Patience, settled } from '../settled.ts';

const day = 86_400_000;
/** Lifetimes in days that are tried in turn where a tenant allows no longer ones. */
const shorter = [90, 30, 7];

const made = z.object({ keyId: z.string(), secretText: z.string(), endDateTime: z.string() });
const credentials = z.looseObject({
  passwordCredentials: z.array(
    z.looseObject({ keyId: z.string(), displayName: z.string().nullish(), endDateTime: z.string() }),
  ),
});

const read = { permission: 'Application.Read.All' };
const write = { permission: 'Application.ReadWrite.OwnedBy' };

type Secrets = Required<Pick<ServiceAccounts, 'addSecret' | 'secrets' | 'removeSecret'>>;

/** The client secrets of registrations. */
export function accountSecrets(
  world: { readonly graph: Graph; readonly now: () => number } & Patience,
): Secrets {
  const { graph } = world;
  const secrets = async (id: string) => {
    const query = { $select: 'passwordCredentials' };
    const found = await graph.get(pathOf(id), credentials, { ...read, query });
    return found.passwordCredentials.map(({ keyId, displayName, endDateTime }) => ({
      ...{ keyId, label: displayName ?? '', expiresAt: endDateTime },
    }));
  };
  const removeSecret = async (id: string, keyId: string): Promise<void> => {
    await graph.send('POST', `${pathOf(id)}/removePassword`, { ...write, body: { keyId } });
  };
  return {
    secrets,
    removeSecret,
    async addSecret(id, { label, days }) {
      const secret = await addAllowed(world, id, label, days);
      // Those of the same label: an earlier attempt of this step made them, and nobody has them.
      for (const other of await secrets(id))
        if (other.label === label && other.keyId !== secret.keyId)
          await ifThere(() => removeSecret(id, other.keyId));
      return secret;
    },
  };
}

async function addAllowed(
  world: { readonly graph: Graph; readonly now: () => number } & Patience,
  id: string,
  label: string,
  days: number,
): Promise<NewSecret> {
  const [next] = shorter.filter((fewer) => fewer < days);
  try {
    return await add(world, id, label, days);
  } catch (error) {
    const isTooLong =
      error instanceof GraphFailure && error.graph.code === 'CredentialInvalidLifetimeAsPerAppPolicy';
    if (!isTooLong || next === undefined) throw error;
    return addAllowed(world, id, label, next);
  }
}

async function add(
  world: { readonly graph: Graph; readonly now: () => number } & Patience,
  id: string,
  label: string,
  days: number,
): Promise<NewSecret> {
  const endDateTime = new Date(world.now() + days * day).toISOString();
  const body = { passwordCredential: { displayName: label, endDateTime } };
  const answer = await settled(world, () =>
    world.graph.send('POST', `${pathOf(id)}/addPassword`, { ...write, body }),
  );
  const { keyId, secretText: secret, endDateTime: expiresAt } = made.parse(answer);
  return { keyId, secret, expiresAt };
}

function pathOf(id: string): string {
  return `/applications/${encodeURIComponent(id)}`;
}
