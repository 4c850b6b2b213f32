import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { z } from 'zod';
import { type Endpoint, Reply } from '../../../contract/endpoint.ts';
import { endpoints } from '../../../contract/index.ts';
import { type Emulator, shippedTenant } from '../../../entra-emulator/main.ts';
import { accessOf } from '../../access/grants.ts';
import type { AuditEvent } from '../../audit/event.ts';
import { followed } from '../../changes/feed.test-support.ts';
import { partsOf } from '../../changes/record.ts';
import { type OpenDatabase, openMemory } from '../../db/open.ts';
import { Failure } from '../../failure/errors.ts';
import type { Directory } from '../../iam/directory.ts';
import { emulatedDirectory } from '../../iam/entra/directory/emulated.test-support.ts';
import type { Identity } from '../../identity/identity.ts';
import { deriveKey } from '../../identity/keys.ts';
import { groupHandlers } from '../groups/handlers.ts';
import { createJobEngine, type JobEngine } from '../jobs/engine.ts';
import { jobHandlers } from '../jobs/handlers.ts';
import { m2mClientHandlers } from '../m2m-clients/handlers.ts';
import { type Manages, rememberMade } from '../managed.ts';
import { scopeHandlers } from '../scopes/handlers.ts';
import { startScopes } from '../scopes/watch.ts';
import { userHandlers } from './handlers.ts';
import type { AccountCaller } from './world.ts';

const { groups, accounts } = shippedTenant;
/** Groups that a scope maps, besides the administrators': those of the shipped tenant, and of a pool. */
const mapped = [...Object.values(groups).filter((id) => id !== groups.admin), 'mcp-users'];
const scopeFile = (group: string): string => `
registry-admins: [{ server: "*", methods: [all], tools: [all] }]
readers: [{ server: a, methods: [ping] }]
group_mappings:
  ${group}: [registry-admins]
${mapped.map((one) => `  "${one}": [readers]`).join('\n')}
`;

type Id = keyof typeof endpoints;
type Answer<K extends Id> = z.output<(typeof endpoints)[K]['output']>;

/** The endpoints of accounts over a directory of the emulator. */
export interface AccountsTrial {
  readonly database: OpenDatabase;
  readonly directory: Directory;
  readonly events: AuditEvent[];
  readonly notes: Record<string, unknown>[];
  /** Subjects of people, and client ids, whose cached identity is dropped. */
  readonly forgotten: string[];
  /** The servers of connections that were deleted. */
  readonly ended: string[];
  readonly engine: JobEngine;
  call<K extends Id>(id: K, input?: object): Promise<Answer<K>>;
  refused(id: Id, input?: object): Promise<Failure>;
  /** Takes a person's account for one that was created here. */
  adopt(id: string): Promise<void>;
  /** A second process on the same database; the first takes no further step. */
  restart(directory?: Directory): Promise<AccountsTrial>;
  close(): Promise<void>;
}

/** Who calls, by a provider and as a member of what. */
export type Calling = Pick<Identity, 'username' | 'subject' | 'provider' | 'groups'>;

const alice: Calling = {
  ...{ username: accounts.admin.userPrincipalName, subject: accounts.admin.objectId },
  ...{ provider: 'entra', groups: [groups.admin] },
};

/** Starts one; the caller is alice, the administrator of the shipped tenant, unless somebody else is given. */
export async function startAccountsTrial(
  emulator: Pick<Emulator, 'clock'>,
  of: Directory = emulatedDirectory(emulator as Emulator).directory,
  calling: Calling = alice,
  manages: Manages = 'mapped',
): Promise<AccountsTrial> {
  const folder = mkdtempSync(join(tmpdir(), 'gateway-accounts-'));
  writeFileSync(join(folder, 'scopes.yml'), scopeFile(calling.groups[0] ?? ''));
  const database = await openMemory();
  const log = { info() {}, warn() {}, error() {} };
  const feed = await followed(database);
  const scopes = await startScopes({
    ...{ db: database.db, feed, file: join(folder, 'scopes.yml'), log, now: Date.now, after: () => () => {} },
  });
  const events: AuditEvent[] = [];
  const notes: Record<string, unknown>[] = [];
  const forgotten: string[] = [];
  const ended: string[] = [];
  feed.follow(['person', 'm2m_client'], ({ key }) => void forgotten.push(partsOf(key ?? '')[1] ?? ''));
  const identity = calling as Identity;
  const process = (directory: Directory): AccountsTrial => {
    const { db } = database;
    const now = emulator.clock.now;
    const pause = async (milliseconds: number): Promise<void> => {
      emulator.clock.advance(Math.min(milliseconds, 20_000));
      // An answer waits longer than any job here takes.
      if (milliseconds > 20_000) await new Promise(() => {});
    };
    const jobs = {
      ...{ db, now, directory, newId: randomUUID, pause, log, mostSecretDays: 180 },
      key: deriveKey('a-secret-for-tests', 'job-secret'),
      trail: { record: (event: AuditEvent) => void events.push(event) },
    };
    const engine = createJobEngine(jobs);
    const qualify = (_: string, groups: readonly string[]): readonly string[] => groups;
    const administrators = { db, grants: scopes.grants, qualify, manages };
    const scoped = {
      ...administrators,
      now,
      directory,
      scopes,
      groupsAreIds: directory?.provider === 'entra',
    };
    const handlers = {
      ...userHandlers({
        ...{ ...administrators, now, directory },
        connectionsEnded: (gone) => void ended.push(...gone.map(({ owner }) => owner.serverId)),
      }),
      ...jobHandlers({ ...jobs, ...administrators, engine }),
      ...scopeHandlers(scoped),
      ...groupHandlers(scoped),
      ...m2mClientHandlers({
        ...{ ...administrators, now, directory, providers: [of.provider, 'keycloak'] },
      }),
    } as unknown as Record<string, (input: unknown, caller: AccountCaller) => unknown>;
    const trial: AccountsTrial = {
      ...{ database, directory, events, notes, forgotten, engine, ended },
      async call<K extends Id>(id: K, given: object = {}) {
        const { params, query, body } = given as Record<string, unknown>;
        const endpoint: Endpoint = endpoints[id];
        const noted: Record<string, unknown> = {};
        notes.push(noted);
        const caller: AccountCaller = {
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
      async refused(id, input) {
        const error: unknown = await trial.call(id, input).then(
          (answer) => new Error(`it did not fail: ${JSON.stringify(answer)}`),
          (reason: unknown) => reason,
        );
        if (!(error instanceof Failure)) throw error;
        return error;
      },
      adopt: (id) =>
        rememberMade(db, { provider: of.provider, kind: 'person', id }, '', '2026-01-01T00:00:00.000Z'),
      async restart(next = of) {
        engine.close();
        // What a process held ends by itself soon after it died.
        await db.updateTable('leases').set({ expires_at: 0 }).execute();
        return process(next);
      },
      async close() {
        engine.close();
        await scopes.close();
        await feed.close();
        await database.close();
        rmSync(folder, { recursive: true, force: true });
      },
    };
    return trial;
  };
  return process(of);
}
