import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { z } from 'zod';
import { type Endpoint, Reply } from '../../../contract/endpoint.ts';
import { endpoints } from '../../../contract/index.ts';
import type { Caller } from '../../access/caller.ts';
import { accessOf } from '../../access/grants.ts';
import { followed } from '../../changes/feed.test-support.ts';
import type { Feed } from '../../changes/feed.ts';
import { type OpenDatabase, openMemory } from '../../db/open.ts';
import { Failure, type FailureCode } from '../../failure/errors.ts';
import type { Capabilities, Directory, DirectoryGroup } from '../../iam/directory.ts';
import type { Identity } from '../../identity/identity.ts';
import { accessHandlers } from '../access/handlers.ts';
import { groupHandlers } from '../groups/handlers.ts';
import type { Virtual } from '../virtual-servers/table.ts';
import { scopeHandlers } from './handlers.ts';
import { type Scopes, startScopes } from './watch.ts';
import type { ScopesApiWorld } from './write.ts';

/** A scope file with an administrator's group `admins`, and a group `readers`. */
export const scopeFile = `
UI-Scopes: { registry-admins: { list_service: [all] } }
registry-admins: [{ server: "*", methods: [all], tools: [all] }]
readers: [{ server: currenttime, methods: [initialize, tools/list] }]
group_mappings: { admins: [registry-admins], readers: [readers] }
`;

/** A directory in memory whose steps fail when they are told to. */
export interface TrialDirectory extends Directory {
  readonly all: Map<string, DirectoryGroup>;
  /** Failures by step (`find`, `create`, `update`, `remove`, `list`); a step fails as long as it is here. */
  readonly failing: Map<string, FailureCode>;
  readonly told: string[];
  capabilitiesAre(change: Partial<Capabilities>): void;
}

/** Makes an empty directory; ids are GUIDs. */
export function trialDirectory(): TrialDirectory {
  const all = new Map<string, DirectoryGroup>();
  const failing = new Map<string, FailureCode>();
  const told: string[] = [];
  let may: Capabilities = {
    ...{ readUsers: true, writeUsers: true, readGroups: true, writeGroups: true },
    ...{ writeMemberships: true, writeServiceAccounts: true, writeServiceMemberships: true },
    ...{ assignRoles: true, missing: [] },
  };
  const step = async (name: string, what: string): Promise<void> => {
    told.push(`${name} ${what}`);
    const code = failing.get(name);
    if (code) throw new Failure(code, `The directory failed at ${name}.`);
  };
  const known = (id: string): DirectoryGroup => {
    const group = all.get(id);
    if (!group) throw new Failure('not_found', 'The directory has no such group.');
    return group;
  };
  return {
    ...{ provider: 'entra', all, failing, told },
    capabilities: async () => may,
    capabilitiesAre(change) {
      may = { ...may, ...change };
    },
    users: { list: async () => ({ items: [], next: null, total: 0 }), find: async () => undefined },
    memberships: { ofUsers: async (ids) => ids.map(() => []), people: async () => [] },
    groups: {
      async list({ limit, from }) {
        await step('list', from ?? '');
        const start = Number(from ?? 0);
        const items = [...all.values()].slice(start, start + limit);
        return { items, next: start + limit < all.size ? String(start + limit) : null, total: all.size };
      },
      async find(idOrName) {
        await step('find', idOrName);
        const named = [...all.values()].filter(
          ({ id, name }) => id === idOrName || name.toLowerCase() === idOrName.toLowerCase(),
        );
        if (named.length > 1)
          throw new Failure('conflict', `Several groups: ${named.map(({ id }) => id).join(', ')}.`);
        return named[0];
      },
      async create({ name, description }) {
        await step('create', name);
        const id = `00000000-0000-4000-8000-${String(all.size + 1).padStart(12, '0')}`;
        const group = { id, name, description, mapping: id, editable: true };
        all.set(id, group);
        return group;
      },
      async update(id, { description }) {
        await step('update', id);
        all.set(id, { ...known(id), description });
      },
      async remove(id) {
        await step('remove', id);
        all.delete(known(id).id);
      },
    },
  };
}

