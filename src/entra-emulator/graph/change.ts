import { badRequest, missingFeature } from './failure.ts';
import { published } from './published.ts';
import type { EntityType } from './schema.ts';
import { checkType } from './shapes.ts';

/**
 * The writable properties in a body, with their types checked. Throws 400 for what Graph does not have, 501 for what
 * only the emulator does not have. Annotations (`@odata...`) are for the caller to read.
 */
export function readChanges(type: EntityType, body: Record<string, unknown>): Record<string, unknown> {
  const changes: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(body)) {
    if (name.includes('@')) continue;
    if (!type.writable.includes(name)) throw unknownOrFixed(type, name);
    const edm = type.properties[name];
    if (edm) checkType(name, edm, value);
    if (value === null && !isNullable(edm)) throw badRequest(`Property '${name}' cannot be null.`);
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

function isNullable(edm: string | undefined): boolean {
  return edm === undefined || edm === 'graph.optionalClaims' || edm.startsWith('Edm.');
}

/** The object id that an `@odata.id` or `members@odata.bind` URL ends in. */
export function referencedId(value: unknown): string {
  const [, id] =
    /\/(?:directoryObjects|users|groups|servicePrincipals)\/([0-9a-f-]{36})$/i.exec(String(value)) ?? [];
  if (!id) throw badRequest("The URI in '@odata.id' is not a reference to a directory object.");
  return id.toLowerCase();
}
