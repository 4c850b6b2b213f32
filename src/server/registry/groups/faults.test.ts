import { sql } from 'kysely';
import { afterAll, afterEach, beforeEach, expect, test } from 'vitest';
import { startEmulator } from '../../../entra-emulator/main.ts';
import { adminGraph } from '../../../entra-emulator/testing/graph.ts';
import { isPostgres } from '../../db/dialect.ts';
import { Failure } from '../../failure/errors.ts';
import { emulatedDirectory } from '../../iam/entra/directory/emulated.test-support.ts';
import {
  directoryFaults,
  everyFault,
  faultyTransport,
  type Passage,
} from '../../iam/entra/directory/faults.test-support.ts';
import { startTrial, type Trial } from '../scopes/scopes.test-support.ts';

const emulator = await startEmulator();
const faults = directoryFaults(emulator);
afterAll(() => emulator.close());
let trial: Trial | undefined;
beforeEach(() => emulator.reset());
afterEach(() => trial?.close());

type Outcome = { readonly answer?: unknown; readonly failure?: Failure };

interface Procedure {
  /** What is done while nothing goes wrong yet. */
  readonly given?: (trial: Trial) => Promise<unknown>;
  act(trial: Trial): Promise<unknown>;
  readonly requests: readonly string[];
  judge(outcome: Outcome, trial: Trial): Promise<void>;
}

const unknown = /is not known/;
const scope_config = { create_in_idp: true, group_mappings: [] };
const body = { name: 'newcomers', description: 'Just here', scope_config };
const create = (of: Trial) => of.call('groups.create', { body });
const remove = (of: Trial) => of.call('groups.remove', { params: { name: 'newcomers' } });

/** Makes the database refuse scopes, as a full disk would. */
const breakDatabase = ({ database: { db } }: Trial) =>
  isPostgres(db)
    ? sql`alter table scopes add constraint full_disk check (source <> 'api') not valid`.execute(db)
    : sql`create trigger full before insert on scopes when new.source = 'api'
        begin select raise(abort, 'the disk is full'); end`.execute(db);

async function inDirectory(): Promise<string[]> {
  const graph = await adminGraph(emulator);
  const { body: list } = await graph('GET', "/groups?$filter=displayName eq 'newcomers'");
  return list.value.map(({ id }: { id: string }) => id);
}

/** The scope as the registry has it; undefined when there is none. */
const here = (of: Trial) =>
  of.call('groups.get', { params: { name: 'newcomers' } }).catch((error: unknown) => {
    if (error instanceof Failure && error.code === 'not_found') return undefined;
    throw error;
  });

async function judgeCreation({ answer, failure }: Outcome, of: Trial): Promise<void> {
  const [there, scope] = [await inDirectory(), await here(of)];
  expect(there.length).toBeLessThanOrEqual(1);
  if (answer) expect(scope).toMatchObject({ id: there[0], group_mappings: there, is_idp_managed: true });
  if (!failure) return;
  expect(scope).toBeUndefined();
  if (there.length > 0) expect(failure.message).toMatch(/Removing it again failed|is not known/);
  else if (failure.message.includes('Removing it again failed')) expect(failure.message).toMatch(unknown);
  expect(failure.message.includes('was removed again') && there.length > 0).toBe(false);
}

async function judgeRemoval({ answer, failure }: Outcome, of: Trial): Promise<void> {
  const [there, scope] = [await inDirectory(), await here(of)];
  if (answer) {
    expect(answer).toMatchObject({ deleted: true, idp_deleted: there.length === 0 });
    expect(scope).toBeUndefined();
  }
  if (!failure) return;
  // What was not said to be done has to be there still, so that it can be repeated.
  expect(scope).toBeDefined();
  if (there.length === 0) expect(failure.message).toMatch(unknown);
  expect(await remove(of)).toMatchObject({ deleted: true });
  expect(await inDirectory()).toEqual([]);
}

const token = `POST /${emulator.tenantId}/oauth2/v2.0/token`;
const creation = [token, 'GET /groups', 'GET /groups', 'PATCH /groups(uniqueName={key})'];

const procedures: Readonly<Record<string, Procedure>> = {
  'creation of a group': { act: create, requests: creation, judge: judgeCreation },
  'creation of a group that the registry cannot keep': {
    given: breakDatabase,
    act: create,
    requests: [...creation, 'DELETE /groups/{id}'],
    judge: judgeCreation,
  },
  'deletion of a group': {
    given: create,
    act: remove,
    requests: ['GET /groups/{id}', 'GET /groups/{id}/transitiveMembers', 'DELETE /groups/{id}'],
    judge: judgeRemoval,
  },
};

/** Runs something with a fault from request `at` on, of those after what was given. */
async function run(of: Procedure, at: number, passage: Passage): Promise<Outcome & { sent: string[] }> {
  let begin = Number.POSITIVE_INFINITY;
  const { fetch, sent } = faultyTransport(() => begin, passage);
  trial = await startTrial({ directory: emulatedDirectory(emulator, { fetch }).directory });
  await of.given?.(trial);
  const before = sent.length;
  begin = before + at;
  const outcome = await of.act(trial).then(
    (answer) => ({ answer }),
    (failure: unknown) => (failure instanceof Failure ? { failure } : Promise.reject(failure)),
  );
  emulator.faults.clear();
  begin = Number.POSITIVE_INFINITY;
  return { ...outcome, sent: sent.slice(before) };
}

for (const [name, procedure] of Object.entries(procedures)) {
  test(`the ${name} takes these requests`, async () => {
    const { sent, ...outcome } = await run(procedure, Number.POSITIVE_INFINITY, (send) => send());
    const known = sent.map((request) =>
      request
        .replace(/\(uniqueName=.*\)$/, '(uniqueName={key})')
        .replace(/\/groups\/[0-9a-f-]{36}(?=$|\/transitiveMembers$)/, '/groups/{id}'),
    );
    expect(known).toEqual(procedure.requests);
    await procedure.judge(outcome, trial!);
  });
  test.each(everyFault(procedure.requests, faults))(`${name}: %s (%i) %s`, async (_, at, __, make) => {
    const outcome = await run(procedure, at, make());
    await procedure.judge(outcome, trial!);
  });
}
