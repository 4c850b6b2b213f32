import { afterAll, afterEach, beforeEach, expect, test } from 'vitest';
import { shippedTenant, startEmulator } from '../../../entra-emulator/main.ts';
import { openBrowser } from '../../../entra-emulator/testing/browser.ts';
import { adminGraph } from '../../../entra-emulator/testing/graph.ts';
import { authorizeUrl } from '../../../entra-emulator/testing/sign-in.ts';
import { Failure } from '../../failure/errors.ts';
import { emulatedDirectory } from '../../iam/entra/directory/emulated.test-support.ts';
import {
  directoryFaults,
  everyFault,
  faultyTransport,
  type Passage,
} from '../../iam/entra/directory/faults.test-support.ts';
import { type AccountsTrial, startAccountsTrial } from './accounts.test-support.ts';

const { accounts, groups } = shippedTenant;
const emulator = await startEmulator();
const faults = directoryFaults(emulator);
afterAll(() => emulator.close());
let trial: AccountsTrial | undefined;
beforeEach(() => emulator.reset());
afterEach(() => trial?.close());

type Outcome = { readonly answer?: unknown; readonly failure?: Failure };

interface Procedure {
  /** Makes the directory as the procedure finds it. */
  readonly given?: () => void;
  act(trial: AccountsTrial): Promise<unknown>;
  /** The requests when nothing goes wrong besides. */
  readonly requests: readonly string[];
  /** Holds what is in the directory and here against what was said. */
  judge(outcome: Outcome, trial: AccountsTrial): Promise<void>;
}

/** Runs something with a fault from request `at` on. */
async function run(of: Procedure, at: number, passage: Passage): Promise<Outcome & { sent: string[] }> {
  const { fetch, sent } = faultyTransport(() => at, passage);
  trial = await startAccountsTrial(emulator, emulatedDirectory(emulator, { fetch }).directory);
  of.given?.();
  const outcome = await of.act(trial).then(
    (answer) => ({ answer }),
    (failure: unknown) => {
      if (failure instanceof Failure && failure.code !== 'internal') return { failure };
      throw failure;
    },
  );
  emulator.faults.clear();
  return { ...outcome, sent };
}

/** The account of that name in the directory with the names of its groups; undefined when there is none. */
async function inDirectory(name: string): Promise<{ id: string; groups: string[] } | undefined> {
  const graph = await adminGraph(emulator);
  const { status, body } = await graph('GET', `/users/${name}`);
  if (status === 404) return undefined;
  const { body: list } = await graph('GET', `/users/${body.id}/memberOf`);
  return {
    id: body.id,
    groups: list.value.map(({ displayName }: { displayName: string }) => displayName).sort(),
  };
}

async function signsIn(name: string, password: string): Promise<boolean> {
  const form = { emulator_username: name, emulator_password: password };
  const answer = await openBrowser().post(authorizeUrl(emulator), form);
  return new URL(answer.headers.get('location') ?? 'http://nowhere').searchParams.has('code');
}

type Failed = readonly { readonly group: string; readonly reason: string }[];

/** What a failure or a reason has to say when it may have been done all the same. */
const unknown = /is not known/;

/** Groups that were not assigned or taken away for sure: only those may be told without a doubt. */
function surely(failed: Failed): string[] {
  return failed.flatMap(({ group, reason }) => (unknown.test(reason) ? [] : group));
}

const newt = {
  ...{ username: 'newt', email: 'newt@contoso.example', first_name: 'Newt', last_name: 'Contoso' },
  ...{ groups: ['mcp-test-users', 'mcp-test-developers'], must_change_password: false },
};
const newtName = 'newt@contoso.example';

async function judgeCreation({ answer, failure }: Outcome): Promise<void> {
  const there = await inDirectory(newtName);
  if (failure) {
    // What is left over has to be told.
    if (there) expect(failure.message).toMatch(/Removing it again failed|is not known/);
    else if (failure.message.includes('Removing it again failed')) expect(failure.message).toMatch(unknown);
    expect(failure.message.includes('was removed again') && there !== undefined).toBe(false);
    return;
  }
  type Made = { id: string; generated_password: string; groups: string[]; groups_failed: Failed };
  const made = answer as Made;
  expect(there).toMatchObject({ id: made.id });
  expect(await signsIn(newtName, made.generated_password)).toBe(true);
  expect(made.groups.length).toBeGreaterThan(0);
  expect([...made.groups, ...made.groups_failed.map(({ group }) => group)].sort()).toEqual(
    [...newt.groups].sort(),
  );
  expect(there?.groups).toEqual(expect.arrayContaining(made.groups));
  for (const group of surely(made.groups_failed)) expect(there?.groups).not.toContain(group);
}

