import type { Application, Tenant } from '../../tenant/model.ts';
import { findRegistration, type World } from '../../world.ts';
import { Aadsts } from '../aadsts.ts';
import { findClient } from '../client.ts';
import { platformOf } from '../redirects.ts';
import { findResource, isGraph, readScopes } from '../scopes.ts';
import { type Results, results } from './authorize-response.ts';

/** An authorize request that may be answered at its redirect URI. */
export type AuthorizeRequest = {
  /** The parameters as they came, without those of the emulator's own forms: for the forms that repeat them. */
  parameters: Record<string, string>;
  application: Application;
  version: 1 | 2;
  redirectUri: string;
  responseTypes: ReadonlySet<string>;
  responseMode: 'query' | 'fragment' | 'form_post';
  scope: string;
  state: string | undefined;
  prompt: string | undefined;
  loginHint: string | undefined;
  maxAge: number | undefined;
  results: Results;
};

const prompts = ['login', 'none', 'consent', 'select_account'];

/** Reads and checks an authorize request; throws the error that Entra shows for what is wrong with it. */
export function readAuthorizeRequest(
  world: World,
  tenants: readonly Tenant[],
  tenantName: string,
  values: Record<string, string>,
  version: 1 | 2,
): AuthorizeRequest {
  const application = applicationOf(world, tenants, tenantName, values.client_id);
  const redirectUri = redirectUriOf(application, values.redirect_uri);
  const responseTypes = responseTypesOf(application, values.response_type);
  const scope = scopeOf(world, tenants, values, version);
  checkPkce(values);
  if (values.prompt !== undefined && values.prompt !== '' && !prompts.includes(values.prompt))
    throw new Aadsts(90023, [`Unsupported 'prompt' value: ${values.prompt}`]);
  const implicit = responseTypes.has('id_token');
  if (implicit && !values.nonce) throw new Aadsts(900144, ['nonce']);
  return {
    parameters: Object.fromEntries(Object.entries(values).filter(([name]) => !name.startsWith('emulator_'))),
    application,
    version,
    redirectUri,
    responseTypes,
    responseMode: responseModeOf(values.response_mode, implicit),
    scope,
    state: values.state,
    prompt: values.prompt || undefined,
    loginHint: values.login_hint || undefined,
    maxAge: values.max_age ? Number(values.max_age) : undefined,
    results: results(values, { redirectUri, responseTypes, scope, version }),
  };
}

function applicationOf(
  world: World,
  tenants: readonly Tenant[],
  tenantName: string,
  clientId: string | undefined,
): Application {
  const home = clientId ? findRegistration(world, clientId) : undefined;
  const [tenant] = tenants.length === 1 || !home ? tenants : [home.home];
  if (!tenant) throw new Aadsts(90002, [tenantName]);
  const { application } = findClient(world, tenant, clientId);
  if (tenantName === 'common' || tenantName === 'organizations')
    if (application.signInAudience === 'AzureADMyOrg') throw new Aadsts(50194, [application.appId]);
  return application;
}

function redirectUriOf(application: Application, asked: string | undefined): string {
  const only = application.web.redirectUris.length === 1 ? application.web.redirectUris[0] : undefined;
  const uri = asked ?? only;
  if (!uri) throw new Aadsts(900144, ['redirect_uri']);
  if (!platformOf(application, uri)) throw new Aadsts(50011, [uri, application.appId]);
  return uri;
}

function responseTypesOf(application: Application, asked: string | undefined): ReadonlySet<string> {
  if (!asked) throw new Aadsts(900144, ['response_type']);
  const types = new Set(asked.split(' ').filter(Boolean));
  const unknown = [...types].find((type) => !['code', 'id_token', 'token'].includes(type));
  if (unknown) throw new Aadsts(90023, [`Unsupported 'response_type' value: ${unknown}`]);
  const { enableIdTokenIssuance, enableAccessTokenIssuance } = application.web.implicitGrantSettings;
  if (types.has('id_token') && !enableIdTokenIssuance) throw new Aadsts(700054);
  if (types.has('token') && !enableAccessTokenIssuance)
    throw new Aadsts(90023, ["response_type 'token' is not enabled for the application"]);
  return types;
}

function responseModeOf(asked: string | undefined, implicit: boolean): AuthorizeRequest['responseMode'] {
  if (!asked) return implicit ? 'fragment' : 'query';
  if (asked !== 'query' && asked !== 'fragment' && asked !== 'form_post') throw new Aadsts(70007, [asked]);
  if (implicit && asked === 'query') throw new Aadsts(70007, [asked]);
  return asked;
}

/**
 * The scopes, with the `resource` of RFC 8707 checked: v2.0 tolerates it only when it is an App ID URI of the API
 * that the scopes are for.
 */
function scopeOf(
  world: World,
  tenants: readonly Tenant[],
  values: Record<string, string>,
  version: 1 | 2,
): string {
  const [tenant] = tenants;
  if (version === 1) {
    if (values.resource && tenant) findResource(world, tenant, values.resource);
    return values.scope ?? 'openid profile email';
  }
  if (!values.scope) throw new Aadsts(900144, ['scope']);
  if (!tenant || tenants.length > 1) return values.scope;
  const { application } = readScopes(world, tenant, values.scope).resource;
  if (values.resource === undefined) return values.scope;
  const names = isGraph(application) ? ['https://graph.microsoft.com'] : application.identifierUris;
  if (!names.includes(values.resource.replace(/\/$/, ''))) throw new Aadsts(9010010);
  return values.scope;
}

function checkPkce({
  code_challenge: challenge,
  code_challenge_method: method = 'plain',
}: Record<string, string>): void {
  if (challenge === undefined) return;
  if (method !== 'S256' && method !== 'plain')
    throw new Aadsts(90023, [`Unsupported 'code_challenge_method' value: ${method}`]);
  if (!/^[\w.~-]{43,128}$/.test(challenge)) throw new Aadsts(501481);
}
