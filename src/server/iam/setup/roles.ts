import { invalidInput } from '../../failure/errors.ts';

/** The roles of the setup guide that a group can have. */
export const groupRoles = ['admin', 'user', 'developer', 'operator'] as const;

/** A role of the setup guide. */
export type GroupRole = (typeof groupRoles)[number];

/** The roles that somebody named, those of the guide's first two groups when none; `invalid_input` for any other. */
export function rolesNamed(names: readonly string[] | undefined): readonly GroupRole[] {
  const unknown = names?.find((name) => !isRole(name));
  if (unknown !== undefined)
    throw invalidInput([], { said: `There is no role '${unknown}'; there are: ${groupRoles.join(', ')}.` });
  return names?.length ? names.filter(isRole) : ['admin', 'user'];
}

function isRole(name: string): name is GroupRole {
  return groupRoles.some((known) => known === name);
}
