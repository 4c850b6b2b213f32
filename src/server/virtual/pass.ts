import { asFailure } from '../failure/errors.ts';
import type { Exchange } from '../gateway/exchange.ts';
import { forward } from '../gateway/forward.ts';
import type { MessageId } from '../gateway/read/read-call.ts';
import { refuse } from '../gateway/refuse.ts';
import type { Target } from '../gateway/route.ts';
import { paramsOf } from './eras.ts';
import { callHeaders, type MemberWorld, modernHeaders, sessionHeaders } from './member.ts';
import type { ReachableMember } from './members.ts';
import { type EventIds, type OwnCalls, ownMessages } from './own-messages.ts';
import type { MemberSession } from './sessions.ts';
import { objectIn } from './wire.ts';

/** What passes to a member that speaks as its client does: the client's bytes with the member's own names. */
export interface Passed {
  readonly method: string;
  readonly name: string | undefined;
  readonly body: Buffer;
  /** The call's id, which alone the member may respond to. */
  readonly id: MessageId;
  readonly eventIds?: EventIds | undefined;
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
    filter: ownMessages(callsOf(target.server, passed, false), world.limits.filterBytes),
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
    filter: ownMessages(callsOf(target.server, passed, true), world.limits.filterBytes),
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

function callsOf(server: string, { id, body, eventIds }: Passed, asks: boolean): OwnCalls {
  // A look at the bytes saves reading most bodies twice.
  const progressToken = body.includes('progressToken')
    ? objectIn(paramsOf({ body }), '_meta').progressToken
    : undefined;
  return { server, id, progressToken, asks, eventIds };
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
