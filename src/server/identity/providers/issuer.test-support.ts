import { createHash, generateKeyPairSync, type KeyObject, randomBytes } from 'node:crypto';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { exportJWK, type JWTPayload, SignJWT } from 'jose';
import type { Fetch } from '../../net/outbound.ts';

/** The endpoints of an issuer, as absolute addresses that the issuer's clients see. */
export interface Endpoints {
  /** Discovery documents by address; `{}` is filled with the common metadata. */
  readonly discovery: Readonly<Record<string, Record<string, unknown>>>;
  readonly authorize: string;
  readonly token: string;
  readonly jwks: string;
  readonly userInfo?: string;
}

/** Who signs in next, and what the issuer does about it. */
export interface Script {
  /** Claims of the ID token and of userinfo; `nonce`, `iat` and `exp` come on top. */
  idToken: () => JWTPayload;
  userInfo: () => JWTPayload;
  /** The OAuth error of a refresh; null while the account is in order. */
  refusal: string | null;
  /** Whether a refresh answers an ID token. */
  refreshGivesIdToken: boolean;
  algorithm: 'RS256' | 'ES256';
  /** What the client gets by client credentials; null: it may not ask. */
  agentToken: (() => JWTPayload) | null;
}

/** An issuer that does as it is told, over real HTTP; `send` leads every address of it there. */
export interface ScriptedIssuer {
  readonly send: Fetch;
  readonly script: Script;
  /** Signs claims as an access token with a published key, or with another one under the `kid` given. */
  sign(claims: JWTPayload, as?: { kid?: string; typ?: string }): Promise<string>;
  /** Stops publishing the present keys and signs with new ones. */
  rotateKeys(): void;
  /** Signs the next person in, as their browser would; answers the callback's address. */
  visit(authorizeUrl: URL): Promise<URL>;
  close(): Promise<void>;
}

interface Code {
  readonly challenge: string;
  readonly nonce: string | null;
  readonly redirectUri: string;
}

