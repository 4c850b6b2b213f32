import { Failure } from '../../failure/errors.ts';
import { JsonRefusal, JsonScan } from '../../http/request/json-scan.ts';
import { type Members, MembersSeen, members } from '../read/members.ts';

/** A kind of list in MCP results: the member that names an item, and whether an item of that name is shown. */
export interface ListRule {
  readonly named: string;
  shows(name: string): boolean;
}

/** The lists to prune, by the member of `result` that holds them, such as `tools`. */
export type ListRules = ReadonlyMap<string, ListRule>;

/** A piece of a text, and what stands in its place. */
export interface Edit {
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

/** A list of thousands of tools has so many; the size of the text is bounded before. */
const limits = { depth: 200, members: 2_000_000 };
const messageMembers = members('jsonrpc', 'id', 'method', 'params', 'result', 'error');

/**
 * Takes out of a JSON-RPC message, or of each message of a batch, the list items that are not shown, and items whose name
 * is missing or can be read in two ways; every other byte stays. A pruned result is no longer for everybody, so its
 * `cacheScope` of `public` becomes `private` (MCP 2026-07-28). Undefined when nothing changes. Exactly one shape is known:
 * fails with `upstream_invalid` on anything in which some client could find a list elsewhere (lenient JSON, a batch in a
 * batch, a member twice or in another case).
 */
export function prune(text: string, rules: ListRules): string | undefined {
  try {
    return new Pruner(text, rules).prune();
  } catch (error) {
    if (!(error instanceof JsonRefusal)) throw error;
    const why = error.why === 'syntax' ? 'not valid JSON' : error.message;
    throw new Failure('upstream_invalid', `The server sent a list that cannot be shown: ${why}.`, {
      cause: error,
    });
  }
}

class Pruner {
  readonly #scan: JsonScan;
  readonly #rules: ListRules;
  readonly #resultMembers: Members;
  readonly #edits: Edit[] = [];

  constructor(text: string, rules: ListRules) {
    this.#scan = new JsonScan(text, limits);
    this.#rules = rules;
    this.#resultMembers = members(...rules.keys(), 'cacheScope');
  }

  prune(): string | undefined {
    const scan = this.#scan;
    const start = scan.space(0);
    const isBatch = scan.text.charAt(start) === '[';
    scan.end(isBatch ? scan.array(start, 0, (at) => this.#message(at, 1)) : this.#message(start, 0));
    return this.#edits.length === 0 ? undefined : applied(scan.text, this.#edits);
  }

  #message(at: number, depth: number): number {
    const scan = this.#scan;
    if (scan.text.charAt(at) !== '{') throw unknown('it is no message');
    const seen = new MembersSeen(messageMembers);
    let [isRequest, isResult] = [false, false];
    const end = scan.object(at, depth, (name, value) => {
      seen.add(name);
      isRequest ||= name === 'method';
      if (name !== 'result') return scan.value(value, depth + 1);
      isResult = true;
      return this.#result(value, depth + 1);
    });
    refuseAmbiguous(seen);
    if (isRequest && isResult) throw unknown('it is a request and a result at once');
    return end;
  }

  #result(at: number, depth: number): number {
    const scan = this.#scan;
    if (scan.text.charAt(at) !== '{') throw unknown('its result is no object');
    const seen = new MembersSeen(this.#resultMembers);
    let holdsList = false;
    let scope: Edit | undefined;
    const end = scan.object(at, depth, (name, value) => {
      seen.add(name);
      const rule = this.#rules.get(name);
      if (rule) {
        if (scan.text.charAt(value) !== '[') throw unknown(`'${name}' is no list`);
        holdsList = true;
        return this.#list(value, depth + 1, rule);
      }
      const after = scan.value(value, depth + 1);
      if (name === 'cacheScope' && scan.text.charAt(value) === '"' && scan.textOf(value, after) === 'public')
        scope = { start: value, end: after, text: '"private"' };
      return after;
    });
    refuseAmbiguous(seen);
    if (holdsList && scope) this.#edits.push(scope);
    return end;
  }

  #list(at: number, depth: number, rule: ListRule): number {
    const scan = this.#scan;
    const kept: string[] = [];
    const decisive = members(rule.named);
    let all = true;
    const end = scan.array(at, depth, (item) => {
      let shown = false;
      let after: number;
      if (scan.text.charAt(item) === '{') {
        const seen = new MembersSeen(decisive);
        after = scan.object(item, depth + 1, (name, value) => {
          seen.add(name);
          const behind = scan.value(value, depth + 2);
          if (name === rule.named)
            shown = scan.text.charAt(value) === '"' && rule.shows(scan.textOf(value, behind));
          return behind;
        });
        shown &&= seen.folded === undefined && seen.twice === undefined;
      } else after = scan.value(item, depth + 1);
      if (shown) kept.push(scan.text.slice(item, after));
      else all = false;
      return after;
    });
    if (!all) this.#edits.push({ start: at + 1, end: end - 1, text: kept.join(',') });
    return end;
  }
}

function refuseAmbiguous({ twice, folded }: MembersSeen): void {
  const name = twice ?? folded;
  if (name !== undefined) throw unknown(`'${name.slice(0, 60)}' can be read in two ways`);
}

function unknown(why: string): Failure {
  return new Failure('upstream_invalid', `The server sent a list in a form that is not known: ${why}.`);
}

/** The text with all edits made; none of them overlap. */
export function applied(text: string, edits: Edit[]): string {
  edits.sort((a, b) => a.start - b.start);
  let out = '';
  let done = 0;
  for (const edit of edits) {
    out += text.slice(done, edit.start) + edit.text;
    done = edit.end;
  }
  return out + text.slice(done);
}
