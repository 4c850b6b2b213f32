import type { Failure } from '../failure/errors.ts';

/** Who is calling: a person or an agent, proven by a credential. One object per credential, kept while that is cached. */
export interface Identity {
  readonly kind: 'person' | 'agent';
  /** The identity provider's name, such as `entra`. */
  readonly provider: string;
  /** The provider's stable id of the person or service principal; for Entra the `oid`. Never an e-mail address. */
  readonly subject: string;
  /** For display and logs only. */
  readonly username: string;
  readonly name: string | null;
  readonly email: string | null;
  /** The application that acts (`azp` or `appid`; for our own access tokens the OAuth client); null for browser sessions. */
  readonly clientId: string | null;
  /** What scopes may call the OAuth client: its id and, where it has one, its alias. Only for our own access tokens. */
  readonly clientNames?: readonly string[] | undefined;
  /** Groups as the provider names them (for Entra, Object IDs); app roles are here as `role:<value>`. */
  readonly groups: readonly string[];
  /** How it was proven. */
  readonly method: 'session' | 'bearer' | 'personal-token' | 'oauth';
  /** Scopes beyond which this credential may not go (personal tokens). */
  readonly limitedTo?: readonly string[] | undefined;
  /** Told of a server's tool whether it only reads; present where nothing else was allowed to the OAuth client. */
  readonly onlyReading?: ((server: string, tool: string) => boolean) | undefined;
  /** Where our own access tokens may be used and for what; absent for every other credential. */
  readonly bound?: Bound | undefined;
  /** The OAuth clients that act for the person (RFC 8693), the present one first; absent where nobody acts for them. */
  readonly actors?: readonly string[] | undefined;
  /** Row key of the session, personal token or OAuth grant behind it, so that it can be ended. */
  readonly credentialId: string | null;
  /** When the credential ends, in milliseconds since 1970. */
  readonly expiresAt: number;
}

/** The limits of an access token of ours: it is for one resource (RFC 8707) and for scopes there. */
export interface Bound {
  /** `/` for the whole gateway, else the path of one server or bundle, such as `/everything`. */
  readonly at: string;
  /** The resource as the token names it. */
  readonly audience: string;
  readonly scopes: readonly string[];
}

/** The three answers to "who is calling?": an identity; nobody (401); could not tell (503). */
export type Who =
  | { readonly is: 'identity'; readonly identity: Identity }
  | { readonly is: 'nobody'; readonly failure: Failure }
  | { readonly is: 'unknown'; readonly failure: Failure };

/** Request headers as `node:http` gives them: lower-case names. */
export type CredentialHeaders = Readonly<Record<string, string | string[] | undefined>>;

/**
 * Tells who sends a request by its headers, for the part of the gateway `at`: the path of a server or bundle, or
 * `registryApi`; a token that is bound to another part is nobody's there, as it is anywhere when no part is named. Returns
 * at once when the credential is cached. A `connection` that brings the same credential again costs less.
 */
export type Identify = (headers: CredentialHeaders, at?: string, connection?: object) => Who | Promise<Who>;

/** The control plane, as `Identify` calls it. */
export const registryApi = '/api';
