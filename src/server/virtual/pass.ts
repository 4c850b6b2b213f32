import { isObject } from '../../contract/values/json.ts';
import { asFailure } from '../failure/errors.ts';
import type { Exchange } from '../gateway/exchange.ts';
import { forward } from '../gateway/forward.ts';
import type { Filter } from '../gateway/lists/filter.ts';
import { EventFilter } from '../gateway/lists/sse.ts';
import { refuse } from '../gateway/refuse.ts';
import type { Target } from '../gateway/route.ts';
import { callHeaders, type MemberWorld, modernHeaders, sessionHeaders } from './member.ts';
import type { ReachableMember } from './members.ts';
import type { MemberSession } from './sessions.ts';

/** What passes to a member that speaks as its client does: the client's bytes with the member's own names. */
export interface Passed {
  readonly method: string;
  readonly name: string | undefined;
  readonly body: Buffer;
}

/** Told that a stream says that a server's tools changed. */
export type ToolsChanged = (server: string) => void;

/** Passes a request of 2026-07-28 to a member of that version, and the answer back as it comes. */
export function passModern(
  world: MemberWorld & { readonly toolsChanged: ToolsChanged },
  exchange: Exchange,
  member: ReachableMember,
  passed: Passed,
): void {
  const { target } = member;
  const { method, name, body } = passed;
  forward(world.upstreams, exchange, {
    ...target,
    ...common(world, exchange, target),
    body,
    headers: callHeaders(world, exchange, target, modernHeaders(method, name), true),
    filter: undefined,
    takesOver: (status) =>
      status === 401 && passAnew(exchange, member, (fresh) => passModern(world, exchange, fresh, passed)),
  });
}

/** Passes a request anew, once, whose credential the member refused; false where it was no credential of the caller's. */
function passAnew(
  exchange: Exchange,
  member: ReachableMember,
  pass: (fresh: ReachableMember) => void,
): boolean {
  const { anew } = member.target;
  if (!anew) return false;
  anew()
    .then((target) => {
      if (!exchange.res.destroyed)
        pass({ ...member, target: { ...(target ?? member.target), anew: undefined } });
    })
    .catch((error: unknown) => {
      if (exchange.res.destroyed || exchange.res.headersSent) return void exchange.res.destroy();
      refuse(exchange, asFailure(error));
    });
  return true;
}

/**
 * Passes a request in a session to a member of the eras before, in the member's own session. `anew` opens another one
 * when the member does not know that session any more; it is tried once.
 */
export function passLegacy(
  world: MemberWorld & { readonly toolsChanged: ToolsChanged },
  exchange: Exchange,
  member: ReachableMember,
  passed: Passed,
  session: MemberSession,
  anew: ((gone: MemberSession) => Promise<MemberSession>) | undefined,
): void {
  const { target } = member;
  const fail = (): void => void exchange.res.destroy();
  forward(world.upstreams, exchange, {
    ...target,
    ...common(world, exchange, target),
    body: passed.body,
    headers: callHeaders(world, exchange, target, sessionHeaders(session), true),
    filter: questionsOf(target.server, world.limits.filterBytes),
    takesOver(status) {
      if (status === 401)
        return passAnew(exchange, member, (fresh) =>
          passLegacy(world, exchange, fresh, passed, session, anew),
        );
      if (!anew || session.id === null || (status !== 404 && status !== 400 && status !== 410)) return false;
      anew(session)
        .then((fresh) => passLegacy(world, exchange, member, passed, fresh, undefined))
        .catch(fail);
      return true;
    },
  });
}

function common(
  { waitFor, toolsChanged }: MemberWorld & { toolsChanged: ToolsChanged },
  { asked }: Exchange,
  { route, credentials }: Target,
) {
  return {
    method: 'POST' as const,
    wait: waitFor(asked, route),
    passesChallenge: credentials.forwardAuthorization,
    // The member's session is not the client's.
    onAnswer: () => undefined,
    onToolsChanged: () => toolsChanged(route.name),
  };
}

/** The id that a client sees of a member's question, by which its reply finds the member. */
function questionId(server: string, id: unknown): string {
  return `m.${Buffer.from(server).toString('base64url')}.${JSON.stringify(id)}`;
}

/** The member and its id of the question behind a reply; undefined for an id that no member's question had. */
export function memberOfQuestion(id: string): { server: string; id: unknown } | undefined {
  const [, server, text] = /^m\.([A-Za-z0-9_-]+)\.(.+)$/s.exec(id) ?? [];
  if (server === undefined || text === undefined) return undefined;
  try {
    const own: unknown = JSON.parse(text);
    if (typeof own !== 'string' && typeof own !== 'number') return undefined;
    return { server: Buffer.from(server, 'base64url').toString('utf8'), id: own };
  } catch {
    return undefined;
  }
}

/** Gives questions on an event stream (requests of the server) ids that tell members apart. */
export function withQuestionId(server: string, data: string): string | undefined {
  if (!data.includes('"method"') || !data.includes('"id"')) return undefined;
  try {
    const message: unknown = JSON.parse(data);
    if (!isObject(message) || typeof message.method !== 'string' || message.id === undefined)
      return undefined;
    return JSON.stringify({ ...message, id: questionId(server, message.id) });
  } catch {
    return undefined;
  }
}

function questionsOf(server: string, limit: number): Filter {
  return ({ type }) => {
    if (type !== 'text/event-stream') return undefined;
    const events = new EventFilter(limit, (event, data) =>
      event === '' || event === 'message' ? withQuestionId(server, data) : undefined,
    );
    return { whole: false, write: (chunk) => events.write(chunk), end: () => [events.end()] };
  };
}
