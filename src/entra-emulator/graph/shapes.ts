import { isRecord } from '../exchange.ts';
import { badRequest, missingFeature } from './failure.ts';

type Shape = Record<string, string>;

const text = 'Edm.String';
const flag = 'Edm.Boolean';
const guid = 'Edm.Guid';
const texts = 'Collection(Edm.String)';
/** Part of Graph, not of the emulator. */
const notDone = 'not done';

/** The complex types that a client may send, property by property. */
const shapes: Record<string, Shape> = {
  'graph.webApplication': {
    redirectUris: texts,
    logoutUrl: text,
    homePageUrl: text,
    implicitGrantSettings: 'graph.implicitGrantSettings',
    redirectUriSettings: notDone,
  },
  'graph.implicitGrantSettings': { enableIdTokenIssuance: flag, enableAccessTokenIssuance: flag },
  'graph.spaApplication': { redirectUris: texts },
  'graph.publicClientApplication': { redirectUris: texts },
  'graph.apiApplication': {
    requestedAccessTokenVersion: 'Edm.Int32',
    acceptMappedClaims: flag,
    knownClientApplications: 'Collection(Edm.Guid)',
    oauth2PermissionScopes: 'Collection(graph.permissionScope)',
    preAuthorizedApplications: 'Collection(graph.preAuthorizedApplication)',
  },
  'graph.permissionScope': {
    id: guid,
    value: text,
    type: text,
    isEnabled: flag,
    adminConsentDisplayName: text,
    adminConsentDescription: text,
    userConsentDisplayName: text,
    userConsentDescription: text,
    origin: notDone,
  },
  'graph.preAuthorizedApplication': { appId: text, delegatedPermissionIds: texts },
  'graph.appRole': {
    id: guid,
    value: text,
    displayName: text,
    description: text,
    allowedMemberTypes: texts,
    isEnabled: flag,
    origin: notDone,
  },
  'graph.optionalClaims': {
    idToken: 'Collection(graph.optionalClaim)',
    accessToken: 'Collection(graph.optionalClaim)',
    saml2Token: 'Collection(graph.optionalClaim)',
  },
  'graph.optionalClaim': { name: text, source: text, essential: flag, additionalProperties: texts },
  'graph.requiredResourceAccess': {
    resourceAppId: text,
    resourceAccess: 'Collection(graph.resourceAccess)',
  },
  'graph.resourceAccess': { id: guid, type: text },
  'graph.keyCredential': {
    keyId: guid,
    displayName: text,
    type: text,
    usage: text,
    startDateTime: 'Edm.DateTimeOffset',
    endDateTime: 'Edm.DateTimeOffset',
    customKeyIdentifier: 'Edm.Binary',
    key: 'Edm.Binary',
  },
};

/** Throws 400 unless a value is of an Edm or Graph type, with everything in it; null is of every type. */
export function checkType(name: string, type: string, value: unknown): void {
  if (value === null) return;
  const [, inner] = /^Collection\((.+)\)$/.exec(type) ?? [];
  if (inner) {
    if (!Array.isArray(value)) throw wrong(name, type);
    for (const item of value) {
      if (item === null) throw wrong(name, type);
      checkType(name, inner, item);
    }
    return;
  }
  const shape = Object.hasOwn(shapes, type) ? shapes[type] : undefined;
  if (shape) checkShape(name, type, shape, value);
  else if (!isPrimitive(type, value)) throw wrong(name, type);
}

function checkShape(name: string, type: string, shape: Shape, value: unknown): void {
  if (!isRecord(value)) throw wrong(name, type);
  for (const [key, part] of Object.entries(value)) {
    if (key.includes('@')) continue;
    const expected = Object.hasOwn(shape, key) ? shape[key] : undefined;
    if (!expected) throw badRequest(`Invalid property '${key}'.`);
    if (expected === notDone) throw missingFeature(`writing '${key}' of ${type}`);
    // Lists and the objects around them cannot be emptied with null.
    if (part === null && (expected.startsWith('Collection(') || expected.startsWith('graph.')))
      throw wrong(`${name}/${key}`, expected);
    checkType(`${name}/${key}`, expected, part);
  }
}

function isPrimitive(type: string, value: unknown): boolean {
  if (type === flag) return typeof value === 'boolean';
  if (type === 'Edm.Int32') return Number.isInteger(value);
  if (type === guid)
    return typeof value === 'string' && /^[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}$/i.test(value);
  if (type === 'Edm.DateTimeOffset') return typeof value === 'string' && !Number.isNaN(Date.parse(value));
  return typeof value === 'string';
}

function wrong(name: string, type: string) {
  return badRequest(`Invalid value specified for property '${name}' of resource.`, [
    { code: 'InvalidValue', target: name, message: `'${name}' is of type ${type}.` },
  ]);
}
