import { LRUCache } from 'lru-cache';
import * as oidc from 'openid-client';
import { aadstsCodeIn, isPassing } from '../../contract/diagnosis/aadsts.ts';
import { withLease } from '../db/lease.ts';
import type { Db } from '../db/tables.ts';
import { inTransaction } from '../db/transaction.ts';
import { asFailure, Failure } from '../failure/errors.ts';
import { masked } from '../log.ts';
import type { Fetch } from '../net/outbound.ts';
import { type OidcClients, providerErrorOf } from '../provider/oidc.ts';
import { clientOf, type Person } from '../provider/provider.ts';
import { SignInAgain } from '../provider/sign-in-again.ts';
import type { TrustedProvider } from './bearer.ts';
import { endProviderTokens } from './cutoffs.ts';
import type { Memberships } from './groups/memberships.ts';
import { type SealingKeys, seal, unseal } from './keys.ts';
import {
  findPerson,
  type GroupsSeen,
  type KnownPerson,
  refusePerson,
  renewPerson,
  type StoredPerson,
} from './people.ts';
import { readPerson } from './read-person.ts';
import { endSessionsOf } from './session-rows.ts';

/** After a failed refresh nobody asks for the same person again for this long, in milliseconds. */
const pause = 10_000;
/** The provider's words for "this person may not go on": disabled, removed, revoked, or blocked. */
const refusals = ['invalid_grant', 'access_denied'];
/** AADSTS codes of a sign-in that is older than Conditional Access lets it be: nothing is wrong with the account. */
const tooOld = [70043];
/** Its words for "ask the person". */
const questions = ['interaction_required', 'login_required', 'consent_required'];

/** What keeping people's groups up to date needs. */
export interface FreshPeopleWorld {
  readonly db: Db;
  /** Encrypts refresh tokens. */
  readonly key: Buffer | SealingKeys;
  readonly trusted: readonly TrustedProvider[];
  readonly clients: OidcClients;
  readonly memberships: Memberships;
  /** Told whenever groups were read anew. */
  readonly groupsSeen?: GroupsSeen;
  readonly fetch: Fetch;
  readonly now: () => number;
  readonly log: { warn(facts: object, text: string): void };
  /** How long groups are believed, and how much longer while they cannot be read, in milliseconds. */
  readonly maxAge: number;
  readonly grace: number;
}

/**
 * The person of that provider and subject with groups that are fresh enough; undefined for a stranger. Throws
 * `credential_revoked` when the provider refuses the person, `sign_in_again` when it asks for them, `groups_stale` when
 * the groups are too old and nobody can read them, a 5xx failure when the provider is away for longer than the grace.
 */
export type FreshPerson = (provider: string, subject: string) => Promise<KnownPerson | undefined>;

/** Makes it; one refresh at a time for a person, whoever asks. */
export function createFreshPeople(world: FreshPeopleWorld): FreshPerson {
  const underway = new Map<string, Promise<StoredPerson>>();
  const failed = new LRUCache<string, { failure: Failure; until: number }>({ max: 10_000 });

  const renew = async (
    key: string,
    before: StoredPerson,
    trusted: TrustedProvider,
  ): Promise<StoredPerson> => {
    const recent = failed.get(key);
    if (recent && world.now() < recent.until) return believe(before, recent.failure, world);
    try {
      // A refresh token that rotates is redeemed by one process: a second use of it may end all access of the person.
      return await withLease(world.db, `refresh of ${key}`, async () => {
        const { provider, subject } = before.known;
        const now = (await findPerson(world.db, provider, subject)) ?? before;
        if (now.refusedBecause) throw new Failure('credential_revoked', now.refusedBecause);
        if (now.groupsReadAt > before.groupsReadAt) return now;
        return readAnew(now, trusted, world);
      });
    } catch (error) {
      const failure = asFailure(error);
      if (failure.code === 'credential_revoked' || failure instanceof SignInAgain)
        return refuse(before, failure, world);
      failed.set(key, { failure, until: world.now() + pause });
      note(world, before, failure, 'the groups of a person could not be refreshed');
      return believe(before, failure, world);
    }
  };

  return async (provider, subject) => {
    const trusted = world.trusted.find((one) => one.provider.name === provider);
    const person = trusted && (await findPerson(world.db, provider, subject));
    // Whose provider is not configured any more is a stranger: their groups would be taken for another provider's.
    if (!trusted || !person) return undefined;
    const named = ({ known }: StoredPerson) => ({ ...known, groups: trusted.groupsOf(known.groups) });
    if (person.refusedBecause) throw new Failure('credential_revoked', person.refusedBecause);
    if (world.now() - person.groupsReadAt < world.maxAge) return named(person);
    const key = JSON.stringify([provider, subject]);
    const pending = underway.get(key) ?? renew(key, person, trusted).finally(() => underway.delete(key));
    underway.set(key, pending);
    return named(await pending);
  };
}

/** Reads until what is stored is fresh: what was changed or ended during a reading is read once more. */
async function readAnew(
  first: StoredPerson,
  trusted: TrustedProvider,
  world: FreshPeopleWorld,
): Promise<StoredPerson> {
  const { provider, subject } = first.known;
  let before = first;
  for (let readings = 0; readings < 3; readings += 1) {
    await readOnce(before, trusted, world);
    const found = await findPerson(world.db, provider, subject);
    if (!found || found.refusedBecause)
      throw new Failure(
        'credential_revoked',
        found?.refusedBecause ?? 'You are no longer known here; sign in again.',
      );
    if (world.now() - found.groupsReadAt < world.maxAge) return found;
    before = found;
  }
  throw new Failure('groups_unavailable', 'Your groups are changing at the moment; try again soon.');
}

