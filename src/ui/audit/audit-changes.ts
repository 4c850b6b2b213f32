import { isObject } from '../../contract/values/json.ts';
/** One member of a thing that changed. */
export interface Change {
  readonly name: string;
  /** As text; null where there was nothing. */
  readonly before: string | null;
  readonly after: string | null;
}

type Members = Readonly<Record<string, unknown>>;

/** What an event's details say: what changed from before to after, and everything else as text. */
export function changesIn(detail: Members | null): { changes: Change[]; others: [string, string][] } {
  const { before, after, ...others } = detail ?? {};
  return {
    changes: changesOf(before, after),
    others: Object.entries(others).map(([name, value]) => [name, textOf(value) ?? '']),
  };
}

function changesOf(before: unknown, after: unknown): Change[] {
  if (!isObject(before) && !isObject(after)) {
    const [one, other] = [textOf(before), textOf(after)];
    return one === other ? [] : [{ name: '', before: one, after: other }];
  }
  const [old, now] = [isObject(before) ? before : {}, isObject(after) ? after : {}];
  const names = [...new Set([...Object.keys(old), ...Object.keys(now)])];
  return names
    .map((name) => ({ name, before: textOf(old[name]), after: textOf(now[name]) }))
    .filter((change) => change.before !== change.after);
}

function textOf(value: unknown): string | null {
  if (value === undefined || value === null) return null;
  return typeof value === 'string' ? value : JSON.stringify(value, null, 2);
}
