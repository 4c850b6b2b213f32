import { createHash, randomUUID } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import { Failure } from '../../failure/errors.ts';
import { JsonRefusal, JsonScan } from '../../http/request/json-scan.ts';
import type { Exchange } from '../exchange.ts';
import { applied, type Edit, prune } from '../lists/prune.ts';
import { type AskedCall, invalidParams } from '../read/read-call.ts';
import { createSeals } from './seals.ts';
import type { SessionPlace } from './sessions.ts';

/**
 * Tasks of servers (MCP 2025-11-25 "Tasks", and the extension `io.modelcontextprotocol/tasks` of 2026-07-28). To a server all
 * callers may look like one, so clients get the server's id of a task sealed for whoever made it: what is somebody
 * else's, another server's or made up is unknown, in every process with the same keys.
 */
export interface Tasks {
  /** How one request, and what comes back for it, is changed; undefined where it has nothing to do with tasks. */
  of(place: SessionPlace, asked: AskedCall, body: Buffer | null): TaskPassage | undefined;
  close(): void;
}

/** One request and its answers. */
export interface TaskPassage {
  /** The body with the server's ids in place of the client's, and so the name that `Mcp-Name` repeats. */
  opened(exchange: Exchange, body: Buffer): { readonly body: Buffer; readonly name: string | undefined };
  /** Whether exactly one known shape may pass, because tasks were asked for. */
  readonly isList: boolean;
  /** A message of the server with the client's ids in it; undefined when nothing changes, empty when it must not pass. */
  reword(text: string): string | undefined;
}

/** Which tasks all processes know as somebody's, by name: SHA-256 of the id that its maker has. */
export interface TaskNotes {
  /** Tells the others of one. */
  note(task: string): void;
  /** Calls back for each that is known, of the past too; returns how to stop that. */
  follow(listener: (task: string) => void): () => void;
}

/** How many tasks a process knows as somebody's, for lists of them and for what is said of them unasked. */
export const tasksKnownAtMost = 20_000;
const limits = { depth: 200, members: 2_000_000 };
const related = 'io.modelcontextprotocol/related-task';

/** Seals with the first key, opens with all. */
export function createTasks(keys: readonly [Buffer, ...Buffer[]], notes?: TaskNotes): Tasks {
  const seals = createSeals(keys, 'always the same');
  // A sealed id is of one task and one holder alone.
  const known = new LRUCache<string, true>({ max: tasksKnownAtMost });
  const nameOf = (id: string): string => createHash('sha256').update(id).digest('base64url');
  const close = notes?.follow((task) => known.set(task, true));
  const note = (id: string): void => {
    const task = nameOf(id);
    if (!known.has(task)) notes?.note(task);
    known.set(task, true);
  };
  return {
    close: () => close?.(),
    of({ serverId, origin, holder }, asked, body) {
      const kind = kindOf(asked, body);
      if (!kind) return undefined;
      const whose = ['task', serverId, origin, holder];
      const sealed = (id: string): string => seals.seal(id, whose);
      const isKnown = (id: string): boolean => known.has(nameOf(sealed(id)));
      const open = (id: string): string | undefined => {
        const own = seals.open(id, whose);
        if (own !== undefined) note(id);
        return own;
      };
      return {
        isList: kind === 'list',
        opened: (exchange, bytes) => opened(exchange, asked, bytes, open),
        reword(text) {
          if (kind !== 'list' && !text.includes('askId')) return undefined;
          const rules = new Map([['tasks', { named: 'taskId', shows: isKnown }]]);
          const own = kind === 'list' || text.includes('"tasks"') ? prune(text, rules) : undefined;
          const said = spotsIn(own ?? text);
          // A server that cannot tell its callers apart tells each of the tasks of all.
          if (said.some(({ where, id }) => where === 'notice' && !isKnown(id))) return '';
          const edits = said.flatMap(({ where, id, start, end }): Edit[] => {
            if (!['answer', 'made', 'listed'].includes(where) && !isKnown(id)) return [];
            const ours = sealed(id);
            note(ours);
            return [{ start, end, text: JSON.stringify(ours) }];
          });
          return edits.length === 0 ? own : applied(own ?? text, edits);
        },
      };
    },
  };
}

/** What a request has to do with tasks. */
function kindOf({ messages }: AskedCall, body: Buffer | null): 'list' | 'other' | undefined {
  let kind: 'list' | 'other' | undefined;
  for (const { method, asksForTask, kind: sort } of messages) {
    if (method === 'tasks/list') return 'list';
    if (
      asksForTask ||
      method === '$stream' ||
      method === 'subscriptions/listen' ||
      method.startsWith('tasks/')
    )
      kind = 'other';
    else if (sort !== 'request' && body?.includes('related-task')) kind = 'other';
  }
  return kind;
}

