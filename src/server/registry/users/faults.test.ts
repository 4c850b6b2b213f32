import { afterAll, afterEach, beforeEach, expect, test } from 'vitest';
import { shippedTenant, startEmulator } from '../../../entra-emulator/main.ts';
import { openBrowser } from '../../../entra-emulator/testing/browser.ts';
import { adminGraph } from '../../../entra-emulator/testing/graph.ts';
import { authorizeUrl } from '../../../entra-emulator/testing/sign-in.ts';
import { Failure } from '../../errors.ts';
import { emulatedDirectory } from '../../iam/entra/directory/emulated.test-support.ts';
import type { Fetch } from '../../outbound.ts';
import { type AccountsTrial, startAccountsTrial } from './accounts.test-support.ts';

const { groups } = shippedTenant;
const emulator = await startEmulator();
afterAll(() => emulator.close());
let trial: AccountsTrial | undefined;
beforeEach(() => emulator.reset());
afterEach(() => trial?.close());

/** One request on its way: to be sent on, lost, or answered otherwise. */
type Passage = (send: () => Promise<Response>, path: string) => Promise<Response>;
const lost = (): never => {
  throw new TypeError('fetch failed');
};
const once =
  (passage: Passage): (() => Passage) =>
  () => {
    let isOver = false;
    return (send, path) => {
      if (isOver) return send();
      isOver = true;
      return passage(send, path);
    };
  };
const unavailable = () =>
  Response.json({ error: { code: 'InternalServerError', message: '' } }, { status: 500 });

/** What may happen to a request and, where it is no single mishap, to those after it. */
const faults: Readonly<Record<string, () => Passage>> = {
  'is refused once with 500': once((send, path) => {
    emulator.faults.add({ kind: 'status', status: 500, path, times: 1 });
    return send();
  }),
  'is refused once with 503': once((send, path) => {
    emulator.faults.add({ kind: 'status', status: 503, path, times: 1 });
    return send();
  }),
  'is throttled once': once((send, path) => {
    emulator.faults.add({ kind: 'throttle', retryAfterSeconds: 2, path, times: 1 });
    return send();
  }),
  'does not arrive': once(async () => lost()),
  'is done, but its answer is lost': once(async (send) => {
    await send();
    return lost();
  }),
  'is done, but answered with 500': once(async (send) => {
    await send();
    return unavailable();
  }),
  'is refused with 500 for good': () => (send, path) => {
    if (!emulator.faults.list().some((fault) => fault.path === path))
      emulator.faults.add({ kind: 'status', status: 500, path });
    return send();
  },
  'does not arrive, nor does any after it': () => async () => lost(),
  'is the last that arrives, and its answer is lost': () => {
    let isOver = false;
    return async (send) => {
      if (!isOver) await send();
      isOver = true;
      return lost();
    };
  },
};

/** Sends everything on but what is from the request `at` (from 0) on; tells what was sent. */
function transport(at: number, passage: Passage): { fetch: Fetch; sent: string[] } {
  const sent: string[] = [];
  return {
    sent,
    fetch: (url, init) => {
      const { pathname } = new URL(String(url));
      const send = () => fetch(url, init);
      const nth = sent.push(`${init?.method ?? 'GET'} ${pathname.replace(/^\/graph\/v1\.0/, '')}`) - 1;
      return nth < at ? send() : passage(send, pathname);
    },
  };
}

type Outcome = { readonly answer?: unknown; readonly failure?: Failure };

/** Runs something with a fault from request `at` on. */
async function run(of: Procedure, at: number, passage: Passage): Promise<Outcome & { sent: string[] }> {
  const { fetch, sent } = transport(at, passage);
  trial = await startAccountsTrial(emulator, emulatedDirectory(emulator, { fetch }).directory);
  await of.given?.(trial);
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

interface Procedure {
  readonly given?: (trial: AccountsTrial) => unknown;
  act(trial: AccountsTrial): Promise<unknown>;
  /** The requests when all goes well. */
  readonly requests: readonly string[];
  /** Holds what is in the directory and here against what was said. */
  judge(outcome: Outcome, trial: AccountsTrial): Promise<void>;
}

const newt = {
  ...{ username: 'newt', email: 'newt@contoso.example', first_name: 'Newt', last_name: 'Contoso' },
  ...{ groups: ['mcp-test-users', 'mcp-test-developers'], must_change_password: false },
};
const newtName = 'newt@contoso.example';

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

async function judgeCreation({ answer, failure }: Outcome): Promise<void> {
  const there = await inDirectory(newtName);
  if (failure) {
    // What is left over has to be told.
    if (there) expect(failure.message).toMatch(/could not be removed again|is not known/);
    expect(failure.message.includes('was removed again')).toBe(false);
    return;
  }
  const made = answer as {
    id: string;
    generated_password: string;
    groups: string[];
    groups_failed: object[];
  };
  expect(there).toMatchObject({ id: made.id });
  expect(await signsIn(newtName, made.generated_password)).toBe(true);
  expect(there?.groups).toEqual(expect.arrayContaining(made.groups));
  expect(made.groups.length + made.groups_failed.length).toBe(2);
  if (made.groups_failed.length === 0) expect(there?.groups).toEqual([...made.groups].sort());
}

const users = `/groups/${groups.users}`;
const developers = `/groups/${groups.developers}`;
const token = `POST /${emulator.tenantId}/oauth2/v2.0/token`;

const procedures: Readonly<Record<string, Procedure>> = {
  'creation of a person': {
    act: (of) => of.call('users.createHuman', { body: newt }),
    requests: [
      ...[token, 'GET /groups', 'GET /groups', 'GET /organization', 'GET /users', 'GET /users'],
      ...['POST /users', `POST ${users}/members/$ref`, `POST ${developers}/members/$ref`],
    ],
    judge: judgeCreation,
  },
};

for (const [name, procedure] of Object.entries(procedures)) {
  test(`the ${name} takes these requests`, async () => {
    const { sent, answer } = await run(procedure, Number.POSITIVE_INFINITY, (send) => send());
    expect(sent).toEqual(procedure.requests);
    expect(answer).toBeDefined();
    await procedure.judge({ answer }, trial!);
  });
  const rows = procedure.requests.flatMap((request, at) =>
    Object.entries(faults).map(([fault, make]) => [request, at, fault, make] as const),
  );
  test.each(rows)(`${name}: %s (%i) %s`, async (_, at, __, make) => {
    const outcome = await run(procedure, at, make());
    await procedure.judge(outcome, trial!);
  });
}
