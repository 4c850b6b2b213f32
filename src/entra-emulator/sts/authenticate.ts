import { secretMatches } from '../tenant/identify.ts';
import type { PasswordCredential, Tenant } from '../tenant/model.ts';
import { findRegistration, type World } from '../world.ts';
import { Aadsts } from './aadsts.ts';
import { verifyAssertion } from './assertion.ts';
import type { Client } from './client.ts';

/** Checks what a client presents at the token endpoint; throws when it is wrong. '0' means it presented nothing. */
export async function authenticateClient(
  world: World,
  tenant: Tenant,
  client: Client,
  form: Record<string, string>,
  authorization: string | undefined,
): Promise<'0' | '1' | '2'> {
  if (form.client_assertion !== undefined) {
    await verifyAssertion(world, tenant, client, form);
    return '2';
  }
  const secret = form.client_secret ?? basicSecret(authorization);
  if (secret === undefined || secret === '') return '0';
  checkSecret(world, client, secret);
  return '1';
}

/** Requires that a client authenticated, as confidential clients must. */
export function requireConfidential(method: '0' | '1' | '2'): void {
  if (method === '0') throw new Aadsts(7000218);
}

function checkSecret(world: World, client: Client, secret: string): void {
  const { application, principal } = client;
  const home = findRegistration(world, application.appId)?.home;
  const now = world.clock.now();
  const candidates = [...application.passwordCredentials, ...principal.passwordCredentials];
  const match = candidates.find(({ keyId }) => secretMatches(secret, home?.secrets.get(keyId)));
  if (!match || !home || isTooFresh(world, home, match, application.appId))
    throw new Aadsts(7000215, [application.appId]);
  if (Date.parse(match.endDateTime) <= now) throw new Aadsts(7000222, [application.appId]);
}

function isTooFresh(world: World, home: Tenant, { keyId }: PasswordCredential, appId: string): boolean {
  const bornAt = home.born.get(keyId) ?? 0;
  if (bornAt === 0) return false;
  const delay = Number(world.faults.take('secretDelay', { appId })?.milliseconds ?? 0);
  return world.clock.now() < bornAt + delay;
}

function basicSecret(authorization: string | undefined): string | undefined {
  const [, encoded] = /^basic (.+)$/i.exec(authorization ?? '') ?? [];
  if (!encoded) return undefined;
  const decoded = Buffer.from(encoded, 'base64').toString();
  const at = decoded.indexOf(':');
  try {
    return at < 0 ? undefined : decodeURIComponent(decoded.slice(at + 1).replaceAll('+', ' '));
  } catch {
    return undefined;
  }
}
