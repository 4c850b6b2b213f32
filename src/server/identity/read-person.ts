import type { JWTPayload } from 'jose';
import * as oidc from 'openid-client';
import { asFailure, Failure } from '../failure/errors.ts';
import type { Fetch } from '../net/outbound.ts';
import { type OidcClients, outageIn } from '../provider/oidc.ts';
import { clientOf, type Person, type Provider } from '../provider/provider.ts';
import { type TrustedProvider, verifyProviderToken } from './bearer.ts';
import { typedClaims } from './claims.ts';
import type { Memberships } from './groups/memberships.ts';

/** What reading a person needs. */
export interface ReadPersonWorld {
  readonly clients: OidcClients;
  readonly fetch: Fetch;
  readonly memberships: Pick<Memberships, 'fresh'>;
  readonly now: () => number;
}

/**
 * The person that an answer of the token endpoint is about, with all groups, and the names of the claims that came. The ID
 * token counts; userinfo adds what it lacks where the provider says so, and stands in for it at a refresh (OpenID Connect
 * Core, section 12.2, leaves it out freely), for that `subject` only.
 */
export async function readPerson(
  world: ReadPersonWorld,
  trusted: TrustedProvider,
  answer: oidc.TokenEndpointResponse,
  subject?: string,
): Promise<{ person: Person; claimNames: string[] }> {
  const { provider } = trusted;
  const { id_token: idToken, access_token: accessToken } = answer;
  const standsIn = idToken === undefined && subject !== undefined && provider.needsUserInfo !== undefined;
  let claims: JWTPayload = standsIn
    ? {
        ...typedClaims(await userInfo(world, provider, accessToken, subject)),
        iss: provider.issuer,
        aud: provider.clientId,
      }
    : (await verifyProviderToken(idToken ?? '', [trusted], world.now)).claims;
  if (!standsIn && provider.needsUserInfo?.(claims))
    claims = { ...typedClaims(await userInfo(world, provider, accessToken, claims.sub ?? '')), ...claims };
  const person = await withAllGroups(world, provider, provider.person(claims), accessToken);
  const logoutHint = provider.wantsIdTokenAtLogout ? (idToken ?? null) : person.logoutHint;
  return { person: { ...person, logoutHint }, claimNames: Object.keys(claims) };
}

/**
 * With groups by the person's own access token when the ID token does not list them all; by the gateway's own where the
 * person's is not allowed to ask.
 */
async function withAllGroups(
  { fetch: send, memberships }: ReadPersonWorld,
  provider: Provider,
  person: Person,
  accessToken: string,
): Promise<Person> {
  if (person.groupsComplete) return person;
  if (!provider.groupApi) throw new Failure('groups_incomplete', 'The token does not list the groups.');
  const member = { kind: 'person', tenant: person.tenant, subject: person.subject } as const;
  const groups = await provider.groupApi.read('self', accessToken, send).catch((error: unknown) => {
    if (asFailure(error).code !== 'groups_incomplete') throw error;
    return memberships.fresh(provider, member).catch(() => {
      throw error;
    });
  });
  return { ...person, groups: [...new Set([...person.groups, ...groups])], groupsComplete: true };
}

async function userInfo(
  { clients }: ReadPersonWorld,
  provider: Provider,
  accessToken: string,
  subject: string,
): Promise<oidc.UserInfoResponse | Record<string, never>> {
  const configuration = await clients(clientOf(provider));
  if (!configuration.serverMetadata().userinfo_endpoint) return {};
  try {
    return await oidc.fetchUserInfo(configuration, accessToken, subject);
  } catch (error) {
    throw (
      outageIn(error) ??
      new Failure(
        'sign_in_refused',
        "The identity provider's userinfo endpoint did not return this person.",
        {
          cause: error,
        },
      )
    );
  }
}
