import { decodeJwt, decodeProtectedHeader, type JWTPayload, jwtVerify } from 'jose';
import { type Context, errors } from 'oidc-provider';
import { z } from 'zod';
import { asFailure } from '../../failure/errors.ts';
import type { Issuer } from '../../provider/issuer.ts';
import { useOnce } from '../rates.ts';
import { mcpScopes } from '../resources.ts';
import { type DelegationWorld, delegation, issue, refusal, resourceAsked, scopesWithin } from './issue.ts';

/** An issuer whose assertions about people are believed. */
export interface TrustedIssuer {
  /** Exactly as its assertions name it. */
  readonly name: string;
  readonly issuer: Issuer;
  /** The identity provider whose people its `sub` names. */
  readonly provider: string;
}

/** What assertions are verified with. */
export interface AssertionWorld extends DelegationWorld {
  readonly issuers: readonly TrustedIssuer[];
}

/** Seconds that clocks may differ, and that an assertion may live at most. */
const limits = { skew: 60, life: 3600 };

const text = z.string().min(1).max(500);
const claimsShape = z.looseObject({
  iss: text,
  sub: text,
  /** One audience, whether as a string or in a list: an assertion for two servers could be replayed between them. */
  aud: z.union([text, z.tuple([text]).transform(([only]) => only)]),
  client_id: text,
  jti: text,
  iat: z.number(),
  exp: z.number(),
  resource: z.union([text.transform((one) => [one]), z.array(text).max(20)]).optional(),
  scope: z.string().max(1000).optional(),
});
type Claims = z.output<typeof claimsShape>;

/**
 * The grant for assertions of identity (ID-JAG: draft-ietf-oauth-identity-assertion-authz-grant, over RFC 7523): the
 * enterprise's identity provider says which person a client may act for, and nobody is asked. No refresh token: the
 * provider is asked again.
 */
export function assertionGrant(world: AssertionWorld) {
  return delegation(world, 'oauth.assertion', async (ctx) => {
    const { params, client } = ctx.oidc;
    const { claims, by } = await verified(params.assertion, world);
    if (claims.client_id !== client.clientId)
      throw refusal('invalid_grant', 'The assertion was issued to another client.');
    const requested = requestedOf(ctx, claims);
    const resource = resourceAsked(requested, world);
    const asserted = claims.scope?.split(' ') ?? [...mcpScopes];
    const scopes = scopesWithin(
      params.scope,
      resource.scopes.filter((one) => asserted.includes(one)),
    );
    // The last thing of all: what was refused for another reason may come again.
    const ends = (claims.exp + limits.skew + 1) * 1000;
    if (!(await useOnce(world.db, ['assertion', `${claims.iss} ${claims.jti}`], ends)))
      throw refusal('invalid_grant', 'The assertion was used already; ask its issuer for another.');
    const person = { provider: by.provider, subject: claims.sub };
    return issue(ctx, world, {
      ...{ person, resource, requested, scopes, via: 'assertion', actors: [], atMost: Infinity },
    });
  });
}

async function verified(
  assertion: unknown,
  world: AssertionWorld,
): Promise<{ claims: Claims; by: TrustedIssuer }> {
  if (typeof assertion !== 'string' || assertion === '')
    throw refusal('invalid_request', "Send the assertion in 'assertion'.");
  const { header, claims: unverified } = read(assertion);
  if (header.typ?.toLowerCase().replace(/^application\//, '') !== 'oauth-id-jag+jwt')
    throw refusal('invalid_grant', "The assertion's typ must be oauth-id-jag+jwt: other tokens are none.");
  const by = world.issuers.find(({ name }) => name === unverified.iss);
  if (!by) throw refusal('invalid_grant', 'Assertions of this issuer are not taken here.');
  const { kid, alg } = header;
  const key = kid === undefined ? undefined : await keyOf(by.issuer, kid);
  if (!key || key.algorithm !== alg)
    throw refusal('invalid_grant', 'The assertion is signed with a key that its issuer does not publish.');
  try {
    const { payload } = await jwtVerify(assertion, key.key, {
      algorithms: [key.algorithm],
      issuer: by.name,
      audience: world.issuer,
      clockTolerance: limits.skew,
      maxTokenAge: limits.life,
      currentDate: new Date(world.now()),
    });
    const claims = claimsShape.parse(payload);
    if (claims.exp - claims.iat > limits.life) throw new Error('it lives longer than an hour');
    return { claims, by };
  } catch (error) {
    const why =
      error instanceof z.ZodError ? `claim ${error.issues[0]?.path.join('.')} is missing or wrong` : error;
    throw refusal(
      'invalid_grant',
      `The assertion cannot be taken: ${why instanceof Error ? why.message : why}.`,
    );
  }
}

function read(assertion: string): {
  header: { typ?: string; kid?: string; alg?: string };
  claims: JWTPayload;
} {
  try {
    return { header: decodeProtectedHeader(assertion), claims: decodeJwt(assertion) };
  } catch {
    throw refusal('invalid_grant', 'The assertion is no JWT.');
  }
}

async function keyOf(issuer: Issuer, kid: string) {
  try {
    return await issuer.key(kid);
  } catch (error) {
    throw new errors.TemporarilyUnavailable(asFailure(error).message);
  }
}

/** What is asked for has to be what the issuer said; where one of the two is silent, the other counts. */
function requestedOf({ oidc: { params } }: Context, { resource: said }: Claims): string {
  const asked = params.resource;
  if (Array.isArray(asked)) throw refusal('invalid_target', 'Ask for one resource at a time.');
  if (asked === undefined && said?.length === 1) return said[0] ?? '';
  if (asked !== undefined && (said === undefined || said.includes(asked))) return asked;
  throw refusal(
    'invalid_target',
    "The assertion is not for this resource; 'resource' must be one that it names.",
  );
}
