import { randomInt } from 'node:crypto';
import type { Input, Output } from '../../../contract/endpoint.ts';
import type { userEndpoints } from '../../../contract/people/users.ts';
import { asFailure, Failure } from '../../failure/errors.ts';
import type { Directory, DirectoryUser } from '../../iam/directory.ts';
import { notedPower } from '../administrators.ts';
import { assertManagesGroups, forgetMade, rememberMade } from '../managed.ts';
import { present } from './present.ts';
import { wantedGroups, withEach } from './wanted-groups.ts';
import { type AccountCaller, needAbility, needDirectory, type UsersWorld } from './world.ts';

/** Without the letters and digits that are taken for each other. */
const kinds = ['abcdefghijkmnpqrstuvwxyz', 'ABCDEFGHJKLMNPQRSTUVWXYZ', '23456789', '-_.+=%'];
const length = 20;

/** A password of 20 characters with some of each kind that directories ask for: lower, upper, digits, signs. */
function newPassword(): string {
  const all = kinds.join('');
  const characters = Array.from({ length }, (_, at) => oneOf(kinds[at] ?? all));
  // Fisher and Yates, so that the kinds stand anywhere.
  for (let at = length - 1; at > 0; at -= 1) {
    const other = randomInt(at + 1);
    [characters[at], characters[other]] = [characters[other] ?? '', characters[at] ?? ''];
  }
  return characters.join('');
}

function oneOf(characters: string): string {
  return characters.charAt(randomInt(characters.length));
}

type Endpoint = (typeof userEndpoints)['users.createHuman'];

/**
 * Creates a person's account and puts it into groups. Every group is looked up before. An account that got into none of them
 * is removed again; one that got into some stays, and the answer says into which it did not.
 */
export async function createHuman(
  world: UsersWorld,
  body: Input<Endpoint>['body'],
  caller: AccountCaller,
): Promise<Output<Endpoint>> {
  const directory = needDirectory(world);
  const { users, memberships } = directory;
  await needAbility(directory, 'writeUsers', 'create users');
  await needAbility(directory, 'writeMemberships', 'put users into groups');
  const { create } = users;
  const { add } = memberships;
  if (!create || !add) throw unsupported(directory);
  const wanted = await wantedGroups(directory, body.groups);
  await assertManagesGroups(world, directory, wanted);
  const generated = body.password === undefined ? newPassword() : null;
  const { username, email, must_change_password: mustChangePassword } = body;
  const user = await create({
    ...{ username, email, mustChangePassword },
    firstName: body.firstname ?? body.first_name ?? '',
    lastName: body.lastname ?? body.last_name ?? '',
    password: body.password ?? generated ?? '',
  });
  const made = { provider: directory.provider, kind: 'person', id: user.id } as const;
  await rememberMade(world.db, made, caller.identity.username, new Date(world.now()).toISOString());
  const { done, failed, failure } = await withEach(wanted, ({ id }) => add(id, user.id));
  const groups = done.map(({ group }) => group);
  if (done.length === 0 && failure) throw await undone(world, directory, user, failure, caller);
  const mapped = world.qualify(
    directory.provider,
    groups.map(({ mapping }) => mapping),
  );
  caller.note({
    ...{ before: null, after: { ...present(user, groups) }, groups_failed: failed },
    ...notedPower(world, [], mapped),
  });
  return {
    ...present(user, groups),
    groups_assigned: done.map(({ asked }) => asked),
    groups_failed: [...failed],
    generated_password: generated,
    must_change_password: mustChangePassword,
  };
}

async function undone(
  { db }: UsersWorld,
  directory: Directory,
  { id, username }: DirectoryUser,
  failure: Failure,
  caller: AccountCaller,
): Promise<Failure> {
  const { users } = directory;
  const left = await (users.remove?.(id, { isNew: true }) ?? Promise.reject(unsupported(directory))).then(
    () => undefined,
    asFailure,
  );
  if (!left) await forgetMade(db, { provider: directory.provider, kind: 'person', id });
  caller.note({ user_id: id, compensated: left === undefined });
  const rest = left
    ? `The account '${username}' (${id}) was made and is in none of the groups. Removing it again failed: ${left.message} Assign its groups, or delete it if it is there.`
    : `The account '${username}' could be put into none of the groups and was removed again; nothing has changed.`;
  return new Failure(failure.code, `${failure.message} ${rest}`, { cause: failure });
}

/** The refusal of what the provider's directory has no way to do. */
export function unsupported({ provider }: Directory): Failure {
  return new Failure('directory_refused', `The gateway cannot do this in ${provider}; use its own portal.`);
}
