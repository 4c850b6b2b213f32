import type {
  OAuthClientInformationContext,
  OAuthClientProvider,
  StoredOAuthClientInformation,
  StoredOAuthTokens,
} from '@modelcontextprotocol/client';

/** A client that was registered beforehand, as a scenario hands it over. */
export interface Registered {
  readonly client_id?: string;
  readonly client_secret?: string;
  readonly issuer?: string;
}

const redirectUrl = 'http://localhost:3000/callback';

/** How a client without a person signs in: it follows the authorization server's redirect itself. */
export class Login implements OAuthClientProvider {
  readonly redirectUrl = redirectUrl;
  /** Where the scenarios of client metadata documents say that ours is. */
  readonly clientMetadataUrl = 'https://conformance-test.local/client-metadata.json';
  readonly clientMetadata = {
    client_name: 'conformance-client',
    redirect_uris: [redirectUrl],
    grant_types: ['authorization_code', 'refresh_token'],
    response_types: ['code'],
    application_type: 'native',
  };
  /** What came back with the redirect. */
  callback = new URLSearchParams();
  readonly #clients = new Map<string, StoredOAuthClientInformation>();
  #tokens: StoredOAuthTokens | undefined;
  #verifier = '';

  constructor({ client_id, client_secret, issuer = '' }: Registered) {
    if (client_id) this.#clients.set(issuer, { client_id, client_secret, issuer });
  }

  clientInformation(at?: OAuthClientInformationContext): StoredOAuthClientInformation | undefined {
    return this.#clients.get(at?.issuer ?? '');
  }

  saveClientInformation(client: StoredOAuthClientInformation, at?: OAuthClientInformationContext): void {
    this.#clients.set(at?.issuer ?? '', client);
  }

  tokens(at?: OAuthClientInformationContext): StoredOAuthTokens | undefined {
    return at && this.#tokens?.issuer !== at.issuer ? undefined : this.#tokens;
  }

  saveTokens(tokens: StoredOAuthTokens): void {
    this.#tokens = tokens;
  }

  saveCodeVerifier(verifier: string): void {
    this.#verifier = verifier;
  }

  codeVerifier(): string {
    return this.#verifier;
  }

  async redirectToAuthorization(url: URL): Promise<void> {
    const answer = await fetch(url, { redirect: 'manual' });
    this.callback = new URL(answer.headers.get('location') ?? redirectUrl).searchParams;
  }
}
