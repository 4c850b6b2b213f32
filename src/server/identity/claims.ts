/** A claim that is a text with something in it; null for anything else. */
export function text(value: unknown): string | null {
  return typeof value === 'string' && value !== '' ? value : null;
}

/** The texts of a claim that is a list; nothing of anything else. */
export function texts(value: unknown): string[] {
  return Array.isArray(value) ? value.filter((one): one is string => typeof one === 'string') : [];
}

/** A claim that is an object; an empty one for anything else. */
export function record(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}

/** What is at a path of claims, such as `realm_access`, `roles`; only what the token itself has. */
export function claimAt(claims: object, path: readonly string[]): unknown {
  let found: unknown = claims;
  for (const name of path) {
    const at = record(found);
    found = Object.hasOwn(at, name) ? at[name] : undefined;
  }
  return found;
}

/**
 * The groups of a claim: a list of names, or a single one. Names stay as they are, case and slashes included; what is no
 * text counts for nothing.
 */
export function groupsIn(value: unknown): string[] {
  const names = typeof value === 'string' ? [value] : texts(value);
  return [...new Set(names.filter((name) => name !== ''))];
}
