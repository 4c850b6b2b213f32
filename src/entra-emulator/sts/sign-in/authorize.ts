import { type Ask, page, queryAndForm, type Reply } from '../../exchange.ts';
import { isAssigned } from '../../tenant/directory.ts';
import type { Tenant } from '../../tenant/model.ts';
import { findTenant, type World } from '../../world.ts';
import { Aadsts, errorBody, isAadstsCode } from '../aadsts.ts';
import { findClient } from '../client.ts';
import { readScopes, unknownScopes } from '../scopes.ts';
import { type AuthorizeRequest, readAuthorizeRequest } from './authorize-request.ts';
import { respond } from './authorize-response.ts';
import { openConsent } from './consent.ts';
import { listed } from './listed.ts';
import { consentPage, errorPage, signInPage } from './pages.ts';
import { credentialsOf, type SignedIn, signedIn, startSession } from './sign-in.ts';

/** Errors that go back to the application; all others stay on the emulator's own page, as at Entra. */
const returned = new Set([50058, 65001, 65004, 50076, 53003, 70007, 650053]);

/** Errors that are called otherwise when they go back to the application than at the token endpoint. */
const atAuthorize: Partial<Record<number, string>> = {
  50076: 'interaction_required',
  65001: 'interaction_required',
  650053: 'invalid_client',
};

/** The authorize endpoint: signs the user in, asks for consent where it is missing, and answers the application. */
export async function authorize(world: World, ask: Ask, tenantName: string, version: 1 | 2): Promise<Reply> {
  const { values, duplicate } = queryAndForm(ask);
  let request: AuthorizeRequest | undefined;
  try {
    if (ask.url.search.length > 8192) throw new Aadsts(90015);
    if (duplicate !== undefined) throw new Aadsts(9000411, [duplicate]);
    const tenants = tenantsOf(world, tenantName);
    request = readAuthorizeRequest(world, tenants, tenantName, values, version);
    return await proceed(world, ask, tenants, request, values);
  } catch (error) {
    if (!(error instanceof Aadsts)) throw error;
    const body = errorBody(world, error, ask.headers['client-request-id']);
    if (!request || !returned.has(error.code)) return page(200, errorPage(body));
    const { error_description, error_uri } = body;
    const name = atAuthorize[error.code] ?? body.error;
    return respond(request, { error: name, error_description, ...(error_uri ? { error_uri } : {}) });
  }
}

/** Whose users may sign in: those of one tenant, or of all with `common` and `organizations`. */
export function tenantsOf(world: World, name: string): Tenant[] {
  if (name === 'common' || name === 'organizations') return [...world.tenants.values()];
  const tenant = findTenant(world, name);
  if (!tenant) throw new Aadsts(/^[\w.-]+$/.test(name) ? 90002 : 900023, [name]);
  return [tenant];
}

async function proceed(
  world: World,
  ask: Ask,
  tenants: readonly Tenant[],
  request: AuthorizeRequest,
  form: Record<string, string>,
): Promise<Reply> {
  const fault = world.faults.take('aadsts', { appId: request.application.appId, path: 'authorize' });
  if (fault && isAadstsCode(fault.code)) throw new Aadsts(fault.code, [request.application.appId]);
  const action = `${world.origin}${ask.url.pathname}`;
  const to = { action, hidden: request.parameters };
  let who: (SignedIn & { cookie?: string }) | undefined;
  try {
    const credentials = credentialsOf(tenants, form);
    who = credentials
      ? startSession(world, credentials.tenant, credentials.user)
      : silentSignIn(world, ask, tenants, request, form);
  } catch (error) {
    if (!(error instanceof Aadsts)) throw error;
    return page(
      200,
      signInPage(to, listed(tenants), {
        application: request.application.displayName,
        error: `AADSTS${error.code}: ${error.message}`,
      }),
    );
  }
  if (!who) {
    if (request.prompt === 'none') throw new Aadsts(50058);
    const more = { application: request.application.displayName, hint: request.loginHint };
    return page(200, signInPage(to, listed(tenants), more));
  }
  const reply = await conclude(world, request, who, form, to);
  return who.cookie ? { ...reply, headers: { ...reply.headers, 'set-cookie': who.cookie } } : reply;
}

/** A running session counts, unless the application wants the user asked again. */
function silentSignIn(
  world: World,
  ask: Ask,
  tenants: readonly Tenant[],
  request: AuthorizeRequest,
  form: Record<string, string>,
): SignedIn | undefined {
  const who = signedIn(world, ask);
  if (!who || !tenants.includes(who.tenant)) return undefined;
  if (form.emulator_consent !== undefined) return who;
  if (request.prompt === 'login' || request.prompt === 'select_account') return undefined;
  const age = world.clock.now() / 1000 - who.session.authTime;
  if (request.maxAge !== undefined && age > request.maxAge) return undefined;
  const hint = request.loginHint?.toLowerCase();
  const names = [
    who.user.userPrincipalName,
    who.user.mail,
    Buffer.from(`O.${who.user.id}`).toString('base64url'),
  ];
  return hint && !names.some((name) => name?.toLowerCase() === hint) ? undefined : who;
}

/** The user is known: assignment, consent, answer. */
async function conclude(
  world: World,
  request: AuthorizeRequest,
  { tenant, user, session }: SignedIn,
  form: Record<string, string>,
  to: { action: string; hidden: Record<string, string> },
): Promise<Reply> {
  const client = findClient(world, tenant, request.application.appId);
  if (client.principal.appRoleAssignmentRequired && !isAssigned(tenant, user, client.principal))
    throw new Aadsts(50105, [user.userPrincipalName, client.application.appId]);
  const wanted = readScopes(world, tenant, request.scope);
  const [unknown] = unknownScopes(wanted);
  if (unknown) {
    const { displayName, appId } = wanted.resource.application;
    throw new Aadsts(650053, [client.application.displayName, unknown, `${displayName} (${appId})`]);
  }
  const question = openConsent(world, { tenant, user, client, wanted }, form, request.prompt);
  if (question && request.prompt === 'none')
    throw new Aadsts(65001, [client.application.appId, client.application.displayName]);
  if (question)
    return page(200, consentPage(to, { application: client.application.displayName, user, ...question }));
  if (!session.appIds.includes(client.application.appId)) session.appIds.push(client.application.appId);
  return respond(request, await request.results(world, { tenant, user, client, session, wanted }));
}
