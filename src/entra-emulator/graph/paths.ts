import type { Operation } from './call.ts';
import { badRequest } from './failure.ts';
import { absentTypes, entityTypes } from './schema.ts';

/** A path below `/v1.0`, taken apart. */
export type Address = { segments: string[]; isMe: boolean; cast: string | undefined; isCountOnly: boolean };

/** An operation that fits a path, and what its placeholders stand for. */
export type Match = { operation: Operation; names: Record<string, string> };

const castable = new Set<string>([...Object.keys(entityTypes), ...absentTypes]);

/**
 * Takes a path apart: `users('x')` is `users/x`, `applications(appId='x')` is `applications/appId=x`, a type at the end
 * is a cast, `microsoft.graph.` before an action is dropped.
 */
export function normalise(path: string): Address {
  const segments = path.split('/').filter(Boolean).flatMap(openParenthesis);
  if (segments.length === 0) throw badRequest('The path is empty.');
  const isMe = segments[0] === 'me';
  if (isMe) segments.shift();
  const isCountOnly = segments.at(-1) === '$count';
  if (isCountOnly) segments.pop();
  const last = segments.at(-1)?.replace(/^(?:microsoft\.)?graph\./, '');
  const isQualified = last !== undefined && last !== segments.at(-1);
  if (!isQualified) return { segments, isMe, cast: undefined, isCountOnly };
  segments.pop();
  if (castable.has(last)) return { segments, isMe, cast: last, isCountOnly };
  return { segments: [...segments, last], isMe, cast: undefined, isCountOnly };
}

/** The operation for a method and path; fixed segments win over placeholders. */
export function match(
  operations: readonly Operation[],
  method: string,
  segments: readonly string[],
): Match | undefined {
  let best: (Match & { fixed: number }) | undefined;
  for (const operation of operations) {
    if (operation.method !== method) continue;
    const pattern = operation.path.split('/').filter(Boolean);
    if (pattern.length !== segments.length) continue;
    const names = fitting(pattern, segments);
    const fixed = pattern.filter((part) => !part.startsWith('{')).length;
    if (names && (!best || fixed > best.fixed)) best = { operation, names, fixed };
  }
  return best;
}

function fitting(
  pattern: readonly string[],
  segments: readonly string[],
): Record<string, string> | undefined {
  const names: Record<string, string> = {};
  for (const [index, part] of pattern.entries()) {
    const segment = segments[index] ?? '';
    if (part.startsWith('{')) names[part.slice(1, -1)] = segment;
    else if (part.toLowerCase() !== segment.toLowerCase()) return undefined;
  }
  return names;
}

function openParenthesis(segment: string): string[] {
  const text = decodeURIComponent(segment);
  const [, name, key, value] = /^(\w+)\((?:(\w+)=)?'(.*)'\)$/s.exec(text) ?? [];
  if (!name || value === undefined) return [text];
  const plain = value.replaceAll("''", "'");
  return [name, key ? `${key}=${plain}` : plain];
}
