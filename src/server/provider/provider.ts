import type { JWTHeaderParameters, JWTPayload } from 'jose';
import type { ClientAuth, ServerMetadata } from 'openid-client';
import type { CommandLine } from '../../contract/people/sign-in.ts';
import { Failure } from '../failure/errors.ts';
import type { Fetch } from '../net/outbound.ts';
import type { Algorithm } from './issuer.ts';
import type { OidcClient } from './oidc.ts';

/** What a provider tells about somebody, before anything is made of it. */
export interface Person {
  readonly subject: string;
  /** The directory that the account is in. */
  readonly tenant: string;
  readonly username: string;
  readonly name: string | null;
  readonly email: string | null;
  /** Group ids, and app roles as `role:<value>`. */
  readonly groups: readonly string[];
  /** False when the token says that there are more groups than it lists ("overage"). */
  readonly groupsComplete: boolean;
  /** What the provider wants to be told at sign-out. */
  readonly logoutHint: string | null;
  /** The provider's own id of the browser session (`sid`), for its front-channel logout. */
  readonly sid: string | null;
}

/** What an access token of a provider proves. */
export interface Bearer extends Person {
  readonly kind: 'person' | 'agent';
  readonly clientId: string;
}

/** Somebody whose groups are asked for. */
export interface Member {
  readonly kind: 'person' | 'agent';
  readonly tenant: string;
  readonly subject: string;
}

/** Where a provider tells the groups that its tokens do not list. */
export interface GroupApi {
  /** The gateway as a client of that API, in the directory of whom it asks about. */
  client(tenant: string): OidcClient;
  /** The scope of a token of the gateway's own (client credentials) that may ask about anybody. */
  readonly scope: string;
  /**
   * The groups of the token's owner, or of somebody else by a token of the gateway's own; throws a Failure that says why
   * not, with `status: 401` in its cause when the token itself is refused.
   */
  read(who: Member | 'self', accessToken: string, send: Fetch): Promise<readonly string[]>;
}

/** An identity provider: only what differs from generic OpenID Connect. */
export interface Provider {
  /** As in URLs: `/oauth2/login/<name>`. */
  readonly name: string;
  /** As on the button: "Sign in with <display name>". */
  readonly displayName: string;
  /** Within what the provider's subjects are unique: its issuer, or the id of the tenant. */
  readonly realm: string;
  readonly clientId: string;
  /** How the gateway proves at the provider that it is that client. */
  readonly clientAuth: ClientAuth;
  /** Registered redirect URIs, sent to the provider exactly so: that of the host somebody comes by, else the first. */
  readonly redirectUris: readonly string[];
  /** Scopes asked for at sign-in. */
  readonly scope: string;
  /** Scopes asked for at a refresh; absent: what was granted at sign-in (RFC 6749, section 6). */
  readonly refreshScope?: string;
  /** How its tokens are exchanged for those of other services; RFC 8693 unless given. */
  readonly exchangesBy?: 'on_behalf_of';
  /** Further parameters of the authorization request. */
  readonly authorizationParameters?: Readonly<Record<string, string>>;
  /** Discovery documents whose issuers' tokens are accepted; the first one is used for sign-in. */
  readonly discoveryUrls: readonly string[];
  /** The exact issuer that discovery has to name; absent where the documents decide (Entra has two). */
  readonly issuer?: string;
  /** Whether tokens may be signed with keys of the application's own, which only discovery with `?appid=` names. */
  readonly hasOwnKeys?: boolean;
  /** How tokens are signed; nothing else is accepted. */
  readonly algorithms: readonly Algorithm[];
  /** What clients ask for to get a token for this gateway, for the protected-resource document. */
  readonly resourceScopes: readonly string[];
  /** How the command line signs people in; absent where no public client is set up for it. */
  readonly commandLine?: Omit<CommandLine, 'provider'>;
  /** Absent where tokens always list all groups. */
  readonly groupApi?: GroupApi;
  /** Reads a verified ID token; throws a Failure that says what is wrong with it. */
  person(claims: JWTPayload): Person;
  /** Reads a verified access token; throws a Failure unless it is one for this gateway. Absent where there are none. */
  bearer?(claims: JWTPayload, header: JWTHeaderParameters): Bearer;
  /** What to say about a token that is refused because nobody can verify it, by its unverified claims. */
  unverifiable?(claims: JWTPayload): string | undefined;
  /** Whether the userinfo endpoint has to complete these claims of an ID token. Absent: never. */
  needsUserInfo?(claims: JWTPayload): boolean;
  /** Whether personal tokens and connected clients go on when a policy of the provider asks for a new sign-in. */
  readonly tokensOutliveSignIn?: boolean;
  /** True where sign-out wants to see the ID token again; it is stored encrypted with the session. */
  readonly wantsIdTokenAtLogout?: boolean;
  /** The sign-out page where it is not the standard one, which is taken for undefined. It comes back to `returnTo`. */
  logoutUrl?(server: ServerMetadata, returnTo: string): URL | undefined;
}

/** The gateway as the provider's client for sign-in. */
export function clientOf({ discoveryUrls, clientId, clientAuth, issuer }: Provider): OidcClient {
  return { discoveryUrl: discoveryUrls[0] ?? '', clientId, clientAuth, issuer };
}

/** The header by which the Entra emulator owns up to what it is. */
const emulatorHeader = 'x-entra-emulator';

/** A way to identity providers that takes no answer from an emulator: its accounts and secrets are known to everybody. */
export function refusingEmulators(send: Fetch): Fetch {
  return async (url, init) => {
    const response = await send(url, init);
    if (!response.headers.has(emulatorHeader)) return response;
    await response.body?.cancel();
    throw new Failure(
      'identity_unavailable',
      'The identity provider is an emulator, which production mode does not trust. Check ENTRA_LOGIN_BASE_URL, or start ' +
        'the evaluation mode with EVALUATION=true.',
    );
  };
}
