import type { Input, Output } from '../../../contract/endpoint.ts';
import type { userEndpoints } from '../../../contract/people/users.ts';
import type { Db } from '../../db/tables.ts';
import { asFailure, Failure, invalidInput } from '../../failure/errors.ts';
import { assertManagesAccount, type ManagedWorld } from '../managed.ts';
import { unsupported } from '../users/create-human.ts';
import { type AccountCaller, needAbility, needDirectory } from '../users/world.ts';
import type { JobsWorld } from './world.ts';

type Endpoint = (typeof userEndpoints)['users.rotateSecret'];
const day = 86_400_000;

/** Gives an account a new secret beside those it has, which are removed when the overlap is over. */
export async function rotateSecret(
  world: JobsWorld & ManagedWorld,
  clientId: string,
  body: Input<Endpoint>['body'],
  caller: AccountCaller,
): Promise<Output<Endpoint>> {
  const directory = needDirectory(world);
  const { serviceAccounts } = directory;
  const { addSecret, secrets, removeSecret } = serviceAccounts ?? {};
  if (!serviceAccounts || !addSecret || !secrets || !removeSecret) throw unsupported(directory);
  await needAbility(directory, 'writeServiceAccounts', 'change secrets of applications');
  const account = await serviceAccounts.find(clientId);
  if (!account)
    throw new Failure(
      'not_found',
      `'${clientId}' is not an application that the gateway created in ${directory.provider}.`,
    );
  const { provider } = directory;
  await assertManagesAccount(world, { provider, kind: 'application', id: account.clientId }, account.name);
  const days = secretDays(world, body.secret_days);
  const old = await secrets(account.id);
  const made = await addSecret(account.id, { label: `rotation ${world.newId()}`, days });
  const removedAt = new Date(world.now() + body.overlap_days * day).toISOString();
  for (const { keyId } of old) await retire(world.db, account.id, keyId, removedAt);
  await removeRetired(world);
  const left = await retiredOf(world.db, account.id);
  const shown = old.map(({ keyId }) => ({ key_id: keyId, removed_at: left.get(keyId) ?? removedAt }));
  caller.note({ client_id: account.clientId, key_id: made.keyId, old_secrets: shown });
  return {
    ...{ client_id: account.clientId, client_secret: made.secret, key_id: made.keyId },
    ...{ expires_at: made.expiresAt, old_secrets: shown },
  };
}

/** Days that a secret is to be valid; refuses more than the settings allow. */
export function secretDays({ mostSecretDays }: JobsWorld, asked: number | undefined): number {
  if (asked === undefined || asked <= mostSecretDays) return asked ?? mostSecretDays;
  const message = `must be at most ${mostSecretDays} (IAM_SECRET_MAX_DAYS)`;
  throw invalidInput([{ at: 'body.secret_days', message }]);
}

async function retire(db: Db, account_id: string, key_id: string, removed_at: string): Promise<void> {
  await db
    .insertInto('retired_secrets')
    .values({ account_id, key_id, removed_at })
    // One that was to go earlier goes earlier.
    .onConflict((conflict) =>
      conflict
        .columns(['account_id', 'key_id'])
        .doUpdateSet({ removed_at })
        .where('retired_secrets.removed_at', '>', removed_at),
    )
    .execute();
}

async function retiredOf(db: Db, accountId: string): Promise<ReadonlyMap<string, string>> {
  const rows = await db
    .selectFrom('retired_secrets')
    .selectAll()
    .where('account_id', '=', accountId)
    .execute();
  return new Map(rows.map(({ key_id, removed_at }) => [key_id, removed_at]));
}

/** Removes the retired secrets whose time has come; what cannot be removed now is tried again the next time. */
export async function removeRetired({ db, now, directory, log }: JobsWorld): Promise<void> {
  const removeSecret = directory?.serviceAccounts?.removeSecret;
  if (!removeSecret) return;
  const due = await db
    .selectFrom('retired_secrets')
    .selectAll()
    .where('removed_at', '<=', new Date(now()).toISOString())
    .execute();
  for (const { account_id, key_id } of due)
    try {
      await removeSecret(account_id, key_id).catch(unlessGone);
      await db
        .deleteFrom('retired_secrets')
        .where('account_id', '=', account_id)
        .where('key_id', '=', key_id)
        .execute();
    } catch (error) {
      log.error({ err: error, account: account_id, key: key_id }, 'an old secret cannot be removed');
    }
}

function unlessGone(error: unknown): void {
  const { code } = asFailure(error);
  if (code !== 'not_found' && code !== 'directory_refused') throw error;
}
