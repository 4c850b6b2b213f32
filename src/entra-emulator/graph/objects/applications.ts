import { randomUUID } from 'node:crypto';
import { instant } from '../../clock.ts';
import { isRecord, type Reply } from '../../exchange.ts';
import { findApplication, findServicePrincipal, place } from '../../tenant/directory.ts';
import {
  inherited,
  makeApi,
  makeApplication,
  makeAppRoles,
  makeOptionalClaims,
  makeWeb,
} from '../../tenant/make.ts';
import type { Application, DirectoryObject, FederatedIdentityCredential } from '../../tenant/model.ts';
import { bodyOf, type Call, find, noContent, type Operation, requireManaged, textOf } from '../call.ts';
import { readChanges } from '../change.ts';
import { badRequest, GraphFailure, notFound } from '../failure.ts';
import { entityTypes } from '../schema.ts';
import { showList, showOne } from '../show.ts';
import { bin, requireFree } from './bin.ts';
import { readKeyCredentials } from './credentials.ts';
import { ownedByCaller, ownedOperations, ownersOf } from './owned.ts';

const type = entityTypes.application;
const federated = entityTypes.federatedIdentityCredential;
const read = {
  delegated: ['Application.Read.All'],
  application: ['Application.Read.All', 'Application.ReadWrite.OwnedBy'],
};
const write = { delegated: ['Application.ReadWrite.All'], application: ['Application.ReadWrite.OwnedBy'] };
const one = '/applications/{application}';
const credentials = `${one}/federatedIdentityCredentials`;

/** Applications with their credentials, owners and federated identities. */
export const applicationOperations: readonly Operation[] = [
  {
    method: 'GET',
    path: '/applications',
    ...read,
    run: (call) =>
      showList(call, type, [...call.tenant.applications.values()], { expansions: expansions(call) }),
  },
  { method: 'POST', path: '/applications', ...write, run: (call) => created(call, make(call, bodyOf(call))) },
  {
    method: 'GET',
    path: one,
    ...read,
    run: (call) => showOne(call, type, target(call), { expansions: expansions(call) }),
  },
  { method: 'PATCH', path: one, ...write, run: update },
  { method: 'DELETE', path: one, ...write, run: remove },
  ...ownedOperations({ one, read, write, target, managed }),
  { method: 'GET', path: credentials, ...read, run: (call) => showList(call, federated, list(call)) },
  { method: 'POST', path: credentials, ...write, run: addFederated },
  {
    method: 'GET',
    path: `${credentials}/{credential}`,
    ...read,
    run: (call) => showOne(call, federated, federatedOf(call)),
  },
  { method: 'PATCH', path: `${credentials}/{credential}`, ...write, run: updateFederated },
  { method: 'DELETE', path: `${credentials}/{credential}`, ...write, run: removeFederated },
];

function expansions(call: Call) {
  return { owners: (application: DirectoryObject) => ownersOf(call, application) };
}

/** By object id, by `appId='...'` or by `uniqueName='...'`. */
function target(call: Call): Application {
  const { tenant, names } = call;
  const [, key, value = ''] = /^(appId|uniqueName)=(.+)$/.exec(names.application ?? '') ?? [];
  const found =
    key === 'appId'
      ? findApplication(tenant, value)
      : [...tenant.applications.values()].find(({ uniqueName }) => key && uniqueName === value);
  return find(call, tenant.applications, key ? (found?.id ?? value) : names.application);
}

function managed(call: Call): Application {
  const application = target(call);
  requireManaged(call, application.id);
  return application;
}

function make(call: Call, body: Record<string, unknown>): Application {
  const { tenant, world } = call;
  const displayName = textOf(body, 'displayName');
  if (Array.isArray(body.passwordCredentials) && body.passwordCredentials.length)
    throw badRequest('Adding a password on application creation is not supported; use addPassword.');
  const application = makeApplication({ displayName, id: randomUUID() }, tenant, instant(world.clock));
  apply(call, application, readChanges(type, body));
  place(tenant, application, world.clock.now());
  tenant.federatedCredentials.set(application.id, []);
  ownedByCaller(call, application);
  return application;
}

