import { Failure } from '../failure/errors.ts';
import type { Exchange } from '../gateway/exchange.ts';
import { addressOf, type Target } from '../gateway/route.ts';
import type { TerminalKit } from '../gateway/world.ts';
import type { Identity } from '../identity/identity.ts';
import type { FindRoute, Route } from '../registry/servers/route.ts';
import { modern } from './wire.ts';

/** A member as it can be reached now. */
export interface ReachableMember {
  readonly route: Route;
  readonly target: Target;
  /** What it speaks as far as is known: 2026-07-28, an earlier version, or HTTP+SSE alone. */
  readonly speaks: 'modern' | 'legacy' | 'sse';
}

/** Finds a member that can be reached; fails as a call to the server itself would. */
function memberOf(findRoute: FindRoute, server: string): ReachableMember {
  const route = findRoute(server);
  if (!route) throw new Failure('not_found', `Server '${server}' does not exist.`);
  if (!route.enabled) throw new Failure('server_disabled', `The server '${server}' is disabled.`);
  const { mcp, sse, credentials, protocolVersion } = route;
  if (!credentials)
    throw new Failure(
      'credential_unreadable',
      `The gateway cannot read its credential for '${server}'; an administrator has to set it again.`,
    );
  const url = mcp ?? sse;
  if (!url)
    throw new Failure('not_found', `The server '${server}' has no endpoint that the gateway can reach.`);
  const isModern = typeof protocolVersion === 'string' && protocolVersion >= modern;
  return {
    route,
    target: addressOf(route, url, credentials),
    speaks: mcp ? (isModern ? 'modern' : 'legacy') : 'sse',
  };
}

/** Whether calls of earlier versions may be made there message by message, as far as is known of it anywhere. */
export function isPerhapsBridged({ mcp, protocolVersion }: Route): boolean {
  return !mcp || typeof protocolVersion !== 'string' || protocolVersion >= modern;
}

/** The same with the credential of whoever calls, where the member wants one; fails where they have none there. */
export async function memberFor(
  { connected }: Pick<TerminalKit, 'connected'>,
  findRoute: FindRoute,
  server: string,
  exchange: Exchange,
  identity: Identity,
): Promise<ReachableMember> {
  const member = memberOf(findRoute, server);
  if (!member.route.egress) return member;
  return { ...member, target: await connected(exchange, member.target, identity) };
}
