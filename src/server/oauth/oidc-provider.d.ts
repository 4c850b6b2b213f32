/** The part of oidc-provider 9 that the authorization server uses; the package ships no types. */
declare module 'oidc-provider' {
  import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';

  export type Payload = Record<string, unknown>;

  export interface Adapter {
    upsert(id: string, payload: Payload, expiresIn: number): Promise<void>;
    find(id: string): Promise<Payload | undefined>;
    findByUserCode(code: string): Promise<Payload | undefined>;
    findByUid(uid: string): Promise<Payload | undefined>;
    consume(id: string): Promise<void>;
    destroy(id: string): Promise<void>;
    revokeByGrantId(grantId: string): Promise<void>;
  }

  export interface Client {
    readonly clientId: string;
    readonly clientName?: string;
    readonly redirectUris: readonly string[];
    readonly clientAuthMethod: string;
    readonly clientSecret?: string;
    grantTypeAllowed(type: string): boolean;
    compareClientSecret(actual: string): boolean;
  }

  export interface Token {
    readonly kind: string;
    readonly accountId?: string;
    readonly clientId?: string;
    readonly grantId?: string;
    readonly jti: string;
    readonly remainingTTL: number;
    readonly isExpired: boolean;
    readonly scopes: ReadonlySet<string>;
    readonly extra?: Payload;
    scope?: string;
    resourceServer?: ResourceServer;
    readonly expiration: number;
    readonly tokenType: string;
    setAudience?(audience: string): void;
    save(ttl?: number): Promise<string>;
    destroy(): Promise<void>;
  }

  export interface Grant extends Token {
    addResourceScope(resource: string, scope: string): void;
    addOIDCScope(scope: string): void;
    getResourceScope(resource: string): string;
  }

  export interface DeviceCode extends Token {
    readonly params?: Payload;
    readonly error?: string;
    userCode?: string;
  }

  export interface Interaction {
    readonly uid: string;
    readonly params: Readonly<Record<string, string | undefined>>;
    readonly prompt: { readonly name: string; readonly reasons: readonly string[] };
    readonly result?: Payload;
    readonly returnTo: string;
    readonly deviceCode?: string;
  }

  export interface ResourceServer {
    readonly audience?: string;
    readonly scope: string;
    readonly accessTokenTTL?: number;
    readonly accessTokenFormat?: 'jwt' | 'opaque';
    readonly jwt?: { sign: { alg: string } };
    identifier(): string;
  }

  export interface Context {
    readonly req: IncomingMessage;
    readonly res: ServerResponse;
    readonly method: string;
    readonly path: string;
    query: Record<string, string | string[] | undefined>;
    status: number;
    type: string;
    body: unknown;
    get(header: string): string;
    set(header: string, value: string | string[]): void;
    remove(header: string): void;
    readonly response: { readonly headers: Record<string, unknown> };
    readonly oidc: {
      readonly route: string;
      readonly issuer: string;
      readonly provider: Provider;
      readonly params: Record<string, string | string[] | undefined>;
      readonly client: Client;
      readonly result?: Payload & { readonly consent?: { readonly grantId?: string } };
      readonly entities: Readonly<Record<string, Token | undefined>>;
      readonly prompts: ReadonlySet<string>;
      readonly resourceServers: Record<string, ResourceServer>;
      readonly requestParamScopes: ReadonlySet<string>;
      entity(name: string, value: unknown): void;
    };
  }

  type GrantConstructor = {
    new (given: { accountId: string; clientId: string }): Grant;
    find(id: string): Promise<Grant | undefined>;
  };

  type TokenConstructor = {
    new (given: Payload): Token;
    readonly prototype: Token;
    find(id: string, options?: { ignoreExpiration?: boolean }): Promise<Token | undefined>;
  };

  export class Provider {
    constructor(issuer: string, configuration: Record<string, unknown>);
    /** The request that is being served. */
    static readonly ctx: Context | undefined;
    readonly issuer: string;
    proxy: boolean;
    readonly Grant: GrantConstructor;
    readonly AccessToken: TokenConstructor;
    readonly DeviceCode: {
      findByUserCode(code: string): Promise<DeviceCode | undefined>;
      readonly adapter: Adapter;
    };
    readonly RefreshToken: TokenConstructor;
    readonly ClientCredentials: TokenConstructor;
    readonly Client: { find(id: string): Promise<Client | undefined>; readonly prototype: Client };
    readonly ResourceServer: new (
      identifier: string,
      data: object,
    ) => ResourceServer;
    callback(): RequestListener;
    use(middleware: (ctx: Context, next: () => Promise<void>) => Promise<void>): this;
    on(event: string, listener: (...given: never[]) => void): this;
    interactionDetails(req: IncomingMessage, res: ServerResponse): Promise<Interaction>;
    interactionResult(
      req: IncomingMessage,
      res: ServerResponse,
      result: Payload,
      options?: { mergeWithLastSubmission?: boolean },
    ): Promise<string>;
    registerGrantType(
      name: string,
      handler: (ctx: Context) => Promise<void>,
      parameters: readonly string[],
      duplicates?: readonly string[],
    ): void;
  }

  export class OIDCProviderError extends Error {
    readonly error: string;
    readonly error_description?: string;
    readonly expose: boolean;
    readonly statusCode: number;
    allow_redirect: boolean;
    constructor(status: number, message: string);
  }
  type Thrown = new (description?: string, detail?: string) => OIDCProviderError;
  export const errors: {
    readonly OIDCProviderError: typeof OIDCProviderError;
    readonly InvalidGrant: Thrown;
    readonly InvalidTarget: Thrown;
    readonly InvalidScope: Thrown;
    readonly InvalidRequest: Thrown;
    readonly InvalidClient: Thrown;
    readonly InvalidClientAuth: Thrown;
    readonly UnauthorizedClient: Thrown;
    readonly AccessDenied: Thrown;
    readonly TemporarilyUnavailable: Thrown;
    readonly CustomOIDCProviderError: new (error: string, description: string) => OIDCProviderError;
  };

  export const interactionPolicy: {
    readonly Prompt: new (about: { name: string; requestable: boolean }, ...checks: unknown[]) => unknown;
    readonly Check: new (
      reason: string,
      description: string,
      error: string,
      check: (ctx: Context) => boolean,
    ) => unknown;
  };
}
