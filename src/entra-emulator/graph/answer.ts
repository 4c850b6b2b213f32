import { type Ask, jsonOf, type Reply } from '../exchange.ts';
import type { World } from '../world.ts';
import { answerBatch } from './batch.ts';
import type { Call, Operation } from './call.ts';
import { type Caller, readCaller } from './caller.ts';
import { badRequest, denied, failureReply, GraphFailure, missingFeature } from './failure.ts';
import { applicationOperations } from './objects/applications.ts';
import { assignmentOperations } from './objects/assignments.ts';
import { binOperations } from './objects/bin.ts';
import { groupOperations } from './objects/groups.ts';
import { memberOperations, membershipOperations } from './objects/membership.ts';
import { organizationOperations } from './objects/organization.ts';
import { servicePrincipalOperations } from './objects/service-principals.ts';
import { userOperations } from './objects/users.ts';
import { type Match, match, normalise } from './paths.ts';
import { parametersOf } from './published.ts';
import { readQuery } from './query.ts';

/** Everything the emulator's Graph does: its table of contents. */
export const operations: readonly Operation[] = [
  ...userOperations,
  ...groupOperations,
  ...memberOperations,
  ...membershipOperations,
  ...applicationOperations,
  ...servicePrincipalOperations,
  ...assignmentOperations,
  ...organizationOperations,
  ...binOperations,
];

/** Answers a Graph request; `path` is what comes after `/graph`. */
export async function graph(world: World, ask: Ask, path: string): Promise<Reply> {
  try {
    const [, version, rest = '/'] = /^\/(v1\.0|beta)(\/.*)?$/.exec(path) ?? [];
    if (version === 'beta') throw missingFeature('the beta version of Graph');
    if (!version) throw new GraphFailure(400, 'BadRequest', 'Invalid version');
    if (rest === '/$batch')
      return await answerBatch(world, ask, (inner, innerPath) => graph(world, inner, `/v1.0${innerPath}`));
    return await perform(world, ask, rest);
  } catch (error) {
    const failure = error instanceof URIError ? badRequest('The path is malformed.') : error;
    if (!(failure instanceof GraphFailure)) throw error;
    return failureReply(world, ask, failure);
  }
}

async function perform(world: World, ask: Ask, path: string): Promise<Reply> {
  const caller = await readCaller(world, ask);
  const address = normalise(path);
  if (address.isMe && !caller.user)
    throw new GraphFailure(
      400,
      'BadRequest',
      '/me request is only valid with delegated authentication flow.',
    );
  const segments = address.isMe ? ['users', caller.user?.id ?? '', ...address.segments] : address.segments;
  const found = match(operations, ask.method, segments);
  if (!found) throw nothingAt(ask.method, segments);
  const isSelf = segments[0] === 'users' && segments[1] === caller.user?.id;
  allow(caller, found, isSelf);
  const call: Call = {
    world,
    ask,
    caller,
    tenant: caller.tenant,
    names: found.names,
    path,
    cast: address.cast,
    isCountOnly: address.isCountOnly,
    query: readQuery(ask.url.searchParams, ask.headers.consistencylevel),
  };
  checkParameters(call, segments.at(-1) ?? '');
  return found.operation.run(call);
}

/** An action takes the parameters of its published signature and no others. */
function checkParameters({ ask }: Call, action: string): void {
  const known = ask.method === 'POST' ? parametersOf(action) : undefined;
  const unknown = known && Object.keys(jsonOf(ask) ?? {}).find((name) => !known.includes(name));
  if (unknown)
    throw badRequest(
      `The parameter '${unknown}' in the request payload is not a valid parameter for the operation '${action}'.`,
    );
}

/** Checks the permissions; a user's application can do no more than the user. */
function allow(caller: Caller, { operation }: Match, isSelf: boolean): void {
  const { permissions, user } = caller;
  const has = (list: readonly string[] = []) => list.some((permission) => permissions.has(permission));
  if (!user && !has(operation.application)) throw denied();
  if (!user || (isSelf && has(operation.self))) return;
  if (!has(operation.delegated)) throw denied();
  const changes = operation.method !== 'GET' && !operation.readsOnly;
  if (changes && !caller.isAdministrator) throw denied();
}

/** 501 for a known part of Graph that is missing here, 400 for a segment that Graph does not have, 405 for a wrong method. */
function nothingAt(method: string, segments: readonly string[]): GraphFailure {
  const [set = ''] = segments;
  const others = ['GET', 'POST', 'PATCH', 'DELETE'].filter(
    (other) => other !== method && match(operations, other, segments),
  );
  if (others.length)
    return new GraphFailure(
      405,
      'Request_BadRequest',
      'Specified HTTP method is not allowed for the request target.',
      {
        headers: { allow: others.join(', ') },
      },
    );
  if (!operations.some((operation) => operation.path.startsWith(`/${set}`)) && !/^[A-Za-z]+$/.test(set))
    return new GraphFailure(400, 'BadRequest', `Resource not found for the segment '${set}'.`);
  return missingFeature(`${method} /${segments.join('/')} of Graph`);
}
