import { Failure } from '../failure/errors.ts';
import { afterValue, eachElement, eachMember, valueAt } from './json-text.ts';

/** A kind of list in MCP results: the member that names an item, and whether an item of that name is shown. */
export interface ListRule {
  readonly named: string;
  shows(name: string): boolean;
}

/** The lists to prune, by the member of `result` that holds them, such as `tools`. */
export type ListRules = ReadonlyMap<string, ListRule>;

interface Edit {
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

/**
 * Takes out of a JSON-RPC message, or of each message of a batch, the list items that are not shown, and items without a
 * name; every other byte stays. A pruned result is no longer for everybody, so its `cacheScope` of `public` becomes
 * `private` (MCP 2026-07-28). Undefined when nothing changes. Fails on text that is not JSON but may hold a list: a
 * client less strict than JSON.parse would read it.
 */
export function prune(text: string, rules: ListRules): string | undefined {
  if (!mayHoldList(text, rules)) return undefined;
  try {
    JSON.parse(text);
  } catch (cause) {
    throw new Failure('upstream_invalid', 'The server sent a list that is not valid JSON.', { cause });
  }
  const edits: Edit[] = [];
  const start = valueAt(text, 0);
  if (text.charAt(start) === '{') inMessage(text, start, rules, edits);
  else if (text.charAt(start) === '[')
    eachElement(text, start, (at) =>
      text.charAt(at) === '{' ? inMessage(text, at, rules, edits) : afterValue(text, at),
    );
  return edits.length === 0 ? undefined : applied(text, edits);
}

/** A name can also be written with escapes, so a text that has any is looked at. */
function mayHoldList(text: string, rules: ListRules): boolean {
  if (text.includes('\\u')) return true;
  for (const member of rules.keys()) if (text.includes(`"${member}"`)) return true;
  return false;
}

function inMessage(text: string, at: number, rules: ListRules, edits: Edit[]): number {
  return eachMember(text, at, (key, value) =>
    key === 'result' && text.charAt(value) === '{'
      ? inResult(text, value, rules, edits)
      : afterValue(text, value),
  );
}

function inResult(text: string, at: number, rules: ListRules, edits: Edit[]): number {
  let holdsList = false;
  let scope: Edit | undefined;
  const end = eachMember(text, at, (key, value) => {
    const rule = rules.get(key);
    if (rule && text.charAt(value) === '[') {
      holdsList = true;
      return inList(text, value, rule, edits);
    }
    const after = afterValue(text, value);
    if (key === 'cacheScope' && stringOf(text.slice(value, after)) === 'public')
      scope = { start: value, end: after, text: '"private"' };
    return after;
  });
  if (holdsList && scope) edits.push(scope);
  return end;
}

function inList(text: string, at: number, rule: ListRule, edits: Edit[]): number {
  const kept: string[] = [];
  let all = true;
  const end = eachElement(text, at, (item) => {
    let shown: boolean | undefined;
    const after =
      text.charAt(item) === '{'
        ? eachMember(text, item, (key, value) => {
            const behind = afterValue(text, value);
            if (key === rule.named) shown = shown !== false && isShown(text.slice(value, behind), rule);
            return behind;
          })
        : afterValue(text, item);
    if (shown) kept.push(text.slice(item, after));
    else all = false;
    return after;
  });
  if (!all) edits.push({ start: at + 1, end: end - 1, text: kept.join(',') });
  return end;
}

function isShown(value: string, rule: ListRule): boolean {
  const name = stringOf(value);
  return name !== undefined && rule.shows(name);
}

function stringOf(value: string): string | undefined {
  return value.startsWith('"') ? String(JSON.parse(value)) : undefined;
}

function applied(text: string, edits: Edit[]): string {
  edits.sort((a, b) => a.start - b.start);
  let out = '';
  let done = 0;
  for (const edit of edits) {
    out += text.slice(done, edit.start) + edit.text;
    done = edit.end;
  }
  return out + text.slice(done);
}
