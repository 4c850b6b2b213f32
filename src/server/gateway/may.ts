import type { Call, Decision, RefusalReason } from '../access/call.ts';
import { Failure } from '../failure/errors.ts';
import type { Identity } from '../identity/identity.ts';
import type { Route } from '../registry/servers/route.ts';
import type { Exchange } from './exchange.ts';
import { type Filter, listFilter, streamFilter } from './lists/filter.ts';
import type { ListMemory } from './lists/list-memory.ts';
import { privateAnswer } from './lists/private-scope.ts';
import type { ListRules } from './lists/prune.ts';
import type { RewriteEvent } from './lists/sse.ts';
import type { AskedCall } from './read/read-call.ts';
import type { TaskPassage } from './sessions/tasks.ts';

/** Answers whether an identity may make a call, by the grants of this moment. */
export type Decide = (identity: Identity, call: Call) => Decision;

/** Who may do what, by the grants of this moment. */
export interface Rights {
  readonly decide: Decide;
  /** One object for all identities that may do the same; another after a change. */
  rightsOf(identity: Identity): object;
  readonly lists: ListMemory;
}

/**
 * Decides on each message of a request; one refusal refuses all, because the bytes are passed on whole or not at all. Returns
 * false for a list (`isList`) that the caller may not have, which is an empty one.
 */
export function decideAll(
  decide: Decide,
  exchange: Exchange,
  identity: Identity,
  server: string,
  asked: AskedCall,
  isList = false,
): boolean {
  const refused = firstRefused(decide, identity, server, asked, (scope) => {
    exchange.reason = scope;
  });
  if (refused && isList) {
    exchange.decision = 'deny';
    exchange.reason = refused.reason;
    return false;
  }
  if (refused) throw refusal(exchange, refused.reason, server, refused.call);
  exchange.decision = 'allow';
  return true;
}

/**
 * Refuses who has nothing at all on a server, by its name alone and before a byte of the body is read. An unknown server and
 * one that is forbidden look alike.
 */
export function requireReach(decide: Decide, exchange: Exchange, identity: Identity, server: string): void {
  const decision = decide(identity, { server, method: '' });
  if (decision.allow || (decision.reason !== 'server' && decision.reason !== 'no-scopes')) return;
  throw refusal(exchange, decision.reason, server);
}

/** The first call of a request that is not allowed now, and why. */
export function firstRefused(
  decide: Decide,
  identity: Identity,
  server: string,
  { messages }: AskedCall,
  allowedBy?: (scope: string) => void,
): { readonly reason: RefusalReason; readonly call: Call } | undefined {
  for (const { method, tool, prompt, resource, subscribes = [] } of messages)
    for (const call of [
      { server, method, tool, prompt, resource },
      ...subscribes.map((uri) => ({ server, method, resource: uri })),
    ]) {
      const decision = decide(identity, call);
      if (!decision.allow) return { reason: decision.reason, call };
      allowedBy?.(decision.scope);
    }
  return undefined;
}

function refusal(exchange: Exchange, reason: RefusalReason, server: string, call?: Call): Failure {
  exchange.decision = 'deny';
  exchange.reason = reason;
  if (reason === 'client-scope')
    return new Failure(
      'insufficient_scope',
      `You allowed this program only tools that read, so it cannot ${call ? inWords(call) : 'be used'} on '${server}'. Connect it again, and allow more.`,
    );
  return notAllowed(server, call);
}

/** The refusal of a call, or of everything on a server. Its name is the caller's own word: nothing here says whether it exists. */
export function notAllowed(server: string, call?: Call): Failure {
  return new Failure(
    'not_allowed',
    call
      ? `You are not allowed to ${inWords(call)} on '${server}'. Ask an administrator for a scope that grants it.`
      : `Server '${server}' does not exist, or you have no access to it. Ask an administrator for access.`,
  );
}

function inWords({ method, tool, prompt, resource }: Call): string {
  if (method === '$stream') return 'listen';
  if (method === '$end') return 'end a session';
  if (method === '$response') return 'respond to a request';
  const [kind, item] =
    tool !== undefined
      ? ['call the tool', tool]
      : prompt !== undefined
        ? ['use the prompt', prompt]
        : ['read the resource', resource];
  return item === undefined ? `use ${method.slice(0, 200)}` : `${kind} '${item.slice(0, 200)}'`;
}

/** A list method, where its answer has the items, and the call that an item stands for. */
interface List {
  readonly method: string;
  readonly member: string;
  readonly named: string;
  call(server: string, name: string): Call;
}

