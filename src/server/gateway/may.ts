import type { Call, Decision } from '../access/scope.ts';
import { Failure } from '../errors.ts';
import type { Identity } from '../identity/identity.ts';
import type { Exchange } from './exchange.ts';
import { type Filter, listFilter, streamFilter } from './filter.ts';
import type { ListMemory } from './list-memory.ts';
import type { ListRules } from './prune.ts';
import type { Asked } from './read-call.ts';
import type { RewriteEvent } from './sse.ts';

/** Answers whether an identity may make a call, by the grants of this moment. */
export type Decide = (identity: Identity, call: Call) => Decision;

/** Who may do what, by the grants of this moment. */
export interface Rights {
  readonly decide: Decide;
  /** One object for all identities that may do the same; another after a change. */
  rightsOf(identity: Identity): object;
  readonly lists: ListMemory;
}

/** Decides on each message of a request; one refusal refuses all, because the bytes are passed on whole or not at all. */
export function decideAll(
  decide: Decide,
  exchange: Exchange,
  identity: Identity,
  server: string,
  asked: Asked,
): void {
  for (const { method, tool } of asked.messages) {
    const decision = decide(identity, { server, method, tool });
    if (decision.allow) {
      exchange.reason = decision.scope;
      continue;
    }
    exchange.decision = 'deny';
    exchange.reason = decision.reason;
    // The server's name is the caller's own word: nothing here tells whether such a server exists.
    throw new Failure('not_allowed', `You may not do this on '${server}': ${inWords(method, tool)}.`);
  }
  exchange.decision = 'allow';
}

function inWords(method: string, tool: string | undefined): string {
  if (method === '$stream') return 'listen';
  if (method === '$end') return 'end a session';
  if (method === '$response') return 'answer a request';
  return (tool === undefined ? method : `${method} ${tool}`).slice(0, 200);
}

/** A list method, the call that each of its items stands for, and where the answer has them. */
interface List {
  readonly method: string;
  readonly call: string;
  readonly member: string;
  readonly named: string;
}

const lists: readonly List[] = [{ method: 'tools/list', call: 'tools/call', member: 'tools', named: 'name' }];

/**
 * The filter for an answer, by what the caller may call: on lists that were asked for, and on streams, where a list may
 * come by. None where nothing needs to be looked at.
 */
export function filterFor(
  { decide, rightsOf, lists: memory }: Rights,
  identity: Identity,
  server: string,
  asked: Asked,
  rewriteOther: RewriteEvent | undefined,
  limit: number,
): Filter | undefined {
  const all = (): boolean => showsAll(decide, identity, server);
  const isStream = asked.messages[0].method === '$stream';
  if (!isStream && (!asksForList(asked) || all())) return undefined;
  const rules = listRules(decide, identity, server);
  const cut = (text: string): string | undefined => memory.cut(rightsOf(identity), server, text, rules);
  // A stream outlives the grants it began with, so there they are asked at each list.
  if (isStream) return streamFilter({ cut, limit, rewriteOther, showsAll: all });
  return listFilter({ cut, limit, showsAll: () => false });
}

function asksForList(asked: Asked): boolean {
  return asked.messages.some(({ method }) => lists.some((list) => list.method === method));
}

/** What the lists of a server show an identity: exactly the items whose call would be allowed. */
function listRules(decide: Decide, identity: Identity, server: string): ListRules {
  return new Map(
    lists.map(({ call: method, member, named }) => [
      member,
      { named, shows: (tool: string) => decide(identity, { server, method, tool }).allow },
    ]),
  );
}

function showsAll(decide: Decide, identity: Identity, server: string): boolean {
  // In scopes '*' stands for every tool, so only a grant of every tool allows a call of a tool with this name.
  return lists.every(({ call: method }) => decide(identity, { server, method, tool: '*' }).allow);
}
