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
  /** The application that acts (`azp` or `appid`); null for browser sessions. */
  readonly clientId: string | null;
  /** Groups as the provider names them (for Entra, Object IDs); app roles are here as `role:<value>`. */
  readonly groups: readonly string[];
  /** How it was proven. */
  readonly method: 'session' | 'bearer' | 'personal-token';
  /** Scopes beyond which this credential may not go (personal tokens). */
  readonly limitedTo?: readonly string[] | undefined;
  /** Row key of the session or personal token behind it, so that it can be ended. */
  readonly credentialId: string | null;
  /** When the credential ends, in milliseconds since 1970. */
  readonly expiresAt: number;
}

/** The three answers to "who is calling?": an identity; nobody (401); could not tell (503). */
export type Who =
  | { readonly is: 'identity'; readonly identity: Identity }
  | { readonly is: 'nobody'; readonly failure: Failure }
  | { readonly is: 'unknown'; readonly failure: Failure };

/** Request headers as `node:http` gives them: lower-case names. */
export type CredentialHeaders = Readonly<Record<string, string | string[] | undefined>>;

/** Tells who sends a request by its headers; answers at once when the credential is cached. */
export type Identify = (headers: CredentialHeaders) => Who | Promise<Who>;
