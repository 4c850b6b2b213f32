import metadata from './metadata.json' with { type: 'json' };

const types: Record<string, { properties: Record<string, string>; navigation: string[] }> = metadata.types;
const actions: readonly { name: string; parameters: Record<string, string | undefined> }[] = metadata.actions;

/** Every property and relation that Graph's published metadata has for a type, the inherited ones included. */
export function published(type: string): string[] {
  const found = Object.hasOwn(types, type) ? types[type] : undefined;
  return found ? [...Object.keys(found.properties), ...found.navigation] : [];
}

/** The names of the parameters of an action in the published metadata; undefined for what is no action. */
export function parametersOf(action: string): string[] | undefined {
  const found = actions.find(({ name }) => name === action);
  return found && Object.keys(found.parameters);
}
