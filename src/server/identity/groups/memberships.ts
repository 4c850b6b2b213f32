import { LRUCache } from 'lru-cache';
import * as oidc from 'openid-client';
import { aadstsCodeIn, isPassing } from '../../../contract/diagnosis/aadsts.ts';
import { asFailure, Failure } from '../../failure/errors.ts';
import type { Fetch } from '../../net/outbound.ts';
import { type OidcClients, providerErrorOf } from '../../provider/oidc.ts';
import type { GroupApi, Member, Provider } from '../../provider/provider.ts';

/** Members that are remembered at most. */
const cacheSize = 10_000;
/** How long a refusal and an outage are remembered, in milliseconds, so that callers cannot hammer the provider. */
const pauses = { refused: 60_000, unavailable: 10_000 };

/** What reading groups from providers needs. */
export interface MembershipsWorld {
  readonly clients: OidcClients;
  readonly fetch: Fetch;
  readonly now: () => number;
  /** How long groups are believed, and how much longer while they cannot be read, in milliseconds. */
  readonly maxAge: number;
  readonly grace: number;
}

/** Reads groups from providers with tokens of the gateway's own; one entry a member, never one for another. */
export interface Memberships {
  /** The groups, at most `maxAge` old; throws the Failure that says why they cannot be read. */
  of(provider: Provider, member: Member): Promise<readonly string[]>;
  /** The groups as they are now, past the cache. */
  fresh(provider: Provider, member: Member): Promise<readonly string[]>;
  /** Forgets what is remembered of somebody, or of everybody. */
  forget(who?: { readonly provider: string; readonly subject: string }): void;
}

interface Entry {
  readonly provider: string;
  readonly subject: string;
  readonly readAt: number;
  readonly groups?: readonly string[];
  readonly failure?: Failure;
  /** Until when this is the answer without asking again. */
  readonly until: number;
}

/** Makes the cache over the providers' group APIs. */
export function createMemberships(world: MembershipsWorld): Memberships {
  const { now } = world;
  const entries = new LRUCache<string, Entry>({ max: cacheSize });
  const underway = new Map<string, Promise<readonly string[]>>();
  const tokens = appTokens(world);

  const read = async (key: string, provider: Provider, member: Member): Promise<readonly string[]> => {
    const { groupApi } = provider;
    if (!groupApi) throw new Failure('groups_incomplete', 'The token does not list the groups.');
    const about = { provider: provider.name, subject: member.subject };
    const before = entries.get(key);
    try {
      const token = await tokens.of(provider.name, groupApi, member.tenant);
      const groups = await groupApi.read(member, token, world.fetch);
      entries.set(key, { ...about, groups, readAt: now(), until: now() + world.maxAge });
      return groups;
    } catch (error) {
      const failure = asFailure(error);
      const isOutage = failure.status >= 500;
      // A token that is refused before its end was revoked: the next question takes a new one.
      if ((failure.cause as { status?: number } | undefined)?.status === 401)
        tokens.drop(provider.name, member.tenant);
      const until = now() + (isOutage ? pauses.unavailable : pauses.refused);
      entries.set(
        key,
        isOutage && before ? { ...before, failure, until } : { ...about, failure, readAt: 0, until },
      );
      throw failure;
    }
  };
  const once = (provider: Provider, member: Member): Promise<readonly string[]> => {
    const key = keyOf(provider, member);
    const pending = underway.get(key) ?? read(key, provider, member).finally(() => underway.delete(key));
    underway.set(key, pending);
    return pending;
  };

  return {
    async of(provider, member) {
      const key = keyOf(provider, member);
      const known = entries.get(key);
      if (known && now() < known.until) return answer(known, world);
      try {
        return await once(provider, member);
      } catch (error) {
        const kept = entries.get(key);
        if (!kept) throw error;
        return answer(kept, world);
      }
    },
    fresh: once,
    forget(who) {
      if (!who) return entries.clear();
      for (const [key, known] of entries.entries())
        if (known.provider === who.provider && known.subject === who.subject) entries.delete(key);
    },
  };
}

function keyOf(provider: Provider, { tenant, kind, subject }: Member): string {
  return JSON.stringify([provider.name, tenant, kind, subject]);
}

/** Groups read before an outage go on for the time of grace. */
function answer({ groups, readAt, failure }: Entry, { now, maxAge, grace }: MembershipsWorld) {
  if (failure && !(groups && now() - readAt < maxAge + grace)) throw failure;
  return groups ?? [];
}

/** Tokens of the gateway's own, one a provider and directory, asked for anew a minute before they end. */
function appTokens(world: MembershipsWorld) {
  const tokens = new Map<string, { token: Promise<string>; until: number }>();
  const keyOf = (provider: string, tenant: string): string => JSON.stringify([provider, tenant]);
  return {
    of(provider: string, api: GroupApi, tenant: string): Promise<string> {
      const key = keyOf(provider, tenant);
      const known = tokens.get(key);
      if (known && world.now() < known.until) return known.token;
      const entry = { token: Promise.resolve(''), until: Number.POSITIVE_INFINITY };
      entry.token = askToken(world, api, tenant).then(({ token, seconds }) => {
        entry.until = world.now() + Math.max(seconds - 60, 0) * 1000;
        return token;
      });
      tokens.set(key, entry);
      entry.token.catch(() => tokens.delete(key));
      return entry.token;
    },
    drop(provider: string, tenant: string): void {
      tokens.delete(keyOf(provider, tenant));
    },
  };
}

async function askToken(
  world: MembershipsWorld,
  api: GroupApi,
  tenant: string,
): Promise<{ token: string; seconds: number }> {
  const configuration = await world.clients(api.client(tenant));
  try {
    const answer = await oidc.clientCredentialsGrant(configuration, { scope: api.scope });
    return { token: answer.access_token, seconds: Math.min(answer.expires_in ?? 300, 3600) };
  } catch (error) {
    const said = providerErrorOf(error);
    throw said && !isPassing(aadstsCodeIn(said.description))
      ? new Failure(
          'groups_incomplete',
          `The groups cannot be read: the identity provider refuses the gateway itself (${said.description.slice(0, 300)}).`,
          { cause: error },
        )
      : new Failure('groups_unavailable', 'The groups cannot be read right now; try again soon.', {
          cause: error,
        });
  }
}
