import type { AuditEvent, AuditIdentity } from './event.ts';

/** Characters that are kept of a text of an event, by member; what names the caller is longer than any provider's names. */
const longest = { action: 200, resource: 400, tool: 400, reason: 200, who: 320, other: 64 } as const;

/** Characters that are kept of one text in the detail, and of one key. */
const [longestText, longestKey] = [4_000, 200];

/** How deep the detail may be nested. */
const deepest = 8;

/**
 * Characters that are kept of a detail as a whole: enough for the state before and after a change of somebody who may make
 * it, far less for a refusal, which anybody can cause as often as they like.
 */
const wholeDetail = { allowed: 64_000, other: 4_000 } as const;

/** What stands where something was left out. */
const more = '…';

/**
 * The event as it is recorded. Everything that a caller may have named is cut to its length first and searched for tokens
 * after that, so that neither time nor room depends on what callers send; the detail is bounded as a whole. Takes time
 * linear in what is kept, and returns short values as they are.
 */
export function boundedEvent(event: AuditEvent): AuditEvent {
  const { who, resource, clientIp, tool, reason, detail } = event;
  const room =
    event.decision === 'allow' && (who !== null || event.kind === 'change')
      ? wholeDetail.allowed
      : wholeDetail.other;
  return {
    ...event,
    correlationId: clean(event.correlationId, longest.other),
    who: who && boundedOnce(who),
    clientIp: clientIp === null ? null : clean(clientIp, longest.other),
    action: clean(event.action, longest.action),
    resource: resource === null ? null : clean(resource, longest.resource),
    tool: tool === undefined ? undefined : clean(tool, longest.tool),
    reason: reason === undefined ? undefined : clean(reason, longest.reason),
    detail: detail && (bounded(detail, { left: room }, 0) as AuditEvent['detail']),
  };
}

const knownIdentities = new WeakMap<AuditIdentity, AuditIdentity>();

/** One caller makes many events, with one object for who it is. */
function boundedOnce(who: AuditIdentity): AuditIdentity {
  let kept = knownIdentities.get(who);
  if (!kept) {
    kept = boundedIdentity(who);
    knownIdentities.set(who, kept);
  }
  return kept;
}

function boundedIdentity(who: AuditIdentity): AuditIdentity {
  const { provider, subject, username, clientId, method, credentialId } = who;
  return {
    provider: clean(provider, longest.who),
    subject: clean(subject, longest.who),
    username: clean(username, longest.who),
    clientId: clientId === null ? null : clean(clientId, longest.who),
    method: clean(method, longest.other),
    ...(credentialId ? { credentialId: clean(credentialId, longest.who) } : {}),
  };
}

/** A copy of a JSON value that takes from `room.left` what it keeps, and stops where that is used up. */
function bounded(value: unknown, room: { left: number }, depth: number): unknown {
  if (typeof value === 'string') {
    const text = clean(value, Math.min(longestText, Math.max(1, room.left)));
    room.left -= text.length + 2;
    return text;
  }
  room.left -= 8;
  if (typeof value !== 'object' || value === null) return value;
  if (depth === deepest || room.left <= 0) return more;
  return Array.isArray(value) ? boundedList(value, room, depth) : boundedObject(value, room, depth);
}

function boundedList(list: readonly unknown[], room: { left: number }, depth: number): unknown[] {
  const kept: unknown[] = [];
  for (const item of list) {
    if (room.left <= 0) return [...kept, `${more} ${list.length - kept.length} more`];
    kept.push(bounded(item, room, depth + 1));
  }
  return kept;
}

function boundedObject(value: object, room: { left: number }, depth: number): object {
  const kept: [string, unknown][] = [];
  // Not Object.entries: an object of a million keys must not be copied to find out that it is too large.
  for (const key in value) {
    if (!Object.hasOwn(value, key)) continue;
    if (room.left <= 0) {
      kept.push([more, 'more was left out']);
      break;
    }
    const name = clean(key, longestKey);
    room.left -= name.length + 4;
    const member = (value as Record<string, unknown>)[key];
    if (member !== undefined) kept.push([name, bounded(member, room, depth + 1)]);
  }
  return Object.fromEntries(kept);
}

/** The text cut to its length, then without tokens and without NUL, which PostgreSQL stores in no text. */
function clean(text: string, length: number): string {
  const short = text.length > length ? `${text.slice(0, length - 1)}${more}` : text;
  const known = short.includes('eyJ') ? withoutTokens(short) : short;
  return known.includes('\0') || !known.isWellFormed()
    ? known.toWellFormed().replaceAll('\0', '\ufffd')
    : known;
}

/** How a JSON Web Token begins (`{"` in base64url), and how long its first two parts are at least. */
const [tokenBegins, shortestPart] = ['eyJ', 11];

/**
 * The text with `[a token]` in the place of each JWS or JWE. One pass: the text is taken apart into runs of the characters
 * that tokens are made of, a run into its parts between dots, and each part is looked at once.
 */
export function withoutTokens(text: string): string {
  let result = '';
  let at = 0;
  while (at < text.length) {
    let end = at;
    while (end < text.length && isTokenCharacter(text.charCodeAt(end))) end += 1;
    result += hideIn(text.slice(at, end));
    at = end;
    while (at < text.length && !isTokenCharacter(text.charCodeAt(at))) at += 1;
    result += text.slice(end, at);
  }
  return result;
}

/** A run of token characters, with everything from the first token on hidden. */
function hideIn(run: string): string {
  let from = 0;
  const parts = run.split('.');
  for (const [index, part] of parts.entries()) {
    const next = parts[index + 1];
    const begins = next === undefined ? -1 : part.indexOf(tokenBegins);
    if (begins >= 0 && part.length - begins >= shortestPart && isSecondPart(next ?? ''))
      return `${run.slice(0, from + begins)}[a token]`;
    from += part.length + 1;
  }
  return run;
}

/** A payload is JSON in base64url too; the encrypted key of a JWE is anything long, or nothing at all. */
function isSecondPart(part: string): boolean {
  return part === '' || part.length >= shortestPart;
}

/** `A-Z a-z 0-9 - _ .` */
function isTokenCharacter(code: number): boolean {
  return (
    (code >= 97 && code <= 122) ||
    (code >= 65 && code <= 90) ||
    (code >= 48 && code <= 57) ||
    code === 45 ||
    code === 46 ||
    code === 95
  );
}