const read = (server: string, resource: string): Call => ({ server, method: 'resources/read', resource });

const lists: readonly List[] = [
  {
    ...{ method: 'tools/list', member: 'tools', named: 'name' },
    call: (server, tool) => ({ server, method: 'tools/call', tool }),
  },
  {
    ...{ method: 'prompts/list', member: 'prompts', named: 'name' },
    call: (server, prompt) => ({ server, method: 'prompts/get', prompt }),
  },
  { method: 'resources/list', member: 'resources', named: 'uri', call: read },
  { method: 'resources/directory/read', member: 'resources', named: 'uri', call: read },
  // Whoever may read what begins as the template does may read what it makes.
  { method: 'resources/templates/list', member: 'resourceTemplates', named: 'uriTemplate', call: read },
];

/**
 * The filter for an answer, by what the caller may call: on lists that were asked for, and on streams, where a list may
 * come by. None where nothing needs to be looked at.
 */
export function filterFor(
  { decide, rightsOf, lists: memory }: Rights,
  identity: Identity,
  { name: server, invalidTools }: Pick<Route, 'name' | 'invalidTools'>,
  asked: AskedCall,
  rewriteOther: RewriteEvent | undefined,
  limit: number,
  tasks?: Pick<TaskPassage, 'isList' | 'reword'>,
): Filter | undefined {
  // One object for all who are shown the same of this server.
  const rights = (): object => (invalidTools ? among(rightsOf(identity), invalidTools) : rightsOf(identity));
  const cuts = (rules: ListRules) => ({
    cut: (text: string) => memory.cut(rights(), server, text, rules),
    cutBytes: (body: Buffer) => memory.cutBytes(rights(), server, body, rules),
    recall: (pieces: readonly Buffer[], size: number) => memory.recall(rights(), server, pieces, size, rules),
  });
  const showsEvery = (list: List): boolean =>
    !(invalidTools && list.member === 'tools') && showsAll(decide, identity, server, list);
  const rulesOf = (shown: readonly List[]): ListRules =>
    listRules(decide, identity, server, shown, invalidTools ?? undefined);
  // A stream outlives the grants it began with, so there they are asked at each list.
  if (asked.messages[0].method === '$stream') {
    const all = (): boolean => lists.every(showsEvery);
    return streamFilter({
      ...cuts(rulesOf(lists)),
      ...{ limit, ids: [], rewriteOther, showsAll: all, reword: tasks?.reword },
    });
  }
  const partly = asksForList(asked) ? lists.filter((list) => asksFor(asked, list) && !showsEvery(list)) : [];
  if (partly.length === 0 && !tasks) return privateAnswer(asked);
  const showsEverything = partly.length === 0 && !tasks?.isList;
  return listFilter({
    ...cuts(rulesOf(partly)),
    ...{ limit, showsAll: () => showsEverything, reword: tasks?.reword },
    ids: asked.messages.flatMap(({ kind, id }) => (kind === 'request' && id !== null ? [id] : [])),
  });
}

const combined = new WeakMap<object, WeakMap<object, object>>();

/** One object for the same rights and the same tools that are no valid ones. */
function among(rights: object, invalid: object): object {
  const known = combined.get(rights) ?? new WeakMap<object, object>();
  combined.set(rights, known);
  const one = known.get(invalid) ?? {};
  known.set(invalid, one);
  return one;
}

const listMethods: ReadonlySet<string> = new Set(lists.map(({ method }) => method));

function asksForList({ messages }: AskedCall): boolean {
  return messages.some(({ method }) => listMethods.has(method));
}

function asksFor({ messages }: AskedCall, list: List): boolean {
  return messages.some(({ method }) => method === list.method);
}

/** What lists of a server show an identity: the items whose call would be allowed, but for what is no valid tool. */
function listRules(
  decide: Decide,
  identity: Identity,
  server: string,
  shown: readonly List[],
  invalidTools?: ReadonlySet<string>,
): ListRules {
  return new Map(
    shown.map(({ member, named, call }) => [
      member,
      {
        named,
        shows: (name: string) =>
          !(member === 'tools' && invalidTools?.has(name)) && decide(identity, call(server, name)).allow,
      },
    ]),
  );
}

function showsAll(decide: Decide, identity: Identity, server: string, { call }: List): boolean {
  // In scopes '*' stands for every one, so only a grant of every one allows a call of one with this name.
  return decide(identity, call(server, '*')).allow;
}
