import type { AttributeType } from '@aws-sdk/client-cognito-identity-provider';
import { LRUCache } from 'lru-cache';
import { Failure } from '../../failure/errors.ts';
import type { DirectoryUser } from '../directory.ts';
import { filterBy } from './names.ts';
import type { PoolApi } from './pool-api.ts';

/** Milliseconds that a name is believed: whoever is deleted and made again has another `sub` under it. */
const maxAge = 60_000;

/** An account as Cognito shows it: some answers say `Attributes`, others `UserAttributes`. */
export interface Account {
  readonly Username?: string | undefined;
  readonly Attributes?: readonly AttributeType[] | undefined;
  readonly UserAttributes?: readonly AttributeType[] | undefined;
  readonly Enabled?: boolean | undefined;
}

/** The names by which the API calls accounts: tokens, and so the gateway, know people by `sub`. */
export interface Usernames {
  /** `not_found` when there is no account with that `sub`. */
  of(sub: string): Promise<string>;
  /** The account as the directory says it; its name is known from then on. */
  learn(account: Account): DirectoryUser;
  forget(sub: string): void;
}

/** Remembers names for a minute; what it does not know is looked for in the pool. */
export function createUsernames(api: PoolApi, now: () => number): Usernames {
  const known = new LRUCache<string, string>({ max: 10_000, ttl: maxAge, perf: { now } });
  const learn = (account: Account): DirectoryUser => {
    const user = userOf(account);
    known.set(user.id, account.Username ?? '');
    return user;
  };
  return {
    learn,
    forget: (sub) => void known.delete(sub),
    async of(sub) {
      const name = known.get(sub);
      if (name !== undefined) return name;
      const Filter = filterBy('sub', '=', sub);
      const [found] = Filter ? ((await api.ask('ListUsers', { Filter })).Users ?? []) : [];
      if (!found?.Username) throw new Failure('not_found', 'Cognito has no such user.');
      learn(found);
      return found.Username;
    },
  };
}

/** An attribute that says something; null otherwise. */
export function attributeOf({ Attributes, UserAttributes }: Account, name: string): string | null {
  return (Attributes ?? UserAttributes ?? []).find((one) => one.Name === name)?.Value || null;
}

function userOf(account: Account): DirectoryUser {
  const { Username = '', Enabled } = account;
  const of = (name: string): string | null => attributeOf(account, name);
  const [id, email] = [of('sub') ?? Username, of('email')];
  // Where people sign in with their address, Cognito makes up the name: it is the `sub` again.
  const username = Username === id ? (email ?? Username) : Username;
  const [firstName, lastName] = [of('given_name'), of('family_name')];
  const full = [firstName, lastName].filter(Boolean).join(' ');
  return {
    ...{ id, username, email, firstName, lastName },
    displayName: of('name') ?? (full || username),
    enabled: Enabled !== false,
  };
}
