import metadata from './metadata.json' with { type: 'json' };

const types: Record<string, { properties: Record<string, string>; navigation?: string[] }> = metadata.types;

/** Every property and relation that Graph's published metadata has for a type, the inherited ones included. */
export function published(type: string): string[] {
  const found = Object.hasOwn(types, type) ? types[type] : undefined;
  return found ? [...Object.keys(found.properties), ...(found.navigation ?? [])] : [];
}
