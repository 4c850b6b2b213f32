import { Failure } from '../../failure/errors.ts';

/**
 * Headers that a decision reads. Of two lines, one parser obeys the first, another the last, a third both: each of them
 * stands once, or the request is refused (RFC 9110 section 5.3 leaves it to the recipient).
 */
const once = [
  ...['authorization', 'x-authorization', 'cookie', 'x-csrf-token', 'host', 'origin', 'if-match'],
  ...['content-type', 'content-length', 'content-encoding', 'transfer-encoding', 'expect'],
  ...['mcp-session-id', 'mcp-protocol-version', 'mcp-method', 'mcp-name', 'last-event-id'],
  ...['traceparent', 'access-control-request-method'],
];
/** Of those, the ones whose value has no comma where it is one value. */
const single = new Set([
  ...['authorization', 'x-authorization', 'x-csrf-token', 'host', 'origin', 'content-type'],
  ...['content-length', 'content-encoding', 'transfer-encoding', 'expect'],
  ...['mcp-session-id', 'mcp-protocol-version', 'mcp-method', 'traceparent'],
]);

interface Rule {
  /** One bit for each name; 0 where the name may recur. */
  readonly bit: number;
  readonly single: boolean;
}

const free: Rule = { bit: 0, single: false };
const byLowerName = new Map(once.map((name, at) => [name, { bit: 1 << at, single: single.has(name) }]));
/** The rules by the names as clients spell them, so that no name is put in lower case twice; bounded. */
const bySpelling = new Map<string, Rule>();
const spellingsAtMost = 1_000;

function ruleOf(name: string): Rule {
  const known = bySpelling.get(name);
  if (known) return known;
  const rule = byLowerName.get(name.toLowerCase()) ?? free;
  if (bySpelling.size < spellingsAtMost && name.length <= 64) bySpelling.set(name, rule);
  return rule;
}

/** Fails with `bad_request` when a header that a decision reads stands twice, or holds two values on one line. */
export function requireOnce(rawHeaders: readonly string[]): void {
  let seen = 0;
  for (let at = 0; at + 1 < rawHeaders.length; at += 2) {
    const name = rawHeaders[at] ?? '';
    const { bit, single } = ruleOf(name);
    if (bit === 0) continue;
    if ((seen & bit) !== 0) throw repeated(name);
    seen |= bit;
    if (single && (rawHeaders[at + 1] ?? '').includes(',')) throw repeated(name);
  }
}

function repeated(name: string): Failure {
  return new Failure('bad_request', `Send the header ${name} once, with one value.`);
}
