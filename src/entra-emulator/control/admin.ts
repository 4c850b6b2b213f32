import type { JSONWebKeySet } from 'jose';
import { type Ask, isRecord, jsonOf, type Reply } from '../exchange.ts';
import type { KeyRoll } from '../keys/keyring.ts';
import type { Seed } from '../tenant/seed.ts';
import type { World } from '../world.ts';
import { faultKinds, faultProblem } from './fault-kinds.ts';
import type { Fault } from './faults.ts';
import { reset, restoreSnapshot, takeSnapshot } from './snapshot.ts';

type Control = (world: World, ask: Ask, seed: Seed, name: string) => Reply | Promise<Reply>;

/** The emulator's own controls, under `/_emulator/`. */
const controls: Record<string, Control> = {
  'GET faults': (world) => ({ status: 200, body: { faults: world.faults.list(), kinds: faultKinds } }),
  'POST faults': addFault,
  'DELETE faults': (world, _ask, _seed, id) => {
    if (id === '') world.faults.clear();
    else if (!world.faults.remove(id)) return problem(404, `There is no fault '${id}'.`);
    return { status: 204 };
  },
  'GET clock': (world) => ({ status: 200, body: clockOf(world) }),
  'POST clock': moveClock,
  'GET snapshot': (world) => ({
    status: 200,
    headers: { 'content-type': 'application/json; charset=utf-8' },
    body: takeSnapshot(world),
  }),
  'PUT snapshot': putSnapshot,
  'POST reset': (world, _ask, seed) => {
    reset(world, seed);
    return { status: 204 };
  },
  'PUT issuers': putIssuer,
};

/** Answers a control request. Pages of other sites are refused: a browser must not be talked into using them. */
export async function control(world: World, ask: Ask, seed: Seed, path: string): Promise<Reply> {
  const { origin } = ask.headers;
  if ((origin && origin !== world.origin) || ask.headers['sec-fetch-site'] === 'cross-site')
    return problem(403, 'The controls do not answer other sites.');
  const [verb = '', name = ''] = path.split('/');
  const key = `${ask.method} ${verb}`;
  const run = Object.hasOwn(controls, key) ? controls[key] : undefined;
  if (!run) return problem(404, `There is no control '${key}'. Known: ${Object.keys(controls).join(', ')}.`);
  return run(world, ask, seed, name);
}

function problem(status: number, message: string): Reply {
  return { status, body: { error: 'invalid_control', error_description: message } };
}

async function addFault(world: World, ask: Ask): Promise<Reply> {
  const fault = jsonOf(ask);
  const wrong = fault ? faultProblem(fault) : 'The body must be a JSON object.';
  if (!fault || wrong) return problem(400, wrong ?? '');
  if (fault.kind !== 'keyRoll') return { status: 201, body: world.faults.add(fault as Omit<Fault, 'id'>) };
  const { how } = fault;
  if (how !== 'normal' && how !== 'emergency' && how !== 'unpublished')
    return problem(400, "'how' must be normal, emergency or unpublished");
  await world.keys.roll(how satisfies KeyRoll);
  return { status: 201, body: { kind: 'keyRoll', how } };
}

function clockOf(world: World) {
  return { now: new Date(world.clock.now()).toISOString() };
}

function moveClock(world: World, ask: Ask): Reply {
  const { advanceSeconds, now } = jsonOf(ask) ?? {};
  if (typeof advanceSeconds === 'number' && Math.abs(advanceSeconds) < 1e10)
    world.clock.advance(advanceSeconds * 1000);
  else if (typeof now === 'string' && !Number.isNaN(Date.parse(now))) world.clock.set(Date.parse(now));
  else return problem(400, "Send 'advanceSeconds' (a number) or 'now' (a date).");
  return { status: 200, body: clockOf(world) };
}

function putSnapshot(world: World, ask: Ask): Reply {
  try {
    restoreSnapshot(world, ask.body);
    return { status: 204 };
  } catch (error) {
    return problem(400, error instanceof Error ? error.message : 'This is not a snapshot.');
  }
}

function putIssuer(world: World, ask: Ask): Reply {
  const { issuer, jwks } = jsonOf(ask) ?? {};
  if (typeof issuer !== 'string' || !isRecord(jwks) || !Array.isArray(jwks.keys))
    return problem(400, "Send 'issuer' and 'jwks' with its 'keys'.");
  world.trustedIssuers.set(issuer, jwks as unknown as JSONWebKeySet);
  return { status: 204 };
}
