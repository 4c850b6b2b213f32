import { randomUUID } from 'node:crypto';

/** A user of the emulated pool. */
export interface PoolUser {
  readonly Username: string;
  readonly attributes: Map<string, string>;
  Enabled: boolean;
  UserStatus: 'FORCE_CHANGE_PASSWORD' | 'CONFIRMED';
  password: string;
  readonly groups: Set<string>;
}

/** A group of the emulated pool. */
export interface PoolGroup {
  readonly GroupName: string;
  Description?: string;
  RoleArn?: string;
  Precedence?: number;
}

/** What the pool was made with. */
export interface PoolShape {
  readonly usernameAttributes?: readonly string[];
  readonly required?: readonly string[];
}

/** Everything in the pool; names differ in more than case, as in pools that are made today. */
export interface PoolState {
  readonly id: string;
  readonly shape: PoolShape;
  readonly users: Map<string, PoolUser>;
  readonly groups: Map<string, PoolGroup>;
  /** Tokens of pages, each with where it goes on and what it was given for. */
  readonly tokens: Map<string, { readonly at: number; readonly of: string }>;
}

/** An error as the API answers it. */
export class PoolError extends Error {
  readonly status: number;
  constructor(name: string, message: string, status = 400) {
    super(message);
    this.name = name;
    this.status = status;
  }
}

/** An empty pool. */
export function emptyPool(id: string, shape: PoolShape): PoolState {
  return { id, shape, users: new Map(), groups: new Map(), tokens: new Map() };
}

/** Finds by the name, the `sub`, or the address where that is a name. */
export function userIn({ users, shape }: PoolState, name: unknown): PoolUser {
  const asked = String(name).toLowerCase();
  const byEmail = shape.usernameAttributes?.includes('email');
  for (const user of users.values())
    if (
      user.Username.toLowerCase() === asked ||
      user.attributes.get('sub') === asked ||
      (byEmail && user.attributes.get('email')?.toLowerCase() === asked)
    )
      return user;
  throw new PoolError('UserNotFoundException', 'User does not exist.');
}

/** Finds by the name, to the letter. */
export function groupIn({ groups }: PoolState, name: unknown): PoolGroup {
  const found = groups.get(String(name));
  if (!found) throw new PoolError('ResourceNotFoundException', 'Group not found.');
  return found;
}

/** Makes a user; an address as name becomes the attribute, and the name the `sub`. */
export function addUser(
  state: PoolState,
  name: string,
  attributes: Readonly<Record<string, string>>,
  password: string,
): PoolUser {
  const sub = randomUUID();
  const byEmail = state.shape.usernameAttributes?.includes('email') ?? false;
  if (byEmail && !/^\S+@\S+$/.test(name))
    throw new PoolError('InvalidParameterException', 'Username should be an email.');
  const taken = [...state.users.values()].some(
    (one) =>
      one.Username.toLowerCase() === name.toLowerCase() || (byEmail && one.attributes.get('email') === name),
  );
  if (taken) throw new PoolError('UsernameExistsException', 'User account already exists');
  const all = { ...attributes, ...(byEmail ? { email: name } : {}), sub };
  for (const one of state.shape.required ?? [])
    if (!(one in all))
      throw new PoolError('InvalidParameterException', `Attributes did not conform to the schema: ${one}`);
  checkPassword(password);
  const user: PoolUser = {
    ...{ Username: byEmail ? sub : name, attributes: new Map(Object.entries(all)), Enabled: true },
    ...{ UserStatus: 'FORCE_CHANGE_PASSWORD', password, groups: new Set<string>() },
  };
  state.users.set(user.Username, user);
  return user;
}

/** The policy that a pool has unless it is changed. */
export function checkPassword(password: string): void {
  const faults: readonly [RegExp, string][] = [
    [/^.{8,}$/, 'Password not long enough'],
    [/\d/, 'Password must have numeric characters'],
    [/[A-Z]/, 'Password must have uppercase characters'],
    [/[a-z]/, 'Password must have lowercase characters'],
    [/[^A-Za-z0-9]/, 'Password must have symbol characters'],
  ];
  for (const [rule, words] of faults)
    if (!rule.test(password))
      throw new PoolError('InvalidPasswordException', `Password did not conform with policy: ${words}`);
}

/** A part of a list, and the token of the rest. A token is good for the same question only. */
export function pageOf<T>(
  state: PoolState,
  items: readonly T[],
  { limit = 60, token, of }: { limit?: unknown; token?: unknown; of: string },
): { part: readonly T[]; next: string | undefined } {
  if (typeof limit !== 'number' || limit < 0 || limit > 60)
    throw new PoolError(
      'InvalidParameterException',
      "1 validation error detected: Value at 'limit' failed to satisfy constraint: Member must have value less than or equal to 60",
    );
  const known = token === undefined ? { at: 0, of } : state.tokens.get(String(token));
  if (known?.of !== of) throw new PoolError('InvalidParameterException', 'Invalid pagination token.');
  const end = known.at + (limit || 60);
  if (end >= items.length) return { part: items.slice(known.at), next: undefined };
  const next = `${randomUUID()}==`;
  state.tokens.set(next, { at: end, of });
  return { part: items.slice(known.at, end), next };
}
