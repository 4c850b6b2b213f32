import { randomUUID } from 'node:crypto';
import type { Ask } from '../exchange.ts';
import { verifyOwn } from '../sts/sign.ts';
import { isAdministrator } from '../tenant/directory.ts';
import { graphAppId, graphUri } from '../tenant/first-party.ts';
import type { ServicePrincipal, Tenant, User } from '../tenant/model.ts';
import { issuersOf, type World } from '../world.ts';
import { GraphFailure } from './failure.ts';

/** Who calls Graph, from its token. */
export type Caller = {
  tenant: Tenant;
  appId: string;
  principal: ServicePrincipal | undefined;
  /** Absent for app-only callers. */
  user: User | undefined;
  /** Permissions, wider ones spelled out into the narrower ones they contain. */
  permissions: ReadonlySet<string>;
  /** True for a user who may do what the application may: one with an administrator's role. */
  isAdministrator: boolean;
};

/** What a wider permission contains. */
const contains: Record<string, readonly string[]> = {
  'Directory.ReadWrite.All': ['Directory.Read.All', 'User.ReadWrite.All', 'Group.ReadWrite.All'],
  'Directory.Read.All': [
    'User.Read.All',
    'Group.Read.All',
    'Application.Read.All',
    'Organization.Read.All',
    'Domain.Read.All',
  ],
  'User.ReadWrite.All': ['User.Read.All', 'User.Invite.All'],
  'User.Read.All': ['User.ReadBasic.All'],
  'Group.ReadWrite.All': ['Group.Read.All', 'GroupMember.ReadWrite.All', 'Group.Create'],
  'Group.Read.All': ['GroupMember.Read.All'],
  'GroupMember.ReadWrite.All': ['GroupMember.Read.All'],
  'Application.ReadWrite.All': ['Application.Read.All', 'Application.ReadWrite.OwnedBy'],
  'Directory.AccessAsUser.All': [
    'Directory.ReadWrite.All',
    'Application.ReadWrite.All',
    'AppRoleAssignment.ReadWrite.All',
    'DelegatedPermissionGrant.ReadWrite.All',
    'Policy.Read.All',
  ],
};

/** Recognises the caller of a Graph request; throws 401 as Graph does. */
export async function readCaller(world: World, ask: Ask): Promise<Caller> {
  const [, token] = /^bearer\s+(\S+)$/i.exec(ask.headers.authorization ?? '') ?? [];
  if (!token) throw unauthenticated(world, 'Access token is empty.');
  if (token.split('.').length !== 3)
    throw unauthenticated(world, 'CompactToken parsing failed with error code: 80049217');
  const claims = await verifyOwn(world, token);
  if (!claims) throw unauthenticated(world, 'Signature is invalid.');
  const tenant = world.tenants.get(String(claims.tid));
  if (!tenant || ![graphUri, graphAppId].includes(String(claims.aud)))
    throw unauthenticated(world, 'Access token validation failure. Invalid audience.');
  const issuers = issuersOf(world, tenant.id);
  if (claims.iss !== issuers.v1 && claims.iss !== issuers.v2)
    throw unauthenticated(world, 'Access token validation failure. Invalid issuer.');
  if (Number(claims.exp) <= world.clock.now() / 1000)
    throw unauthenticated(world, 'Lifetime validation failed, the token is expired.');
  const appId = String(claims.appid ?? claims.azp);
  challenge(world, appId, claims.xms_cc !== undefined);
  return callerOf(tenant, appId, claims);
}

function callerOf(tenant: Tenant, appId: string, claims: Record<string, unknown>): Caller {
  const user = claims.scp === undefined ? undefined : tenant.users.get(String(claims.oid));
  const given = claims.scp === undefined ? claims.roles : String(claims.scp).split(' ');
  return {
    tenant,
    appId,
    principal: [...tenant.servicePrincipals.values()].find((candidate) => candidate.appId === appId),
    user,
    permissions: widened(Array.isArray(given) ? given.map(String) : []),
    isAdministrator: user !== undefined && isAdministrator(tenant, user),
  };
}

function widened(given: readonly string[]): Set<string> {
  const all = new Set<string>();
  const open = [...given];
  for (let name = open.pop(); name !== undefined; name = open.pop()) {
    if (all.has(name)) continue;
    all.add(name);
    open.push(...(contains[name] ?? []));
  }
  return all;
}

/** The claims challenge of continuous access evaluation, for clients whose token says that they understand it. */
function challenge(world: World, appId: string, isCapable: boolean): void {
  const fault = world.faults.take('claimsChallenge', { appId });
  if (!fault) return;
  const nbf = { essential: true, value: String(Math.floor(world.clock.now() / 1000)) };
  const claims = Buffer.from(JSON.stringify({ access_token: { nbf } })).toString('base64');
  const message = isCapable
    ? 'Continuous access evaluation resulted in challenge with result: InteractionRequired and code: TokenIssuedBeforeRevocationTimestamp'
    : 'Access token has been revoked.';
  throw unauthenticated(world, message, `, error="insufficient_claims", claims="${claims}"`);
}

function unauthenticated(world: World, message: string, more = ''): GraphFailure {
  const header = `Bearer realm="", authorization_uri="${world.origin}/common/oauth2/authorize", client_id="${graphAppId}"${more}`;
  return new GraphFailure(401, 'InvalidAuthenticationToken', message, {
    headers: { 'www-authenticate': header, 'x-ms-request-id': randomUUID() },
  });
}
