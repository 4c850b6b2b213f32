import { errors } from 'oidc-provider';
import type { Identify, Identity } from '../../identity/identity.ts';
import { mcpScopes, type Resource } from '../resources.ts';
import {
  accessTokenType,
  type DelegationWorld,
  delegation,
  issue,
  refusal,
  resourceAsked,
  scopesWithin,
} from './issue.ts';

/** What token exchange needs. */
interface ExchangeWorld extends DelegationWorld {
  /** Who a token is, at the part of the gateway that is asked for. */
  readonly identify: Identify;
}

const tokenTypes: ReadonlySet<unknown> = new Set([accessTokenType, 'urn:ietf:params:oauth:token-type:jwt']);

/**
 * Token exchange (RFC 8693) for agents that act for people: an agent that has a person's access token gets one of its own
 * for the same person, whose `act` names the agent. It is never for more, nor for longer, than the token it came of, and
 * ends with it. The client that proves itself is the actor.
 */
export function exchangeGrant(world: ExchangeWorld) {
  return delegation(world, 'oauth.exchange', async (ctx) => {
    const { params, client } = ctx.oidc;
    if (params.actor_token !== undefined || params.actor_token_type !== undefined)
      throw refusal('invalid_request', 'The client itself is the actor: send no actor_token.');
    if (params.requested_token_type !== undefined && params.requested_token_type !== accessTokenType)
      throw refusal('invalid_request', `requested_token_type can only be ${accessTokenType}.`);
    if (typeof params.subject_token !== 'string' || !tokenTypes.has(params.subject_token_type))
      throw refusal(
        'invalid_request',
        `Send a person's access token in 'subject_token', with subject_token_type ${accessTokenType}.`,
      );
    if (Array.isArray(params.resource) || Array.isArray(params.audience))
      throw refusal('invalid_target', 'Ask for one resource at a time.');
    const requested = params.resource ?? params.audience ?? '';
    const resource = resourceAsked(requested, world);
    const subject = await personBehind(params.subject_token, resource, world);
    const may = subject.bound?.scopes ?? mcpScopes;
    return issue(ctx, world, {
      ...{ person: subject, resource, requested, via: 'exchange' },
      scopes: scopesWithin(
        params.scope,
        resource.scopes.filter((one) => may.includes(one)),
      ),
      actors: [client.clientId, ...(subject.actors ?? [])],
      parentId: subject.method === 'oauth' ? (subject.credentialId ?? undefined) : undefined,
      atMost: (subject.expiresAt - world.now()) / 1000,
    });
  });
}

async function personBehind(token: string, { at }: Resource, world: ExchangeWorld): Promise<Identity> {
  const who = await world.identify({ authorization: `Bearer ${token}` }, at);
  if (who.is === 'unknown') throw new errors.TemporarilyUnavailable(who.failure.message);
  if (who.is === 'nobody')
    throw refusal('invalid_request', `The subject_token is not valid. ${who.failure.message}`);
  const { identity } = who;
  if (identity.kind !== 'person')
    throw refusal(
      'invalid_request',
      "The subject_token is no person's: an agent acts for itself by client credentials.",
    );
  if (identity.method !== 'oauth' && identity.method !== 'bearer')
    throw refusal('invalid_request', 'Personal tokens cannot be exchanged; use an access token.');
  return identity;
}
