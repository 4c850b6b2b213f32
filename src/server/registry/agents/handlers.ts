import type { AgentInfo, agentEndpoints } from '../../../contract/agents/agents.ts';
import { type Handlers, type Input, type Output, Reply } from '../../../contract/endpoint.ts';
import { nameOfPath } from '../../../contract/servers/servers.ts';
import type { Caller } from '../../access/caller.ts';
import type { Db } from '../../db/tables.ts';
import { Failure, invalidInput } from '../../failure/errors.ts';
import type { Identity } from '../../identity/identity.ts';
import type { OutboundPolicy } from '../../net/addresses.ts';
import { assertMatch, etagOf } from '../revision.ts';
import { select } from '../select.ts';
import { assertReachable, assertSamePath, forRecord, patched } from './change.ts';
import { readDescription, type Said } from './description.ts';
import { present, presentInList } from './present.ts';
import { type AgentRow, change, find, insert, listAgents, remove } from './store.ts';

/** What the registry of agents works with. */
export interface AgentsWorld {
  readonly db: Db;
  /** Which addresses an agent may be at. */
  readonly policy: OutboundPolicy;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  readonly newId: () => string;
}

type Who = Caller<Identity>;
type Table = typeof agentEndpoints;
type Answer = Reply<Output<Table['agents.get']>>;

/**
 * The functions behind the endpoints of agents. The permission of an endpoint is checked before they run; they decide only
 * what that cannot know: which agents a list shows, and which path a registration may take.
 */
export function agentHandlers(world: AgentsWorld): Handlers<Table, Who> {
  return {
    'agents.list': ({ query }, caller) => showAgents(world, query, caller),
    'agents.register': (input, caller) => register(world, input, caller),
    'agents.registerAt': (input, caller) => register(world, input, caller),
    'agents.get': async ({ params }, caller) => reply(await known(world, params.path), caller),
    async 'agents.card'({ params }) {
      const row = await known(world, params.path);
      return new Reply(row.card, { etag: etagOf(row) });
    },
    'agents.replace': ({ params, body, text = '', ifMatch }, caller) =>
      alter(world, { path: params.path, ifMatch }, (row) => readDescription(body, text, row.path), caller),
    'agents.patch': ({ params, body, ifMatch }, caller) =>
      alter(world, { path: params.path, ifMatch }, (row) => patched(row, body), caller),
    'agents.toggle'({ params, query, body }, caller) {
      const said = body?.enabled ?? (query.enabled && query.enabled === 'true');
      if (said === undefined) throw invalidInput([{ at: 'body.enabled', message: 'is required' }]);
      return toggle(world, params.path, said, caller);
    },
    async 'agents.remove'({ params, ifMatch }, caller) {
      const row = await known(world, params.path);
      assertMatch(row, ifMatch);
      await remove(world.db, row);
      caller.note({ before: forRecord(row), after: null });
      return undefined;
    },
  };
}

async function showAgents(
  { db }: AgentsWorld,
  asked: Input<Table['agents.list']>['query'],
  { access }: Who,
): Promise<Output<Table['agents.list']>> {
  const { limit, offset } = asked;
  const rows = (await listAgents(db)).filter(({ isEnabled }) => isEnabled || asked.enabled_only === 'false');
  const { page, total } = select(rows, asked, {
    listed: ({ path, notes, summary: { name, description, skills } }) => ({
      ...{ path, name, texts: [description, ...skills, ...notes.tags] },
    }),
    mayList: (name) => access.may('list_agents', name),
  });
  const agents: AgentInfo[] = page.map((row) => presentInList(row, access));
  const has_next = offset + limit < total;
  const can_register = access.may('publish_agent');
  return { agents, total_count: total, limit, offset, has_next, can_register };
}

async function register(
  world: AgentsWorld,
  { body, text = '' }: Pick<Input<Table['agents.register']>, 'body' | 'text'>,
  caller: Who,
): Promise<Answer> {
  const { path, description, isEnabled = false } = readDescription(body, text);
  if (!caller.access.may('publish_agent', nameOfPath(path)))
    throw new Failure(
      'not_allowed',
      `You may register agents, but not at '${path}'. Choose a path that your scopes name, or ask an administrator.`,
    );
  assertMayEnable(path, isEnabled, caller);
  assertReachable(description.card, world.policy);
  const registeredBy = caller.identity.username;
  const made = { id: world.newId(), path, description, isEnabled, registeredBy, at: at(world) };
  const row = await insert(world.db, made);
  caller.note({ before: null, after: forRecord(row) });
  return reply(row, caller);
}

/** Each part of a registration asks for its own permission. */
function assertMayEnable(path: string, isEnabled: boolean, { access }: Who): void {
  if (!isEnabled || access.may('modify_agent', nameOfPath(path))) return;
  throw new Failure(
    'not_allowed',
    `You may register an agent at '${path}', but not enable it (modify_agent). Register it disabled, and ask someone to enable it.`,
  );
}

async function alter(
  world: AgentsWorld,
  { path, ifMatch }: { path: string; ifMatch: string | undefined },
  next: (row: AgentRow) => Said,
  caller: Who,
): Promise<Answer> {
  const row = await known(world, path);
  assertMatch(row, ifMatch);
  const { path: wanted, description, isEnabled } = next(row);
  assertSamePath(row, wanted);
  assertReachable(description.card, world.policy);
  const changed = await change(world.db, row, { description, isEnabled, at: at(world) });
  caller.note({ before: forRecord(row), after: forRecord(changed) });
  return reply(changed, caller);
}

async function toggle(world: AgentsWorld, path: string, isEnabled: boolean, caller: Who): Promise<Answer> {
  const row = await known(world, path);
  const changed =
    row.isEnabled === isEnabled ? row : await change(world.db, row, { isEnabled, at: at(world) });
  caller.note({ before: { is_enabled: row.isEnabled }, after: { is_enabled: isEnabled } });
  return reply(changed, caller);
}

async function known({ db }: AgentsWorld, path: string): Promise<AgentRow> {
  const row = await find(db, path);
  // Word for word what the HTTP room says of an agent that the caller may not see: the two must look alike.
  if (!row)
    throw new Failure('not_found', `'${nameOfPath(path)}' does not exist, or you do not have access to it.`);
  return row;
}

function reply(row: AgentRow, { access }: Who): Answer {
  return new Reply(present(row, access), { etag: etagOf(row) });
}

function at(world: AgentsWorld): string {
  return new Date(world.now()).toISOString();
}
