import type { JWTHeaderParameters, JWTPayload } from 'jose';
import { type ClientAuth, ClientSecretBasic, ClientSecretPost } from 'openid-client';
import type { OidcConfig } from '../../config/config.ts';
import { Failure } from '../../failure/errors.ts';
import type { Bearer, Person, Provider } from '../../provider/provider.ts';
import { claimAt, groupsIn, text } from '../claims.ts';

/** What makes a provider out of generic OpenID Connect; every member after the first block is a difference from it. */
export interface OidcShape {
  readonly name: string;
  readonly displayName: string;
  /** Exactly as the provider calls itself, trailing slash included. */
  readonly issuer: string;
  readonly clientId: string;
  readonly clientSecret: string;
  readonly redirectUris: readonly string[];
  /** Audiences of which an access token has to name one. */
  readonly audiences: readonly string[];
  /** Where the groups are, segment by segment. */
  readonly groupsClaim: readonly string[];

  readonly discoveryUrl?: string;
  readonly scope?: string;
  readonly authorizationParameters?: Provider['authorizationParameters'];
  readonly clientAuth?: ClientAuth;
  readonly algorithms?: Provider['algorithms'];
  /** Claims for the name of an account, the first that is there. */
  readonly usernameClaims?: readonly string[];
  readonly emailClaim?: string;
  /** Throws a Failure when an ID token is not one that signs in here. */
  readonly checkIdToken?: (claims: JWTPayload) => void;
  /** Replaces the rules of `requireAccessToken`: throws a Failure unless it is an access token for this gateway. */
  readonly checkAccessToken?: (claims: JWTPayload, header: JWTHeaderParameters) => void;
  /** The stable id of a person, where it is not `sub`. */
  readonly subjectOf?: (claims: JWTPayload) => string | null;
  readonly clientOf?: (claims: JWTPayload) => string | null;
  /** Whether an access token belongs to an application and nobody else. */
  readonly isAgent?: (claims: JWTPayload, clientId: string) => boolean;
  readonly groupsOf?: (claims: JWTPayload) => readonly string[];
  /** False where access tokens cannot be verified by anybody but the provider. */
  readonly hasBearers?: boolean;
  readonly needsUserInfo?: boolean;
  readonly wantsIdTokenAtLogout?: boolean;
  readonly logoutUrl?: Provider['logoutUrl'];
  readonly unverifiable?: Provider['unverifiable'];
}

/** Any issuer by discovery (AUTH_PROVIDER=oidc). */
export function anyIssuer(config: OidcConfig): Provider {
  const { value } = config;
  const clientId = value('OIDC_CLIENT_ID');
  const usernameClaim = value('OIDC_USERNAME_CLAIM');
  return oidc({
    name: config.name,
    displayName: value('OIDC_DISPLAY_NAME'),
    issuer: value('OIDC_ISSUER'),
    clientId,
    clientSecret: value('OIDC_CLIENT_SECRET'),
    redirectUris: config.redirectUris,
    audiences: value('OIDC_AUDIENCE').length > 0 ? value('OIDC_AUDIENCE') : [clientId],
    groupsClaim: value('OIDC_GROUPS_CLAIM'),
    scope: value('OIDC_SCOPES'),
    emailClaim: value('OIDC_EMAIL_CLAIM'),
    ...(usernameClaim ? { usernameClaims: [usernameClaim, 'sub'] } : {}),
    needsUserInfo: true,
    wantsIdTokenAtLogout: true,
  });
}

/** A provider of that shape. Reading tokens has no side effects; signature, issuer and time are verified before. */
export function oidc(shape: OidcShape): Provider {
  const { name, displayName, issuer, clientId, redirectUris, groupsClaim } = shape;
  const groupsOf = shape.groupsOf ?? ((claims) => groupsIn(claimAt(claims, groupsClaim)));
  const personOf = (claims: JWTPayload): Person => readPerson(claims, shape, groupsOf(claims));
  return {
    ...{ name, displayName, issuer, realm: issuer, clientId, redirectUris },
    clientAuth: shape.clientAuth ?? secretAuth(shape.clientSecret),
    scope: shape.scope ?? 'openid profile email offline_access',
    authorizationParameters: shape.authorizationParameters ?? {},
    discoveryUrls: [shape.discoveryUrl ?? discoveryUrlOf(issuer)],
    algorithms: shape.algorithms ?? ['RS256', 'ES256'],
    resourceScopes: [],
    person(claims) {
      requireClient(claims, clientId);
      shape.checkIdToken?.(claims);
      return personOf(claims);
    },
    ...(shape.hasBearers === false
      ? {}
      : {
          bearer(claims: JWTPayload, header: JWTHeaderParameters): Bearer {
            const check = shape.checkAccessToken ?? ((some, of) => requireAccessToken(some, of, shape));
            check(claims, header);
            return readBearer(claims, personOf(claims), shape);
          },
        }),
    ...(shape.needsUserInfo
      ? { needsUserInfo: (claims: JWTPayload) => claimAt(claims, groupsClaim) === undefined }
      : {}),
    wantsIdTokenAtLogout: shape.wantsIdTokenAtLogout ?? false,
    ...(shape.logoutUrl ? { logoutUrl: shape.logoutUrl } : {}),
    ...(shape.unverifiable ? { unverifiable: shape.unverifiable } : {}),
  };
}

