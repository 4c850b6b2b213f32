import { Failure } from '../failure/errors.ts';

/** The provider wants the person to sign in again, perhaps with a claims request (Conditional Access, OpenID Connect Core 5.5). */
export class SignInAgain extends Failure {
  /** Goes into the `claims` parameter of that sign-in. */
  readonly claims: string | undefined;
  /** At which provider, and where that sign-in leads afterwards (a path of ours). */
  readonly next: { readonly provider: string; readonly returnTo: string };
  constructor(claims: string | undefined, cause: unknown, next = { provider: '', returnTo: '/' }) {
    super('sign_in_again', 'The identity provider asks for a new sign-in; sign in again.', { cause });
    this.claims = claims;
    this.next = next;
  }
}
