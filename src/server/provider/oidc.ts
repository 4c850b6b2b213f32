import * as oidc from 'openid-client';
import { Failure } from '../failure/errors.ts';
import type { Fetch } from '../net/outbound.ts';
import { requireIssuer } from './issuer.ts';

/** A client of an OpenID provider: where its endpoints are described, and how it proves who it is. */
export interface OidcClient {
  readonly discoveryUrl: string;
  readonly clientId: string;
  readonly clientAuth: oidc.ClientAuth;
  /** The exact issuer that discovery has to name; absent: whatever it says. */
  readonly issuer?: string | undefined;
}

/** Makes openid-client configurations; throws `identity_unavailable` while the provider cannot be read. */
export type OidcClients = (client: OidcClient) => Promise<oidc.Configuration>;

/** After this long a discovery document is read anew in passing; the old one serves meanwhile, in milliseconds. */
const documentLasts = 24 * 3_600_000;

/** Reads each discovery document once a day; a failed read is not remembered, and leaves the document of before in place. */
export function createOidcClients(send: Fetch, now: () => number): OidcClients {
  const documents = new Map<string, { document: Promise<oidc.ServerMetadata>; readAt: number }>();
  const documentOf = ({ discoveryUrl, clientId, issuer }: OidcClient): Promise<oidc.ServerMetadata> => {
    const known = documents.get(discoveryUrl);
    if (known && now() - known.readAt < documentLasts) return known.document;
    const fresh = discover(discoveryUrl, clientId, send).then((server) => {
      requireIssuer(server.issuer, issuer);
      return server;
    });
    if (known) {
      known.readAt = now();
      fresh.then(
        () => documents.set(discoveryUrl, { document: fresh, readAt: now() }),
        () => {},
      );
      return known.document;
    }
    documents.set(discoveryUrl, { document: fresh, readAt: now() });
    fresh.catch(() => documents.delete(discoveryUrl));
    return fresh;
  };
  return async (client) => {
    const server = await documentOf(client);
    // The library has a clock of its own; it is set to ours.
    const skew = { [oidc.clockSkew]: Math.round((now() - Date.now()) / 1000) };
    const configuration = new oidc.Configuration(server, client.clientId, skew, client.clientAuth);
    configuration[oidc.customFetch] = send as oidc.CustomFetch;
    if (isPlain(client.discoveryUrl)) oidc.allowInsecureRequests(configuration);
    return configuration;
  };
}

/** What a provider's error answer says, as far as anything is decided by it. */
export interface ProviderError {
  /** The OAuth error code, such as `invalid_grant`. */
  readonly error: string;
  readonly description: string;
  /** What the next sign-in has to ask for (claims challenge). */
  readonly claims: string | undefined;
}

/** The provider's own error within what openid-client threw; undefined when the provider has not answered one. */
export function providerErrorOf(error: unknown): ProviderError | undefined {
  if (error instanceof oidc.AuthorizationResponseError)
    return { error: error.error, description: error.error_description ?? error.error, claims: undefined };
  if (!(error instanceof oidc.ResponseBodyError) || error.status >= 500 || error.status === 429)
    return undefined;
  const { claims } = error.cause;
  return {
    error: error.error,
    description: error.error_description ?? error.error,
    claims: typeof claims === 'string' && claims.length <= 4000 ? claims : undefined,
  };
}

/** The failure that the provider's absence amounts to; undefined for an error that is about something else. */
export function outageIn(error: unknown): Failure | undefined {
  for (let at = error; at instanceof Error; at = at.cause as unknown) {
    const isOurs = at instanceof Failure && !at.code.startsWith('upstream_');
    if (isOurs) return at as Failure;
    // The library gives an answer without an OAuth error as the cause, one with it as the error itself.
    const status = at instanceof oidc.ResponseBodyError ? at.status : Number((at.cause as Response)?.status);
    if (at instanceof Failure || status >= 500 || status === 429) return unreachable(error);
  }
  return undefined;
}

function unreachable(cause: unknown): Failure {
  return new Failure(
    'identity_unavailable',
    'The identity provider cannot be reached right now; try again soon.',
    { cause },
  );
}

async function discover(url: string, clientId: string, send: Fetch): Promise<oidc.ServerMetadata> {
  try {
    const found = await oidc.discovery(new URL(url), clientId, undefined, oidc.None(), {
      [oidc.customFetch]: send as oidc.CustomFetch,
      // Plain http only ever reaches this machine: the settings refuse it for any other host.
      execute: isPlain(url) ? [oidc.allowInsecureRequests] : [],
    });
    return found.serverMetadata();
  } catch (error) {
    // What is known better is said as it is: that this is an emulator, say.
    const { cause } = error as { cause?: unknown };
    throw cause instanceof Failure ? cause : unreachable(error);
  }
}

function isPlain(url: string): boolean {
  return url.startsWith('http:');
}
