import type { JWTPayload } from 'jose';
import type { EntraConfig } from '../../config.ts';
import { Failure } from '../../errors.ts';
import type { Bearer, Person, Provider } from '../provider.ts';

const graphAudiences = ['https://graph.microsoft.com', '00000003-0000-0000-c000-000000000000'];

/** Microsoft Entra ID: v1.0 and v2.0 tokens of one tenant, groups by Object ID, app roles in a namespace of their own. */
export function entra(config: EntraConfig): Provider {
  const base = `${config.loginBaseUrl}/${config.tenantId}`;
  return {
    name: 'entra',
    displayName: 'Microsoft Entra ID',
    clientId: config.clientId,
    clientSecret: config.clientSecret,
    redirectUri: config.redirectUri,
    scope: 'openid profile email',
    discoveryUrls: [
      `${base}/v2.0/.well-known/openid-configuration`,
      `${base}/.well-known/openid-configuration`,
    ],
    person(claims) {
      requireTenant(claims, config.tenantId);
      return personOf(claims);
    },
    bearer(claims) {
      requireTenant(claims, config.tenantId);
      requireAudience(claims, config);
      return bearerOf(claims);
    },
  };
}

function requireTenant(claims: JWTPayload, tenantId: string): void {
  if (claims.tid !== tenantId)
    throw new Failure('credential_invalid', 'The token is of another tenant than ENTRA_TENANT_ID.');
}

/** Version 1.0 tokens carry the App ID URI as it was asked for, version 2.0 tokens the client id: both are one API. */
function requireAudience(claims: JWTPayload, config: EntraConfig): void {
  const given = [claims.aud ?? []].flat();
  const bare = given.map((audience) => audience.replace(/\/$/, ''));
  if (bare.some((audience) => graphAudiences.includes(audience)))
    throw new Failure(
      'credential_invalid',
      `This is a token for Microsoft Graph. Ask for scope api://${config.clientId}/.default to get one for this gateway.`,
    );
  const accepted = [config.clientId, `api://${config.clientId}`, config.applicationIdUri];
  if (!bare.some((audience) => accepted.includes(audience)))
    throw new Failure(
      'credential_invalid',
      `The token is for another audience. Ask for scope ${config.applicationIdUri ?? `api://${config.clientId}`}/.default.`,
    );
}

function bearerOf(claims: JWTPayload): Bearer {
  const clientId = text(claims.azp) ?? text(claims.appid);
  // An ID token is for the client that asked for it, never a key to an API (OpenID Connect Core, section 2).
  const isIdToken = 'nonce' in claims || 'at_hash' in claims || 'c_hash' in claims || !clientId;
  if (isIdToken)
    throw new Failure(
      'credential_invalid',
      'This is not an access token. Send the access_token, not the id_token.',
    );
  const delegated = typeof claims.scp === 'string' && claims.scp !== '';
  // `idtyp` is an optional claim: a default app-only token has none, but is its own subject.
  const appOnly =
    !delegated && (claims.idtyp === 'app' || (claims.sub !== undefined && claims.sub === claims.oid));
  if (!delegated && !appOnly)
    throw new Failure(
      'credential_invalid',
      'The token has no scope (scp) and is not an application token either.',
    );
  const person = personOf(claims);
  if (appOnly)
    return {
      ...person,
      kind: 'agent',
      clientId,
      username: clientId,
      name: text(claims.app_displayname),
      email: null,
    };
  return { ...person, kind: 'person', clientId };
}

function personOf(claims: JWTPayload): Person {
  const subject = text(claims.oid);
  if (!subject)
    throw new Failure('credential_invalid', "The token has no 'oid' claim; ask for scope 'openid profile'.");
  const overage = claims.hasgroups === true || record(claims._claim_names).groups !== undefined;
  return {
    subject,
    username:
      text(claims.preferred_username) ??
      text(claims.email) ??
      text(claims.upn) ??
      text(claims.sub) ??
      subject,
    name: text(claims.name) ?? text(claims.given_name),
    email: text(claims.email) ?? text(claims.preferred_username),
    groups: [...texts(claims.groups), ...texts(claims.roles).map((role) => `role:${role}`)],
    groupsComplete: !overage,
    logoutHint: text(claims.login_hint),
  };
}

function text(value: unknown): string | null {
  return typeof value === 'string' && value !== '' ? value : null;
}

function texts(value: unknown): string[] {
  return Array.isArray(value) ? value.filter((one): one is string => typeof one === 'string') : [];
}

function record(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}
