import { randomUUID } from 'node:crypto';
import { type Ask, formOf, type Reply } from '../exchange.ts';
import { hashSecret as keyOf } from '../tenant/identify.ts';
import type { Tenant } from '../tenant/model.ts';
import { findTenant, type World } from '../world.ts';
import { Aadsts, errorReply, isAadstsCode, tokenHeaders } from './aadsts.ts';
import { authenticateClient } from './authenticate.ts';
import { findClient } from './client.ts';
import {
  exchangeOnBehalf,
  grantClientCredentials,
  redeemCode,
  redeemDeviceCode,
  redeemRefreshToken,
} from './grants.ts';
import type { TokenResponse } from './issue.ts';
import type { TokenRequest } from './token-request.ts';

const grants: Record<string, (world: World, request: TokenRequest) => Promise<TokenResponse>> = {
  authorization_code: redeemCode,
  refresh_token: redeemRefreshToken,
  client_credentials: grantClientCredentials,
  'urn:ietf:params:oauth:grant-type:jwt-bearer': exchangeOnBehalf,
  'urn:ietf:params:oauth:grant-type:device_code': redeemDeviceCode,
  device_code: redeemDeviceCode,
};

/** The token endpoint of a tenant, v1.0 or v2.0. */
export async function token(world: World, ask: Ask, tenantName: string, version: 1 | 2): Promise<Reply> {
  const correlationId = ask.headers['client-request-id'] ?? randomUUID();
  const cors: Record<string, string> = ask.headers.origin
    ? { 'access-control-allow-origin': ask.headers.origin }
    : {};
  try {
    const body = await respond(world, ask, tenantName, version);
    return { status: 200, headers: { ...tokenHeaders(), ...cors }, body };
  } catch (error) {
    if (!(error instanceof Aadsts)) throw error;
    const reply = errorReply(world, error, correlationId);
    return { ...reply, headers: { ...reply.headers, ...cors } };
  }
}

async function respond(world: World, ask: Ask, tenantName: string, version: 1 | 2): Promise<TokenResponse> {
  if (ask.method !== 'POST') throw new Aadsts(900561, ['POST', ask.method]);
  const { values: form, duplicate } = formOf(ask);
  if (duplicate !== undefined) throw new Aadsts(9000411, [duplicate]);
  const grantType = form.grant_type;
  if (!grantType) throw new Aadsts(900144, ['grant_type']);
  const grant = Object.hasOwn(grants, grantType) ? grants[grantType] : undefined;
  if (!grant) throw new Aadsts(70003, [grantType]);
  const tenant = tenantOf(world, tenantName, form);
  const client = findClient(world, tenant, form.client_id);
  playFault(world, client.application.appId);
  const clientAuth = await authenticateClient(world, tenant, client, form, ask.headers.authorization);
  return grant(world, { tenant, client, clientAuth, form, version, origin: ask.headers.origin });
}

/** With `common` and `organizations` the grant itself says whose tenant it is; without one it is the first. */
function tenantOf(world: World, name: string, form: Record<string, string>): Tenant {
  if (name === 'common' || name === 'organizations') {
    const tenantId = grantTenant(world, form) ?? [...world.tenants.keys()][0];
    const tenant = tenantId === undefined ? undefined : world.tenants.get(tenantId);
    if (tenant) return tenant;
  }
  const tenant = findTenant(world, name);
  if (!tenant) throw new Aadsts(/^[\w.-]+$/.test(name) ? 90002 : 900023, [name]);
  return tenant;
}

function grantTenant(world: World, form: Record<string, string>): string | undefined {
  const code = form.code && world.codes.get(keyOf(form.code));
  const refresh = form.refresh_token && world.refreshTokens.get(keyOf(form.refresh_token));
  const device = form.device_code && world.deviceCodes.get(keyOf(form.device_code));
  return (code || refresh || device || undefined)?.tenantId;
}

function playFault(world: World, appId: string): void {
  const fault = world.faults.take('aadsts', { appId, path: 'token' });
  if (!fault || !isAadstsCode(fault.code)) return;
  const claims = typeof fault.claims === 'string' ? { claims: fault.claims } : {};
  throw new Aadsts(fault.code, [appId], claims);
}