function created(call: Call, application: Application): Reply {
  return showOne(call, type, application, { status: 201, isNew: true });
}

function update(call: Call): Reply {
  const body = bodyOf(call);
  const name = /^uniqueName=(.+)$/.exec(call.names.application ?? '')?.[1];
  if (
    name !== undefined &&
    ![...call.tenant.applications.values()].some(({ uniqueName }) => uniqueName === name)
  ) {
    if (!/\bcreate-if-missing\b/.test(call.ask.headers.prefer ?? '')) throw notFound(name);
    requireFree(call.tenant, 'application', name);
    return created(call, make(call, { displayName: name, ...body, uniqueName: name }));
  }
  const application = managed(call);
  apply(call, application, readChanges(type, body));
  const principal = findServicePrincipal(call.tenant, application.appId);
  if (principal)
    Object.assign(principal, inherited(application), { appDisplayName: application.displayName });
  return noContent();
}

/** Applies changes part by part, since `web`, `api` and their like merge with what is there. */
function apply(call: Call, application: Application, changes: Record<string, unknown>): void {
  const { web, api, spa, publicClient, appRoles, optionalClaims, keyCredentials, ...plain } = changes;
  if (changes.identifierUris !== undefined) checkUris(call, application, changes.identifierUris as string[]);
  Object.assign(application, plain);
  for (const platform of [web, spa, publicClient]) checkRedirects(platform);
  if (isRecord(web)) application.web = makeWeb({ ...application.web, ...web });
  if (isRecord(api)) {
    checkEntitlements(application.api.oauth2PermissionScopes, api.oauth2PermissionScopes);
    const parts = { ...application.api, ...api };
    if (parts.oauth2PermissionScopes.some(({ value }) => typeof value !== 'string' || value.startsWith('.')))
      throw badRequest("Invalid value specified for property 'value' of resource 'PermissionScope'.");
    application.api = makeApi(parts, application.appId);
  }
  if (isRecord(spa)) application.spa = { ...application.spa, ...spa };
  if (isRecord(publicClient)) application.publicClient = { ...application.publicClient, ...publicClient };
  checkEntitlements(application.appRoles, appRoles);
  if (Array.isArray(appRoles)) application.appRoles = makeAppRoles(appRoles, application.appId);
  if (optionalClaims !== undefined)
    application.optionalClaims = makeOptionalClaims(isRecord(optionalClaims) ? optionalClaims : null);
  if (Array.isArray(keyCredentials)) application.keyCredentials = readKeyCredentials(call, keyCredentials);
}

/** Permissions and roles bring their own ids; one that is enabled has to be disabled before it can go. */
function checkEntitlements(before: readonly { id: string; isEnabled: boolean }[], after: unknown): void {
  if (!Array.isArray(after)) return;
  const ids = after.map((entitlement) => (isRecord(entitlement) ? entitlement.id : undefined));
  if (ids.includes(undefined))
    throw badRequest("A value is required for property 'id' of resource 'Entitlement'.", [
      { code: 'MissingValue', target: 'id', message: 'Give each permission and role a new GUID.' },
    ]);
  if (new Set(ids).size < ids.length) throw badRequest("The property 'id' has values that are not unique.");
  if (before.some(({ id, isEnabled }) => isEnabled && !ids.includes(id)))
    throw new GraphFailure(
      400,
      'CannotDeleteOrUpdateEnabledEntitlement',
      'Property value cannot be deleted unless it is disabled first.',
    );
}

