import { type Context, errors, type OIDCProviderError, type Token } from 'oidc-provider';
import { type AuditEvent, type AuditIdentity, auditIdentity } from '../../audit/event.ts';
import type { Db } from '../../db/tables.ts';
import { asFailure } from '../../failure/errors.ts';
import type { FreshPerson } from '../../identity/fresh-people.ts';
import { newSecret } from '../../identity/keys.ts';
import { type GrantVia, storeGrant } from '../grants.ts';
import { accountIdOf, resourceServerOf } from '../provider.ts';
import { type RateWindow, takeTurn } from '../rates.ts';
import { type Resource, resourceOf } from '../resources.ts';

/** What grants without a page need: a person's rights go to a program because somebody trusted says so. */
export interface DelegationWorld {
  readonly db: Db;
  readonly issuer: string;
  readonly now: () => number;
  readonly freshPerson: FreshPerson;
  readonly accessSeconds: number;
  /** Records what was decided, for the request of this context. */
  readonly record: (event: Omit<AuditEvent, 'correlationId' | 'clientIp'>, ctx: Context) => void;
}

/** Whom and what a token is for. */
export interface Delegated {
  readonly person: { readonly provider: string; readonly subject: string };
  readonly resource: Resource;
  /** The resource as it was asked for. */
  readonly requested: string;
  readonly scopes: readonly string[];
  readonly via: Extract<GrantVia, 'assertion' | 'exchange'>;
  readonly actors: readonly string[];
  readonly parentId?: string | undefined;
  /** Seconds that the token may live at most. */
  readonly atMost: number;
}

/** Requests of one client within a minute at most. */
const perClient: RateWindow = { most: 300, withinMs: 60_000 };

/** An OAuth error (RFC 6749, section 5.2) with words for the program's developer. */
export function refusal(error: string, description: string): Error {
  return new errors.CustomOIDCProviderError(error, description);
}

/** What a grant says of its decision for the audit trail. */
interface Decided {
  readonly who: AuditIdentity;
  readonly resource: string;
  readonly detail: Readonly<Record<string, unknown>>;
}

/** Runs a grant: only for clients that prove themselves, within the rate, and with every outcome on record. */
export function delegation(
  world: DelegationWorld,
  action: 'oauth.assertion' | 'oauth.exchange',
  go: (ctx: Context) => Promise<Decided>,
): (ctx: Context) => Promise<void> {
  return async (ctx) => {
    const { client, params } = ctx.oidc;
    const about = { kind: 'token', action, at: new Date(world.now()).toISOString(), durationMs: 0 } as const;
    try {
      if (client.clientAuthMethod === 'none')
        throw refusal(
          'unauthorized_client',
          'A client has to authenticate for this, with a secret or a key.',
        );
      if (!(await takeTurn(world.db, [action, client.clientId], perClient, world.now())))
        throw refusal('temporarily_unavailable', 'Too many requests of this client; try again in a minute.');
      const { who, resource, detail } = await go(ctx);
      world.record({ ...about, who, resource, decision: 'allow', status: 200, detail }, ctx);
    } catch (error) {
      const {
        error: code = 'server_error',
        error_description: reason = '',
        statusCode = 500,
      } = error as Partial<OIDCProviderError>;
      const detail = { client: client.clientId, error: code };
      const resource = typeof params.resource === 'string' ? params.resource : null;
      const decision = statusCode < 500 ? 'deny' : 'error';
      world.record({ ...about, who: null, resource, decision, reason, status: statusCode, detail }, ctx);
      throw error;
    }
  };
}

/** The resource that is asked for; throws `invalid_target` for none and for what is no endpoint of ours. */
export function resourceAsked(requested: unknown, { issuer }: DelegationWorld): Resource {
  const found = typeof requested === 'string' ? resourceOf(requested, issuer) : undefined;
  if (found) return found;
  throw refusal('invalid_target', `Name one MCP endpoint in 'resource', such as ${issuer}/<server>/mcp.`);
}

/** What is asked for within what may be had; all of it when nothing is asked for. Throws `invalid_scope` for nothing. */
export function scopesWithin(asked: unknown, may: readonly string[]): readonly string[] {
  const wanted = typeof asked === 'string' && asked !== '' ? asked.split(' ') : undefined;
  const scopes = wanted ? may.filter((one) => wanted.includes(one)) : may;
  if (scopes.length > 0) return scopes;
  throw refusal('invalid_scope', `None of these can be had; there are: ${may.join(' ') || 'none'}.`);
}

/** Issues an access token to the client of a request, with a grant behind it that can be seen and ended. */
export async function issue(ctx: Context, world: DelegationWorld, given: Delegated): Promise<Decided> {
  const { db, now } = world;
  const { person, resource, requested, scopes, via, actors, parentId } = given;
  const known = await knownPerson(world, person);
  const { client, provider } = ctx.oidc;
  const seconds = Math.min(world.accessSeconds, Math.floor(given.atMost));
  if (seconds < 1) throw refusal('invalid_grant', 'What the token would come of is about to end.');
  const at = new Date(now()).toISOString();
  const id = newSecret();
  await storeGrant(db, {
    ...{ id, owner: { ...person, username: known.username }, scopes, at, via, actors, parentId },
    client: { id: client.clientId, name: client.clientName ?? client.clientId },
    resource: resource.audience,
    expiresAt: new Date(now() + seconds * 1000).toISOString(),
  });
  const token = new provider.AccessToken({
    ...{ client, grantId: id, gty: via, scope: scopes.join(' '), expiresIn: seconds },
    accountId: accountIdOf(person),
  });
  token.resourceServer = new provider.ResourceServer(requested, resourceServerOf(resource, seconds));
  const value = await Object.assign(token, { act: actOf(actors) } satisfies ActingToken).save();
  ctx.body = {
    ...{ access_token: value, token_type: token.tokenType, expires_in: seconds, scope: scopes.join(' ') },
    ...(via === 'exchange' ? { issued_token_type: accessTokenType } : {}),
  };
  const who = { ...person, username: known.username, clientId: client.clientId, method: 'oauth', actors };
  const detail = { client: client.clientId, scopes, grant: id, ...(actors.length > 0 ? { actors } : {}) };
  return { who: auditIdentity({ ...who, credentialId: id }), resource: resource.at, detail };
}

/** The type of access tokens (RFC 8693, section 3). */
export const accessTokenType = 'urn:ietf:params:oauth:token-type:access_token';

/** Who acts (RFC 8693, section 4.1): the present actor, with those before it inside. */
export interface Act {
  readonly sub: string;
  readonly act?: Act;
}

/** A token under way with what its `act` will say. */
export type ActingToken = Partial<Token> & { readonly act: Act | undefined };

function actOf([first, ...before]: readonly string[]): Act | undefined {
  if (first === undefined) return undefined;
  const act = actOf(before);
  return act ? { sub: first, act } : { sub: first };
}

async function knownPerson({ freshPerson }: DelegationWorld, { provider, subject }: Delegated['person']) {
  try {
    const known = await freshPerson(provider, subject);
    if (known) return known;
  } catch (error) {
    const failure = asFailure(error);
    if (failure.status >= 500) throw new errors.TemporarilyUnavailable(failure.message);
    throw refusal('invalid_grant', failure.message);
  }
  throw refusal(
    'invalid_grant',
    'The person is not known here: they have to sign in to the gateway once, so that their groups can be read.',
  );
}
