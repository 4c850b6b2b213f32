import type { JWTPayload } from 'jose';

/** What a provider tells about somebody, before anything is made of it. */
export interface Person {
  readonly subject: string;
  readonly username: string;
  readonly name: string | null;
  readonly email: string | null;
  /** Group ids, and app roles as `role:<value>`. */
  readonly groups: readonly string[];
  /** False when the token says that there are more groups than it lists ("overage"). */
  readonly groupsComplete: boolean;
  /** What the provider wants to be told at sign-out. */
  readonly logoutHint: string | null;
}

/** What an access token of a provider proves. */
export interface Bearer extends Person {
  readonly kind: 'person' | 'agent';
  readonly clientId: string;
}

/** An identity provider: only what differs from generic OpenID Connect. */
export interface Provider {
  /** As in URLs: `/oauth2/login/<name>`. */
  readonly name: string;
  /** As on the button: "Sign in with <display name>". */
  readonly displayName: string;
  readonly clientId: string;
  readonly clientSecret: string;
  /** Sent to the provider exactly so; one registered redirect URI. */
  readonly redirectUri: string;
  /** Scopes asked for at sign-in. */
  readonly scope: string;
  /** Discovery documents whose issuers' tokens are accepted; the first one is used for sign-in. */
  readonly discoveryUrls: readonly string[];
  /** Reads a verified ID token; throws a Failure that says what is wrong with it. */
  person(claims: JWTPayload): Person;
  /** Reads a verified access token; throws a Failure unless it is one for this gateway. */
  bearer(claims: JWTPayload): Bearer;
}