/** At most 256 of at most 256 characters; plain http only to this machine. */
function checkRedirects(platform: unknown): void {
  const uris =
    isRecord(platform) && Array.isArray(platform.redirectUris) ? platform.redirectUris.map(String) : [];
  const bad = uris.find((uri) => {
    const url = URL.canParse(uri) ? new URL(uri) : undefined;
    const isLocal = url && ['localhost', '127.0.0.1'].includes(url.hostname);
    return !url || uri.length > 256 || url.hash !== '' || (url.protocol === 'http:' && !isLocal);
  });
  if (uris.length > 256 || bad !== undefined)
    throw badRequest(`Invalid value specified for property 'redirectUris': '${bad ?? 'more than 256'}'.`);
}

/** Unique in the tenant; `https` only on a verified domain; `api://` with the application or tenant id. */
function checkUris({ tenant }: Call, application: Application, uris: string[]): void {
  for (const uri of uris) {
    const taken = [...tenant.applications.values(), ...binned(tenant.deleted)].some(
      (other) => other.id !== application.id && other.identifierUris.includes(uri),
    );
    if (taken)
      throw badRequest(`Another object with the same value for property identifierUris already exists.`, [
        { code: 'ObjectConflict', target: 'identifierUris', message: uri },
      ]);
    const host = URL.canParse(uri) ? new URL(uri).hostname : '';
    const isVerified = tenant.domains.some(({ name }) => host === name || host.endsWith(`.${name}`));
    const isOwnApi =
      uri.startsWith('api://') && (uri.includes(application.appId) || uri.includes(tenant.id) || isVerified);
    if (!isOwnApi && !(uri.startsWith('https://') && isVerified))
      throw badRequest(
        `Values of identifierUris property must use a verified domain of the organization or its subdomain: '${uri}'`,
        [{ code: 'HostNameNotOnVerifiedDomain', target: 'identifierUris', message: uri }],
      );
  }
}

function binned(deleted: Map<string, { object: DirectoryObject }>): Application[] {
  return [...deleted.values()].flatMap(({ object }) => (object.kind === 'application' ? [object] : []));
}

function remove(call: Call): Reply {
  const application = managed(call);
  const now = instant(call.world.clock);
  const principal = findServicePrincipal(call.tenant, application.appId);
  if (principal) bin(call.tenant, principal, now);
  bin(call.tenant, application, now);
  return noContent();
}

function list(call: Call): FederatedIdentityCredential[] {
  return call.tenant.federatedCredentials.get(target(call).id) ?? [];
}

function federatedOf(call: Call): FederatedIdentityCredential {
  const name = call.names.credential ?? '';
  const found = list(call).find((credential) => credential.id === name || `name=${credential.name}` === name);
  if (!found) throw notFound(name);
  return found;
}

function addFederated(call: Call): Reply {
  const application = managed(call);
  const body = bodyOf(call);
  const changes = readChanges(federated, body);
  const [name, issuer, subject] = ['name', 'issuer', 'subject'].map((key) => textOf(body, key));
  const audiences = Array.isArray(body.audiences) ? body.audiences.map(String) : [];
  if (audiences.length !== 1) throw badRequest("Exactly one value is expected in 'audiences'.");
  const all = list(call);
  if (all.length >= 20) throw badRequest('No more than 20 federated identity credentials can be added.');
  if (all.some((other) => other.name === name || (other.issuer === issuer && other.subject === subject)))
    throw badRequest(
      'A federated identity credential with this name, or issuer and subject, exists already.',
      [{ code: 'ObjectConflict', target: 'federatedIdentityCredentials', message: String(name) }],
    );
  const credential = {
    description: null,
    ...changes,
    id: randomUUID(),
    audiences,
  } as FederatedIdentityCredential;
  call.tenant.federatedCredentials.set(application.id, [...all, credential]);
  return showOne(call, federated, credential, { status: 201, isNew: true });
}

function updateFederated(call: Call): Reply {
  managed(call);
  Object.assign(federatedOf(call), readChanges(federated, bodyOf(call)));
  return noContent();
}

function removeFederated(call: Call): Reply {
  const application = managed(call);
  const gone = federatedOf(call);
  call.tenant.federatedCredentials.set(
    application.id,
    list(call).filter((credential) => credential !== gone),
  );
  return noContent();
}
