import { isObject } from '../../../contract/values/json.ts';
/** The parts of `metadata` that dotted paths name, in their places; all of it without paths. */
export function project(
  metadata: Readonly<Record<string, unknown>>,
  paths: readonly string[] | undefined,
): Record<string, unknown> {
  if (!paths) return { ...metadata };
  const kept: Record<string, unknown> = Object.create(null);
  for (const path of paths) {
    const parts = path.split('.');
    let from: unknown = metadata;
    for (const part of parts) from = isObject(from) && Object.hasOwn(from, part) ? from[part] : undefined;
    if (from === undefined) continue;
    let to = kept;
    for (const part of parts.slice(0, -1)) {
      const next = isObject(to[part]) ? to[part] : Object.create(null);
      to[part] = next;
      to = next as Record<string, unknown>;
    }
    to[parts.at(-1) ?? ''] = from;
  }
  return kept;
}
