import { invalidInput } from '../../../failure/errors.ts';
import type { GroupRole } from '../../setup/roles.ts';

/** A group that setup makes, at the top of the realm's tree. */
export interface GroupWish {
  readonly role: GroupRole;
  readonly name: string;
}

/** What the realm shall look like. */
export interface KeycloakWish {
  readonly serverUrl: string;
  readonly realm: string;
  /** The gateway's client, for sign-in. */
  readonly clientId: string;
  /** The client scope with the mappers. */
  readonly scopeName: string;
  /** The client as which the gateway manages accounts; undefined where it shall manage none. */
  readonly adminClientId: string | undefined;
  readonly audience: string;
  /** The claim with the groups. */
  readonly groupsClaim: string;
  /** Where people come back to, after sign-in and after sign-out. */
  readonly callback: string;
  readonly groups: readonly GroupWish[];
  /** User names, and the role whose group they become members of. */
  readonly members: readonly { readonly role: GroupRole; readonly username: string }[];
  readonly registryUrl: string;
}

/** What somebody can choose; the rest follows. */
export interface KeycloakWishOptions {
  readonly serverUrl: string;
  readonly realm: string;
  readonly clientId: string;
  readonly signInOnly?: boolean | undefined;
  /** KEYCLOAK_AUDIENCE, where it is set. */
  readonly audience?: string | undefined;
  /** KEYCLOAK_GROUPS_CLAIM, segment by segment. */
  readonly groupsClaim?: readonly string[] | undefined;
  readonly roles: readonly GroupRole[];
  readonly admins?: readonly string[] | undefined;
  readonly users?: readonly string[] | undefined;
  readonly registryUrl: string;
  /** The public address of sign-in, where it is another one. */
  readonly authUrl?: string | undefined;
}

const endings: Record<GroupRole, string> = {
  admin: 'registry-admin',
  user: 'users',
  developer: 'developers',
  operator: 'operators',
};

/** The whole wish for what somebody chose; `invalid_input` for what cannot be. */
export function keycloakWish(options: KeycloakWishOptions): KeycloakWish {
  const { serverUrl, realm, clientId, registryUrl, groupsClaim = ['groups'], roles } = options;
  refuseUnfit(options);
  const [claim = '', ...further] = groupsClaim;
  if (further.length > 0)
    throw invalidInput([], {
      said: `KEYCLOAK_GROUPS_CLAIM: setup puts groups into a claim of their own, not at '${groupsClaim.join('.')}'; leave the setting out.`,
    });
  const prefix = clientId.replace(/-web$/, '');
  // The names of the guide, unless the gateway is called otherwise.
  const groupPrefix = prefix === 'mcp-gateway' ? 'mcp' : prefix;
  const inGroup = (role: GroupRole, names: readonly string[] = []) =>
    names.map((username) => ({ role, username }));
  return {
    ...{ serverUrl, realm, clientId, registryUrl, groupsClaim: claim, scopeName: prefix },
    adminClientId: options.signInOnly ? undefined : `${prefix}-admin`,
    audience: options.audience || clientId,
    callback: `${options.authUrl || registryUrl}/oauth2/callback/keycloak`,
    groups: roles.map((role) => ({ role, name: `${groupPrefix}-${endings[role]}` })),
    members: [...inGroup('admin', options.admins), ...inGroup('user', options.users)],
  };
}

function refuseUnfit({ realm, clientId, serverUrl, roles, admins, users }: KeycloakWishOptions): void {
  const refuse = (message: string): never => {
    throw invalidInput([], { said: message });
  };
  if (serverUrl === '')
    refuse('It is not known where Keycloak is: give its address with --server-url or KEYCLOAK_URL.');
  if (realm === 'master')
    refuse('The realm master is for administering Keycloak; choose another one with --realm.');
  // They are written to .env, where a quote would end the value.
  const written = { '--server-url': serverUrl, '--realm': realm, '--name': clientId };
  for (const [what, name] of Object.entries(written))
    if (/['\p{Cc}]/u.test(name)) refuse(`${what}: a quote or a control character cannot be part of it.`);
  if (admins?.length && !roles.includes('admin'))
    refuse('--admin: there is no group of administrators; name admin among the roles, with --role.');
  if (users?.length && !roles.includes('user'))
    refuse('--user: there is no group of users; name user among the roles, with --role.');
}
