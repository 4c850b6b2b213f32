import type { Handlers } from '../../contract/endpoint.ts';
import type { CommandLine, signInEndpoints } from '../../contract/people/sign-in.ts';
import type { Access, Caller } from '../access/caller.ts';
import type { Identity } from '../identity/identity.ts';
import type { Provider } from '../provider/provider.ts';

/** What the endpoints about the caller need. */
export interface MeWorld {
  readonly providers: readonly Provider[];
  readonly evaluation: boolean;
  /** How the command line signs in at our own authorization server. */
  readonly commandLine: CommandLine;
  readonly tokenHours: { readonly default: number; readonly max: number };
  readonly csrfToken: (identity: Identity) => string;
}

/** Answers who is calling, and where one can sign in. */
export function meHandlers(world: MeWorld): Handlers<typeof signInEndpoints, Caller<Identity>> {
  return {
    'auth.me'(_, { identity, access }) {
      return {
        username: identity.username,
        name: identity.name,
        email: identity.email,
        kind: identity.kind,
        auth_method: identity.method,
        provider: identity.provider,
        client_id: identity.clientId,
        groups: [...identity.groups],
        scopes: [...access.scopes],
        is_admin: access.isAdmin,
        can_modify_servers: access.may('modify_service'),
        ui_permissions: permissionsOf(access),
        accessible_servers: access.servers === 'all' ? ['*'] : [...access.servers].sort(),
        token_hours: world.tokenHours,
        session_ends_at: identity.method === 'session' ? new Date(identity.expiresAt).toISOString() : null,
        csrf_token: identity.method === 'session' ? world.csrfToken(identity) : null,
      };
    },
    'auth.providers'() {
      const providers = world.providers.map(({ name, displayName }) => ({ name, display_name: displayName }));
      return { providers, evaluation: world.evaluation };
    },
    'auth.commandLine'() {
      const found = world.providers.find(({ commandLine }) => commandLine !== undefined);
      return {
        sign_in: world.commandLine,
        provider_sign_in: found?.commandLine ? { provider: found.name, ...found.commandLine } : null,
      };
    },
    'auth.csrf'(_, { identity }) {
      return { csrf_token: world.csrfToken(identity) };
    },
  };
}

function permissionsOf(access: Access): Record<string, string[]> {
  return Object.fromEntries(
    [...access.permissions].map(([name, things]) => [name, things === 'all' ? ['all'] : [...things].sort()]),
  );
}