type Id = keyof typeof endpoints;
type Answer<K extends Id> = z.output<(typeof endpoints)[K]['output']>;

/** A registry of scopes on a database in memory and a real scope file. */
export interface Trial {
  readonly database: OpenDatabase;
  readonly scopes: Scopes;
  readonly feed: Feed;
  readonly directory: TrialDirectory;
  /** Virtual servers by their names in scopes. */
  readonly virtuals: Map<string, Virtual>;
  /** Everything that callers have had noted. */
  readonly notes: Record<string, unknown>[];
  /** Calls an endpoint as the HTTP room does: input and output held to its schemas. */
  call<K extends Id>(id: K, input?: object, groups?: readonly string[]): Promise<Answer<K>>;
  /** The code of the failure that a call ends with, and its message. */
  refused(id: Id, input?: object, groups?: readonly string[]): Promise<Failure>;
  held(...groups: string[]): readonly string[];
  close(): Promise<void>;
}

/** Starts one; callers are in the group `admins` unless others are given. */
export async function startTrial(more: Partial<ScopesApiWorld> = {}, text = scopeFile): Promise<Trial> {
  const folder = mkdtempSync(join(tmpdir(), 'gateway-scopes-'));
  const file = join(folder, 'scopes.yml');
  writeFileSync(file, text);
  const database = await openMemory();
  const log = { info() {}, warn() {}, error() {} };
  const now = () => Date.UTC(2026, 0, 1);
  const feed = await followed(database);
  const scopes = await startScopes({ db: database.db, feed, file, log, now, after: () => () => {} });
  const directory = trialDirectory();
  const world: ScopesApiWorld = {
    ...{ db: database.db, scopes, now, directory, groupsAreIds: true },
    ...{ grants: scopes.grants, qualify: (_: string, groups: readonly string[]) => groups },
    manages: 'mapped',
    ...more,
  };
  const virtuals = new Map<string, Virtual>();
  const handlers = {
    ...scopeHandlers(world),
    ...groupHandlers(world),
    ...accessHandlers({
      ...{ db: database.db, grants: scopes.grants, scopes },
      virtuals: { find: (name) => virtuals.get(name) },
    }),
  } as unknown as Record<string, (input: unknown, caller: Caller<Identity>) => unknown>;
  const notes: Record<string, unknown>[] = [];
  const trial: Trial = {
    ...{ database, scopes, feed, directory, notes, virtuals },
    async call<K extends Id>(id: K, given: object = {}, groups: readonly string[] = ['admins']) {
      const { params, query, body } = given as Record<string, unknown>;
      const endpoint: Endpoint = endpoints[id];
      const identity = { username: 'alice', provider: 'entra', groups } as unknown as Identity;
      const noted: Record<string, unknown> = {};
      notes.push(noted);
      const caller: Caller<Identity> = {
        ...{ identity, access: accessOf(identity, scopes.grants()), correlationId: 'c' },
        note: (detail) => void Object.assign(noted, detail),
      };
      const input = {
        params: endpoint.params?.parse(params),
        query: endpoint.query?.parse(query ?? {}),
        body: endpoint.body?.parse(body),
      };
      const answer = await Promise.resolve(handlers[id]?.(input, caller)).finally(feed.caughtUp);
      return endpoint.output.parse(answer instanceof Reply ? answer.body : answer) as Answer<K>;
    },
    async refused(id, input, groups) {
      const error: unknown = await trial.call(id, input, groups).then(
        (answer) => new Error(`it did not fail: ${JSON.stringify(answer)}`),
        (reason: unknown) => reason,
      );
      if (!(error instanceof Failure)) throw error;
      return error;
    },
    held: (...groups) => accessOf({ groups }, scopes.grants()).scopes,
    async close() {
      await scopes.close();
      await feed.close();
      await database.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
  return trial;
}