async function readOnce(
  before: StoredPerson,
  trusted: TrustedProvider,
  world: FreshPeopleWorld,
): Promise<void> {
  const { provider, subject } = before.known;
  const at = new Date(world.now()).toISOString();
  const keep = async (
    found: Partial<Person> & { readonly groups: readonly string[] },
    sealed: string | null,
  ) => {
    if (await renewPerson(world.db, before, found, at, sealed))
      world.groupsSeen?.({ ...before.known, groups: found.groups }, before.known.groups);
  };
  const refreshed =
    before.refreshSealed && (await refresh(before, before.refreshSealed, trusted, world).catch(endTooOld));
  async function endTooOld(error: unknown): Promise<undefined> {
    if (!trusted.provider.tokensOutliveSignIn || !isTooOld(error)) throw error;
    const because = 'Your organisation asks you to sign in again from time to time; sign in again.';
    await endSessionsOf(world.db, { provider, subject }, { at, because });
  }
  if (refreshed) {
    const { person, refreshToken } = refreshed;
    if (person.subject !== subject)
      throw new Failure('credential_revoked', 'The identity provider returned a different person.');
    const sealed = refreshToken ? seal(world.key, refreshToken) : before.refreshSealed;
    await keep(person, sealed);
  } else {
    if (!before.tenant) throw new Failure('groups_incomplete', 'The directory of the account is not known.');
    const member = { kind: 'person', tenant: before.tenant, subject } as const;
    const groups = await world.memberships.fresh(trusted.provider, member);
    // App roles are only in tokens: without one they are not known any more, so they do not count.
    await keep({ groups }, null);
  }
}

async function refresh(
  before: StoredPerson,
  sealed: string,
  trusted: TrustedProvider,
  world: FreshPeopleWorld,
): Promise<{ person: Person; refreshToken: string | undefined }> {
  const { provider } = trusted;
  const configuration = await world.clients(clientOf(provider));
  const answer = await redeem(configuration, unsealed(sealed, world.key), provider.refreshScope);
  const { person } = await readPerson(world, trusted, answer, before.known.subject);
  return { person, refreshToken: answer.refresh_token };
}

async function redeem(configuration: oidc.Configuration, token: string, scope: string | undefined) {
  try {
    return await oidc.refreshTokenGrant(configuration, token, scope ? { scope } : {});
  } catch (error) {
    const said = providerErrorOf(error);
    if (said?.claims || questions.includes(said?.error ?? '')) throw new SignInAgain(said?.claims, error);
    const aadsts = aadstsCodeIn(said?.description);
    if (refusals.includes(said?.error ?? '') && !isPassing(aadsts))
      throw new Failure(
        'credential_revoked',
        `The identity provider ended your access; sign in again (${said?.description.slice(0, 300)}).`,
        { cause: error },
      );
    // Anything else, an expired client secret included, is about the gateway: nobody is signed out for it.
    throw new Failure(
      'identity_unavailable',
      'The identity provider is not available at the moment; try again soon.',
      {
        cause: error,
      },
    );
  }
}

function isTooOld(error: unknown): boolean {
  const said = providerErrorOf(asFailure(error).cause);
  return tooOld.includes(aadstsCodeIn(said?.description) ?? 0);
}

/** A refresh token of another SECRET_KEY is as good as none, but it says nothing against the person. */
function unsealed(sealed: string, key: Buffer | SealingKeys): string {
  try {
    return unseal(key, sealed);
  } catch (cause) {
    throw new Failure('groups_incomplete', 'The refresh token cannot be decrypted.', { cause });
  }
}

async function refuse(
  before: StoredPerson,
  failure: Failure,
  world: FreshPeopleWorld,
): Promise<StoredPerson> {
  const { db, now } = world;
  const { provider, subject } = before.known;
  const at = new Date(now()).toISOString();
  const claims = failure instanceof SignInAgain ? failure.claims : undefined;
  const isRefused = await inTransaction(db, async (trx) => {
    if (!(await refusePerson(trx, before, failure.message, at))) return false;
    await endSessionsOf(trx, { provider, subject }, { at, because: failure.message, claims });
    await endProviderTokens(trx, { provider, subject }, at, failure.message);
    return true;
  });
  if (!isRefused) {
    const newer = await findPerson(db, provider, subject);
    if (newer && !newer.refusedBecause) return newer;
    throw failure;
  }
  note(world, before, failure, 'the sessions and tokens of a person were ended');
  throw failure;
}

function note(world: FreshPeopleWorld, { known }: StoredPerson, failure: Failure, what: string): void {
  const who = { provider: known.provider, subject: masked(known.subject) };
  world.log.warn({ ...who, code: failure.code, err: failure.cause }, `${what}: ${failure.message}`);
}

/** The groups as last read, while they are not too old for that. */
function believe(before: StoredPerson, failure: Failure, world: FreshPeopleWorld): StoredPerson {
  if (world.now() - before.groupsReadAt < world.maxAge + world.grace) return before;
  if (failure.status >= 500) throw failure;
  throw new Failure(
    'groups_stale',
    'Your group memberships are out of date and can only be refreshed by signing in. Sign in again.',
    { cause: failure },
  );
}