function opened(
  exchange: Exchange,
  asked: AskedCall,
  body: Buffer,
  open: (id: string) => string | undefined,
) {
  const text = body.toString('utf8');
  const edits: Edit[] = [];
  let name: string | undefined;
  for (const { where, id, start, end } of spotsIn(text)) {
    let own = open(id);
    // What nobody's task is called: the server says of it what it says of a task, or of tasks at all, that it does not know.
    if (own === undefined && where === 'asked') own = denied(exchange, `none-${randomUUID()}`);
    if (own !== undefined) edits.push({ start, end, text: JSON.stringify(own) });
    // A client has tasks, too, and messages about these name it in the same place.
    else if (where === 'listened') throw unknownTask(exchange);
    if (where === 'asked') name = own;
  }
  return {
    body: edits.length === 0 ? body : Buffer.from(applied(text, edits), 'utf8'),
    name: asked.batch ? undefined : name,
  };
}

function denied(exchange: Exchange, id: string): string {
  exchange.decision = 'deny';
  exchange.reason = 'task';
  return id;
}

/** The same for a task of somebody else and for none: as an error of the call, because a 404 ends a session. */
function unknownTask(exchange: Exchange): Failure {
  denied(exchange, '');
  exchange.rpcCode = invalidParams;
  return new Failure('not_allowed', 'You have no such task at this server.');
}

/** The id of a task in a message, and what it is there for. */
interface Spot {
  readonly where: 'asked' | 'listened' | 'notice' | 'related' | 'answer' | 'made' | 'listed';
  readonly id: string;
  readonly start: number;
  readonly end: number;
}

/** Whether a client says of what stands there that it is a task of its own at the server. */
function isClients(where: Spot['where']): boolean {
  return where === 'asked' || where === 'listened';
}

type Visit = (at: number, depth: number) => number;

/** All ids of tasks in a message or a batch, where the protocol has them; none in what is no JSON. */
function spotsIn(text: string): readonly Spot[] {
  const scan = new JsonScan(text, limits);
  const spots: Spot[] = [];
  const spot =
    (where: Spot['where'], into = spots): Visit =>
    (start, depth) => {
      const end = scan.value(start, depth);
      const id = text.charAt(start) === '"' ? scan.textOf(start, end) : undefined;
      // What is no text is nobody's task, but some server may take it for one.
      if (id !== undefined || isClients(where)) into.push({ where, id: id ?? '', start, end });
      return end;
    };
  const object =
    (members: Readonly<Record<string, Visit>>): Visit =>
    (at, depth) => {
      if (text.charAt(at) !== '{') return scan.value(at, depth);
      return scan.object(at, depth, (name, value) => {
        const visit = Object.hasOwn(members, name) ? members[name] : undefined;
        return visit ? visit(value, depth + 1) : scan.value(value, depth + 1);
      });
    };
  const each =
    (visit: Visit): Visit =>
    (at, depth) =>
      text.charAt(at) === '[' ? scan.array(at, depth, (one) => visit(one, depth + 1)) : visit(at, depth);
  const meta = object({ [related]: object({ taskId: spot('related') }) });
  /** A task has a status besides its id; results of other kinds may have a member of that name. */
  const result: Visit = (at, depth) => {
    const answer: Spot[] = [];
    let isTask = false;
    const end = object({
      taskId: spot('answer', answer),
      status(start, inside) {
        isTask = text.charAt(start) === '"';
        return scan.value(start, inside);
      },
      task: object({ taskId: spot('made') }),
      tasks: each(object({ taskId: spot('listed') })),
      _meta: meta,
    })(at, depth);
    if (isTask) spots.push(...answer);
    return end;
  };
  const message: Visit = (at, depth) => {
    let method = '';
    const inParams: Spot[] = [];
    const end = object({
      method(start, inside) {
        const behind = scan.value(start, inside);
        if (text.charAt(start) === '"') method = scan.textOf(start, behind);
        return behind;
      },
      params: object({
        taskId: spot('asked', inParams),
        notifications: object({ taskIds: each(spot('listened')) }),
        _meta: meta,
      }),
      result,
    })(at, depth);
    // Other methods may have a parameter of that name for something else.
    for (const one of inParams)
      if (method.startsWith('tasks/')) spots.push(one);
      else if (method.startsWith('notifications/tasks')) spots.push({ ...one, where: 'notice' });
    return end;
  };
  try {
    const start = scan.space(0);
    scan.end(text.charAt(start) === '[' ? each(message)(start, 0) : message(start, 0));
    return spots;
  } catch (error) {
    if (error instanceof JsonRefusal) return [];
    throw error;
  }
}
