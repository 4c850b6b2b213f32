import { seconds } from '../../clock.ts';
import { type Ask, cookieOf } from '../../exchange.ts';
import { findUser } from '../../tenant/directory.ts';
import { hashSecret, isStrong, secretMatches } from '../../tenant/identify.ts';
import type { Tenant, User } from '../../tenant/model.ts';
import type { World } from '../../world.ts';
import { Aadsts } from '../aadsts.ts';
import { opaque, type Session } from '../memory.ts';

const cookieName = 'entra-emulator-session';

/** Who is signed in at the emulator with this browser. */
export type SignedIn = { session: Session; tenant: Tenant; user: User };

/** The session of a request, if its user still exists and is enabled. */
export function signedIn(world: World, ask: Ask): SignedIn | undefined {
  const key = cookieOf(ask, cookieName);
  const session = key ? world.sessions.get(hashSecret(key)) : undefined;
  const tenant = session && world.tenants.get(session.tenantId);
  const user = session && tenant?.users.get(session.userId);
  if (!session || !tenant || !user?.accountEnabled) return undefined;
  if (session.authTime * 1000 < (tenant.revoked.get(user.id) ?? 0) - 1000) return undefined;
  return { session, tenant, user };
}

/** Starts a session for a user; the cookie holds its key, the emulator only the key's hash. */
export function startSession(world: World, tenant: Tenant, user: User): SignedIn & { cookie: string } {
  const key = opaque();
  const session: Session = {
    sid: opaque(16),
    tenantId: tenant.id,
    userId: user.id,
    authTime: seconds(world.clock),
    appIds: [],
  };
  world.sessions.set(hashSecret(key), session);
  return { session, tenant, user, cookie: cookie(world, key) };
}

/** Ends the session of a request; the cookie to send removes it from the browser. */
export function endSession(world: World, ask: Ask): { ended: Session | undefined; cookie: string } {
  const key = cookieOf(ask, cookieName);
  const ended = key ? world.sessions.get(hashSecret(key)) : undefined;
  if (key) world.sessions.delete(hashSecret(key));
  return { ended, cookie: `${cookie(world, '')}; Max-Age=0` };
}

function cookie(world: World, value: string): string {
  const site = world.origin.startsWith('https:') ? 'SameSite=None; Secure' : 'SameSite=Lax';
  return `${cookieName}=${value}; Path=/; HttpOnly; ${site}`;
}

/** Takes the new password that the page asked for; throws 50055 without a good one. */
function changePassword(tenant: Tenant, user: User, password: string | undefined): void {
  if (!password || !isStrong(password)) throw new Aadsts(50055);
  tenant.passwords.set(user.id, hashSecret(password));
  tenant.mustChangePassword.delete(user.id);
}

/** What the sign-in form says: undefined when it was not sent. Throws 50034, 50126, 50057 or 50055. */
export function credentialsOf(
  tenants: readonly Tenant[],
  form: Record<string, string>,
): { tenant: Tenant; user: User } | undefined {
  const { emulator_account: account, emulator_username: name, emulator_password: password } = form;
  if (account === undefined && name === undefined) return undefined;
  for (const tenant of tenants) {
    const user = findUser(tenant, account ?? name ?? '');
    if (!user) continue;
    // One click is for the accounts on the page; everybody else needs the password.
    const clicked = account !== undefined && tenant.listed.has(user.id);
    if (!clicked && !secretMatches(password ?? '', tenant.passwords.get(user.id))) throw new Aadsts(50126);
    if (!user.accountEnabled) throw new Aadsts(50057);
    if (!clicked && tenant.mustChangePassword.has(user.id))
      changePassword(tenant, user, form.emulator_new_password);
    return { tenant, user };
  }
  throw new Aadsts(50034, [account ?? name ?? '', tenants[0]?.displayName ?? '']);
}