/** Where an issuer describes itself (OpenID Connect Discovery 1.0, section 4). */
export function discoveryUrlOf(issuer: string): string {
  return `${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`;
}

/** Whether one of the token's audiences is among these. */
export function isFor(claims: JWTPayload, audiences: readonly string[]): boolean {
  return [claims.aud ?? []].flat().some((audience) => audiences.includes(audience));
}

/** The rules of RFC 9068 as far as providers keep them: for us, and not an ID token. */
function requireAccessToken(
  claims: JWTPayload,
  header: JWTHeaderParameters,
  { audiences, clientId }: Pick<OidcShape, 'audiences' | 'clientId'>,
): void {
  refuseIdToken(claims);
  if (!isFor(claims, audiences))
    throw new Failure(
      'credential_invalid',
      `The token is for another audience; it must be for ${audiences.join(' or ')}. Ask the identity provider for that audience.`,
    );
  // An ID token of a refresh has none of the telling claims, but only our own client id as its audience.
  const isOurs = !isFor(
    claims,
    audiences.filter((audience) => audience !== clientId),
  );
  const isTyped = /^(application\/)?at\+jwt$/i.test(header.typ ?? '');
  const hasScope = claims.scope !== undefined || claims.scp !== undefined;
  if (isOurs && !isTyped && !hasScope) throw notAccess();
}

/** An ID token is for the client that asked for it, never a key to an API (OpenID Connect Core, section 2). */
export function refuseIdToken(claims: JWTPayload): void {
  if ('nonce' in claims || 'at_hash' in claims || 'c_hash' in claims || claims.token_use === 'id')
    throw notAccess();
}

function notAccess(): Failure {
  return new Failure(
    'credential_invalid',
    'This is not an access token. Send the access_token, not the id_token.',
  );
}

/** Posting the secret goes where the provider asks for just that; the standard's default is the header. */
function secretAuth(secret: string): ClientAuth {
  const [basic, post] = [ClientSecretBasic(secret), ClientSecretPost(secret)];
  return (server, ...rest) => {
    const known = server.token_endpoint_auth_methods_supported;
    const isPosted = known?.includes('client_secret_post') && !known.includes('client_secret_basic');
    return (isPosted ? post : basic)(server, ...rest);
  };
}

/** OpenID Connect Core, section 3.1.3.7: for this client; with several audiences, asked for by it. */
function requireClient(claims: JWTPayload, clientId: string): void {
  const several = Array.isArray(claims.aud) && claims.aud.length > 1;
  const isOurs = isFor(claims, [clientId]) && (!several || claims.azp === clientId);
  if (!isOurs) throw new Failure('credential_invalid', 'The ID token is for another client.');
}

function readPerson(claims: JWTPayload, shape: OidcShape, groups: readonly string[]): Person {
  const subject = shape.subjectOf ? shape.subjectOf(claims) : text(claims.sub);
  if (!subject) throw new Failure('credential_invalid', 'The token does not say whom it is about (sub).');
  const names = shape.usernameClaims ?? ['preferred_username', 'email', 'sub'];
  return {
    subject,
    tenant: shape.issuer,
    username: names.map((name) => text(claims[name])).find((name) => name !== null) ?? subject,
    name: text(claims.name),
    email: text(claims[shape.emailClaim ?? 'email']),
    groups,
    groupsComplete: true,
    logoutHint: null,
    sid: text(claims.sid),
  };
}

function readBearer(claims: JWTPayload, person: Person, shape: OidcShape): Bearer {
  const clientId = shape.clientOf ? shape.clientOf(claims) : clientIn(claims);
  if (!clientId)
    throw new Failure(
      'credential_invalid',
      'The token does not say for which client it is (client_id or azp).',
    );
  const isAgent = shape.isAgent ?? ((some) => some.sub === clientId);
  if (!isAgent(claims, clientId)) return { ...person, kind: 'person', clientId };
  return { ...person, kind: 'agent', clientId, username: clientId, name: null, email: null };
}

function clientIn(claims: JWTPayload): string | null {
  return text(claims.client_id) ?? text(claims.azp);
}