/** Starts it for one client. */
export async function startIssuer(
  endpoints: Endpoints,
  client: { readonly id: string; readonly secret: string },
  now: () => number,
): Promise<ScriptedIssuer> {
  const script: Script = {
    idToken: () => ({}),
    userInfo: () => ({}),
    refusal: null,
    refreshGivesIdToken: true,
    algorithm: 'RS256',
    agentToken: null,
  };
  const codes = new Map<string, Code>();
  let keys = newKeys();
  const sign: ScriptedIssuer['sign'] = (claims, { kid, typ = 'JWT' } = {}) => {
    const { privateKey } = kid ? newKeys()[script.algorithm] : keys[script.algorithm];
    const seconds = Math.floor(now() / 1000);
    return new SignJWT({ iat: seconds, exp: seconds + 3600, ...claims })
      .setProtectedHeader({ alg: script.algorithm, kid: kid ?? `${keys.id}-${script.algorithm}`, typ })
      .sign(privateKey);
  };

  const authorize = (query: URLSearchParams): string => {
    const code = randomBytes(16).toString('hex');
    const redirectUri = query.get('redirect_uri') ?? '';
    const isRight = query.get('client_id') === client.id && query.get('code_challenge_method') === 'S256';
    if (!isRight || query.get('response_type') !== 'code') throw new Error(`bad request: ${query}`);
    const [challenge, nonce] = [query.get('code_challenge') ?? '', query.get('nonce')];
    codes.set(code, { challenge, nonce, redirectUri });
    return `${redirectUri}?${new URLSearchParams({ code, state: query.get('state') ?? '' })}`;
  };

  const answers = async (nonce: string | null, gives: boolean): Promise<object> => ({
    access_token: await sign({ ...script.idToken(), opaque: true }),
    token_type: 'Bearer',
    expires_in: 3600,
    refresh_token: randomBytes(16).toString('hex'),
    ...(gives ? { id_token: await sign({ ...script.idToken(), ...(nonce ? { nonce } : {}) }) } : {}),
  });

  const token = async (form: URLSearchParams, request: IncomingMessage): Promise<[number, object]> => {
    if (!isClient(form, request, client)) return [401, { error: 'invalid_client' }];
    if (form.get('grant_type') === 'client_credentials') {
      if (!script.agentToken) return [400, { error: 'unauthorized_client' }];
      return [200, { access_token: await sign(script.agentToken()), token_type: 'Bearer' }];
    }
    if (form.get('grant_type') === 'refresh_token') {
      if (script.refusal) return [400, { error: script.refusal, error_description: 'Token is not active' }];
      return [200, await answers(null, script.refreshGivesIdToken)];
    }
    const code = codes.get(form.get('code') ?? '');
    codes.delete(form.get('code') ?? '');
    const hash = createHash('sha256')
      .update(form.get('code_verifier') ?? '')
      .digest('base64url');
    const isRight = code?.challenge === hash && code.redirectUri === form.get('redirect_uri');
    return isRight ? [200, await answers(code.nonce, true)] : [400, { error: 'invalid_grant' }];
  };

  const server = createServer(async (request, response) => {
    const url = new URL(request.url ?? '', `https://${request.headers['x-host']}`);
    const address = `${request.headers['x-scheme']}://${url.host}${url.pathname}`;
    const reply = (status: number, body: object, headers = {}): void => {
      response.writeHead(status, { 'content-type': 'application/json', ...headers });
      response.end(JSON.stringify(body));
    };
    const document = endpoints.discovery[address];
    if (document) reply(200, { ...metadata(endpoints), ...document });
    else if (address === endpoints.jwks) reply(200, { keys: await published(keys) });
    else if (address === endpoints.authorize) reply(302, {}, { location: authorize(url.searchParams) });
    else if (address === endpoints.userInfo) reply(200, script.userInfo());
    else if (address === endpoints.token) reply(...(await token(await formOf(request), request)));
    else reply(404, { error: 'not_found' });
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const { port } = server.address() as AddressInfo;

  const send: Fetch = (input, init) => {
    const { protocol, host, pathname, search } = new URL(input);
    const headers = new Headers(init?.headers);
    headers.set('x-host', host);
    headers.set('x-scheme', protocol.slice(0, -1));
    return fetch(`http://127.0.0.1:${port}${pathname}${search}`, { ...init, headers, redirect: 'manual' });
  };
  return {
    ...{ send, script, sign },
    rotateKeys() {
      keys = newKeys();
    },
    async visit(authorizeUrl) {
      const answer = await send(authorizeUrl);
      return new URL(answer.headers.get('location') ?? '');
    },
    close: () => new Promise((done) => server.close(() => done())),
  };
}

function metadata({ authorize, token, jwks, userInfo }: Endpoints): object {
  return {
    ...{ authorization_endpoint: authorize, token_endpoint: token, jwks_uri: jwks },
    ...(userInfo ? { userinfo_endpoint: userInfo } : {}),
    response_types_supported: ['code'],
    subject_types_supported: ['public'],
    id_token_signing_alg_values_supported: ['RS256', 'ES256'],
    code_challenge_methods_supported: ['S256'],
  };
}

type Keys = { readonly id: string } & Record<
  'RS256' | 'ES256',
  { readonly publicKey: KeyObject; readonly privateKey: KeyObject }
>;

const pool: Pick<Keys, 'RS256' | 'ES256'>[] = [];
let taken = 0;

/** Others than those before, under a name of their own; a few pairs take turns, since making one takes longer than most tests. */
function newKeys(): Keys {
  const place = taken++ % 4;
  pool[place] ??= {
    RS256: generateKeyPairSync('rsa', { modulusLength: 2048 }),
    ES256: generateKeyPairSync('ec', { namedCurve: 'P-256' }),
  };
  return { id: randomBytes(4).toString('hex'), ...pool[place] };
}

/** With an encryption key among them, as Keycloak publishes. */
async function published({ id, RS256, ES256 }: Keys): Promise<object[]> {
  return [
    { ...(await exportJWK(RS256.publicKey)), kid: `${id}-enc`, use: 'enc', alg: 'RSA-OAEP' },
    { ...(await exportJWK(RS256.publicKey)), kid: `${id}-RS256`, use: 'sig', alg: 'RS256' },
    { ...(await exportJWK(ES256.publicKey)), kid: `${id}-ES256`, use: 'sig', alg: 'ES256' },
  ];
}

function isClient(
  form: URLSearchParams,
  request: IncomingMessage,
  client: { id: string; secret: string },
): boolean {
  const basic = /^Basic (.+)$/.exec(request.headers.authorization ?? '')?.[1];
  const [id, secret] = basic
    ? Buffer.from(basic, 'base64').toString().split(':').map(decodeURIComponent)
    : [form.get('client_id'), form.get('client_secret')];
  return id === client.id && secret === client.secret;
}

async function formOf(request: IncomingMessage): Promise<URLSearchParams> {
  let body = '';
  for await (const chunk of request) body += chunk;
  return new URLSearchParams(body);
}
