import type { Access } from '../access/caller.ts';
import type { Config } from '../config/config.ts';
import { asFailure, Failure } from '../failure/errors.ts';
import { carriesToken } from '../identity/identify.ts';
import { type Identify, type Identity, registryApi } from '../identity/identity.ts';
import { csrfTokenOf } from '../identity/keys.ts';
import type { BrowserSessions } from '../identity/sessions/sessions.ts';
import type { HttpIdentity } from './env.ts';
import { readCookies, sessionCookieName } from './request/cookies.ts';

/** What the control plane's identities are made from. */
export interface HttpIdentityWorld {
  readonly sessions: BrowserSessions;
  readonly identifyByToken: Identify;
  readonly accessOf: (identity: Identity) => Access;
  readonly csrfKey: Buffer;
  readonly session: Config['session'];
}

/** Identifies by a token or, only when none is sent, by the session cookie: a bad token never falls back to a cookie. */
export function createHttpIdentity(world: HttpIdentityWorld): HttpIdentity {
  const cookieName = sessionCookieName(world.session);
  return {
    async identify(headers) {
      if (carriesToken(headers)) return world.identifyByToken(headers, registryApi);
      const id = readCookies(headers.cookie).get(cookieName);
      try {
        const identity = id ? await world.sessions.resume(id) : undefined;
        if (identity) return { is: 'identity', identity };
      } catch (error) {
        const failure = asFailure(error);
        return { is: failure.status >= 500 ? 'unknown' : 'nobody', failure };
      }
      const message = id ? 'Your session has ended; sign in again.' : 'Sign in, or send a token.';
      return {
        is: 'nobody',
        failure: new Failure(id ? 'credential_expired' : 'credential_missing', message),
      };
    },
    access: world.accessOf,
    csrfToken: (identity) => csrfTokenOf(world.csrfKey, identity.credentialId ?? ''),
  };
}
