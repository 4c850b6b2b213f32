import { isRecord } from '../exchange.ts';
import { badRequest, missingFeature } from './failure.ts';
import { published } from './published.ts';
import type { EntityType } from './schema.ts';

/**
 * The writable properties in a body, with their types checked. Throws 400 for what Graph does not have, 501 for what
 * only the emulator does not have. Annotations (`@odata...`) are for the caller to read.
 */
export function readChanges(type: EntityType, body: Record<string, unknown>): Record<string, unknown> {
  const changes: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(body)) {
    if (name.includes('@')) continue;
    if (!type.writable.includes(name)) throw unknownOrFixed(type, name);
    checkType(name, type.properties[name], value);
    changes[name] = value;
  }
  return changes;
}

function unknownOrFixed(type: EntityType, name: string) {
  if (name in type.properties)
    return badRequest(`Property '${name}' is read-only and cannot be set.`, [
      { code: 'PropertyReadOnly', target: name, message: `'${name}' is read-only.` },
    ]);
  if (published(type.name).includes(name)) return missingFeature(`writing '${name}' of ${type.name}`);
  return badRequest(`Invalid property '${name}'.`);
}

function checkType(name: string, edm: string | undefined, value: unknown): void {
  if (value === null || edm === undefined) return;
  const isRight =
    edm === 'Edm.Boolean'
      ? typeof value === 'boolean'
      : edm === 'Collection(Edm.String)'
        ? Array.isArray(value) && value.every((item) => typeof item === 'string')
        : edm.startsWith('Collection(')
          ? Array.isArray(value) && value.every(isRecord)
          : edm.startsWith('graph.')
            ? isRecord(value)
            : typeof value === 'string';
  if (!isRight)
    throw badRequest(`Invalid value specified for property '${name}' of resource.`, [
      { code: 'InvalidValue', target: name, message: `'${name}' is of type ${edm}.` },
    ]);
}

/** The object id that an `@odata.id` or `members@odata.bind` URL ends in. */
export function referencedId(value: unknown): string {
  const [, id] =
    /\/(?:directoryObjects|users|groups|servicePrincipals)\/([0-9a-f-]{36})$/i.exec(String(value)) ?? [];
  if (!id) throw badRequest("The URI in '@odata.id' is not a reference to a directory object.");
  return id.toLowerCase();
}