const bob = accounts.user;
const wanted = ['mcp-test-developers', 'mcp-test-operators'];

async function judgeChange({ answer, failure }: Outcome, of: AccountsTrial): Promise<void> {
  const now = (await inDirectory(bob.userPrincipalName))?.groups ?? [];
  const isAsBefore = now.join() === 'mcp-test-users';
  const noted = of.notes.at(-1) ?? {};
  if (!isAsBefore) {
    expect(noted).toMatchObject({ before: ['mcp-test-users'], after: expect.any(Array) });
    expect(of.forgotten).toContain(bob.objectId);
  }
  if (failure) {
    if (!isAsBefore) expect(failure.message).toMatch(unknown);
    return;
  }
  type Changed = { groups: string[]; added: string[]; removed: string[]; groups_failed: Failed };
  const { groups: said, added, removed, groups_failed: failed } = answer as Changed;
  expect([...added, ...removed, ...failed.map(({ group }) => group)].sort()).toEqual(
    [...wanted, 'mcp-test-users'].sort(),
  );
  expect(now).toEqual(expect.arrayContaining(added));
  for (const group of removed) expect(now).not.toContain(group);
  for (const group of surely(failed)) expect(now.includes(group)).toBe(group === 'mcp-test-users');
  if (surely(failed).length === failed.length) expect([...said].sort()).toEqual(now);
  expect(noted).toMatchObject({ after: said });
}

async function judgeRemoval({ answer, failure }: Outcome, of: AccountsTrial): Promise<void> {
  const there = await inDirectory(bob.userPrincipalName);
  if (answer) expect(there).toBeUndefined();
  if (failure && !there) expect(failure.message).toMatch(unknown);
  if (there) return;
  expect(of.forgotten).toContain(bob.objectId);
  expect(of.notes.at(-1)).toMatchObject({ before: { id: bob.objectId } });
}

const token = `POST /${emulator.tenantId}/oauth2/v2.0/token`;
const members = (group: string) => `/groups/${group}/members`;
const graphBatch = 'POST /$batch';
const memberOf = (group: string) => `${members(group)}/${bob.objectId}/$ref`;
const creation = [
  ...[token, 'GET /groups', 'GET /groups', 'GET /organization', 'GET /users', 'GET /users', 'POST /users'],
  ...[`POST ${members(groups.users)}/$ref`, `POST ${members(groups.developers)}/$ref`],
];
const noGroupTakes = () => {
  for (const group of [groups.users, groups.developers])
    emulator.faults.add({ kind: 'status', status: 403, path: members(group) });
};

const procedures: Readonly<Record<string, Procedure>> = {
  'creation of a person': {
    act: (of) => of.call('users.createHuman', { body: newt }),
    requests: creation,
    judge: judgeCreation,
  },
  'creation of a person whom no group takes': {
    given: noGroupTakes,
    act: (of) => of.call('users.createHuman', { body: newt }),
    requests: [...creation, 'DELETE /users/{new}'],
    judge: judgeCreation,
  },
  'change of the groups of a person': {
    act: (of) =>
      of.call('users.groups', { params: { username: bob.userPrincipalName }, body: { groups: wanted } }),
    requests: [
      ...[token, 'GET /users', 'GET /groups', 'GET /groups', graphBatch],
      ...[`GET /groups/${groups.admin}`, `GET /groups/${groups.admin}/transitiveMembers`],
      ...[`POST ${members(groups.developers)}/$ref`, `POST ${members(groups.operators)}/$ref`],
      `DELETE ${memberOf(groups.users)}`,
    ],
    judge: judgeChange,
  },
  'deletion of a person': {
    async act(of) {
      await of.adopt(bob.objectId);
      return of.call('users.remove', { params: { username: bob.userPrincipalName } });
    },
    requests: [
      ...[
        token,
        'GET /users',
        `GET /groups/${groups.admin}`,
        `GET /groups/${groups.admin}/transitiveMembers`,
      ],
      `DELETE /users/${bob.objectId}`,
    ],
    judge: judgeRemoval,
  },
};

for (const [name, procedure] of Object.entries(procedures)) {
  test(`the ${name} takes these requests`, async () => {
    const { sent, ...outcome } = await run(procedure, Number.POSITIVE_INFINITY, (send) => send());
    const known = sent.map((request) =>
      request.replace(/\/users\/(?!acc00000)[0-9a-f-]{36}$/, '/users/{new}'),
    );
    expect(known).toEqual(procedure.requests);
    await procedure.judge(outcome, trial!);
  });
  test.each(everyFault(procedure.requests, faults))(`${name}: %s (%i) %s`, async (_, at, __, make) => {
    const outcome = await run(procedure, at, make());
    await procedure.judge(outcome, trial!);
  });
}
