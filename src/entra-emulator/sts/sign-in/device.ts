import { randomInt } from 'node:crypto';
import { seconds } from '../../clock.ts';
import { type Ask, formOf, page, queryAndForm, type Reply } from '../../exchange.ts';
import { hashSecret } from '../../tenant/identify.ts';
import type { World } from '../../world.ts';
import { Aadsts, errorReply, tokenHeaders } from '../aadsts.ts';
import { findClient } from '../client.ts';
import { type DeviceCode, keep, opaque } from '../memory.ts';
import { isPublic } from '../redirects.ts';
import { readScopes, unknownScopes } from '../scopes.ts';
import { tenantsOf } from './authorize.ts';
import { openConsent } from './consent.ts';
import { listed } from './listed.ts';
import { consentPage, deviceCodePage, messagePage, signInPage } from './pages.ts';
import { credentialsOf, type SignedIn, signedIn, startSession } from './sign-in.ts';

/** The device code endpoint: starts a sign-in that is finished in a browser elsewhere. */
export function deviceCode(world: World, ask: Ask, tenantName: string): Reply {
  try {
    const { values: form, duplicate } = formOf(ask);
    if (ask.method !== 'POST') throw new Aadsts(900561, ['POST', ask.method]);
    if (duplicate !== undefined) throw new Aadsts(9000411, [duplicate]);
    const [tenant] = tenantsOf(world, tenantName);
    if (!tenant) throw new Aadsts(90002, [tenantName]);
    const { application } = findClient(world, tenant, form.client_id);
    // When a confidential client is refused nobody could decide; at the end, after somebody signed in, is worst.
    if (!isPublic(application) && !world.isStrict) throw new Aadsts(7000218);
    if (!form.scope) throw new Aadsts(900144, ['scope']);
    const [unknown] = unknownScopes(readScopes(world, tenant, form.scope));
    if (unknown) throw new Aadsts(70011, [unknown]);
    return {
      status: 200,
      headers: tokenHeaders(),
      body: start(world, tenant.id, application.appId, form.scope),
    };
  } catch (error) {
    if (error instanceof Aadsts) return errorReply(world, error, ask.headers['client-request-id']);
    throw error;
  }
}

function start(world: World, tenantId: string, appId: string, scope: string) {
  const code = opaque(48);
  const userCode = Array.from({ length: 9 }, () => 'BCDFGHJKLMNPQRSTVWXYZ23456789'[randomInt(29)]).join('');
  const expires = world.clock.now() + 900_000;
  const device: DeviceCode = { tenantId, appId, userCode, scope, expires, state: 'pending' };
  keep(world.deviceCodes, hashSecret(code), device, world.clock.now());
  const verification_uri = `${world.origin}/devicelogin`;
  return {
    user_code: userCode,
    device_code: code,
    verification_uri,
    expires_in: 900,
    interval: world.devicePollSeconds,
    message: `To sign in, use a web browser to open the page ${verification_uri} and enter the code ${userCode} to authenticate.`,
  };
}

/** The page where the user enters the code and signs in. */
export function deviceLogin(world: World, ask: Ask): Reply {
  const { values: form } = queryAndForm(ask);
  const action = `${world.origin}/devicelogin`;
  if (!form.user_code) return page(200, deviceCodePage(action));
  const device = findDevice(world, form.user_code);
  if (!device) return page(200, deviceCodePage(action, 'That code did not work. Check it and try again.'));
  const tenants = tenantsOf(world, device.tenantId);
  if (form.emulator_consent === 'decline') return decide(device, { state: 'declined' });
  try {
    const credentials = credentialsOf(tenants, form);
    const started = credentials && startSession(world, credentials.tenant, credentials.user);
    const who = started ?? (form.emulator_consent === 'accept' ? signedIn(world, ask) : undefined);
    if (!who) return askSignIn(world, action, device);
    const reply = approve(world, action, device, who, form);
    return started ? { ...reply, headers: { ...reply.headers, 'set-cookie': started.cookie } } : reply;
  } catch (error) {
    if (!(error instanceof Aadsts)) throw error;
    return askSignIn(world, action, device, `AADSTS${error.code}: ${error.message}`);
  }
}

/** The user is known: consent where it is missing, then the device may go on. */
function approve(
  world: World,
  action: string,
  device: DeviceCode,
  { tenant, user, session }: SignedIn,
  form: Record<string, string>,
): Reply {
  const client = findClient(world, tenant, device.appId);
  const wanted = readScopes(world, tenant, device.scope);
  const question = openConsent(world, { tenant, user, client, wanted }, form);
  if (!question)
    return decide(device, {
      state: 'approved',
      userId: user.id,
      sid: session.sid,
      authTime: seconds(world.clock),
    });
  const to = { action, hidden: { user_code: device.userCode } };
  return page(200, consentPage(to, { application: client.application.displayName, user, ...question }));
}

function findDevice(world: World, userCode: string): DeviceCode | undefined {
  const wanted = userCode.trim().toUpperCase();
  return [...world.deviceCodes.values()].find(
    (device) =>
      device.userCode === wanted && device.state === 'pending' && device.expires > world.clock.now(),
  );
}

function askSignIn(world: World, action: string, device: DeviceCode, error?: string): Reply {
  const tenants = tenantsOf(world, device.tenantId);
  const application = findClient(world, tenants[0] ?? failTenant(device), device.appId).application
    .displayName;
  const to = { action, hidden: { user_code: device.userCode } };
  return page(200, signInPage(to, listed(tenants), { application, error, declines: true }));
}

function failTenant(device: DeviceCode): never {
  throw new Aadsts(90002, [device.tenantId]);
}

function decide(device: DeviceCode, decision: Partial<DeviceCode>): Reply {
  Object.assign(device, decision);
  const words = decision.state === 'approved' ? 'You have signed in on your device.' : 'You declined.';
  return page(200, messagePage('Device sign-in', `${words} You may close this window.`));
}
