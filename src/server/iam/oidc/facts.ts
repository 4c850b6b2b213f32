import { createHash, randomBytes } from 'node:crypto';
import { z } from 'zod';
import { asFailure, Failure } from '../../failure/errors.ts';
import { trust, verifyProviderToken } from '../../identity/bearer.ts';
import type { Fetch } from '../../net/outbound.ts';
import { requireIssuer, signingKeysIn } from '../../provider/issuer.ts';
import type { Bearer, Provider } from '../../provider/provider.ts';

/** What the doctor works with. */
export interface OidcDoctorWorld {
  readonly provider: Provider;
  readonly fetch: Fetch;
  readonly now: () => number;
}

const document = z.object({
  issuer: z.string(),
  authorization_endpoint: z.url(),
  token_endpoint: z.url(),
  jwks_uri: z.url(),
  code_challenge_methods_supported: z.array(z.string()).optional(),
  scopes_supported: z.array(z.string()).optional(),
  token_endpoint_auth_methods_supported: z.array(z.string()).optional(),
});

/** What a provider says of itself. */
export type Document = z.output<typeof document>;

/** What the token endpoint answers: its status, and the OAuth error or the access token. */
export interface TokenAnswer {
  readonly status: number;
  readonly error: string | null;
  readonly description: string;
  readonly accessToken: string | null;
}

/** Something that was asked: the answer, or why there is none; undefined when it made no sense to ask. */
export type Told<T> = T | Failure | undefined;

/** Everything that the checks judge. */
export interface OidcFacts {
  readonly provider: Provider;
  readonly document: Told<Document>;
  readonly keys: Told<number>;
  /** What the provider does with the browser that wants to sign in without being asked anything. */
  readonly signIn: Told<{ readonly status: number; readonly location: string }>;
  /** What the token endpoint says about a code that does not exist. */
  readonly credential: Told<TokenAnswer>;
  /** What the gateway makes of an agent's token; undefined where the provider gives its client none. */
  readonly agent: Told<Bearer>;
}

/** Asks the provider for everything; changes nothing there and never throws. */
export async function gatherFacts(world: OidcDoctorWorld): Promise<OidcFacts> {
  const { provider } = world;
  const found = await told(() => readDocument(world));
  if (found instanceof Failure)
    return {
      provider,
      document: found,
      keys: undefined,
      signIn: undefined,
      credential: undefined,
      agent: undefined,
    };
  const [keys, signIn, credential, agent] = await Promise.all([
    told(async () => (await signingKeysIn(await json(world, found.jwks_uri), provider.algorithms)).size),
    told(() => trySignIn(world, found)),
    told(() => askToken(world, found, madeUpCode(provider))),
    told(() => tryAgentToken(world, found)),
  ]);
  return { provider, document: found, keys, signIn, credential, agent };
}

async function told<T>(ask: () => Promise<T>): Promise<T | Failure> {
  try {
    return await ask();
  } catch (error) {
    return asFailure(error);
  }
}

async function readDocument(world: OidcDoctorWorld): Promise<Document> {
  const read = document.safeParse(await json(world, world.provider.discoveryUrls[0] ?? ''));
  if (!read.success)
    throw new Failure(
      'identity_unavailable',
      'The answer is not a discovery document of an OpenID provider.',
    );
  requireIssuer(read.data.issuer, world.provider.issuer);
  return read.data;
}

async function json(world: OidcDoctorWorld, url: string): Promise<unknown> {
  const answer = await world.fetch(url, { headers: { accept: 'application/json' } });
  if (!answer.ok) {
    await answer.body?.cancel();
    throw new Failure('identity_unavailable', `${url} returned status ${answer.status}.`);
  }
  return answer.json().catch(() => undefined);
}

/** OpenID Connect Core, section 3.1.2.1: with `prompt=none` the provider answers at once, and only to a registered address. */
async function trySignIn(world: OidcDoctorWorld, { authorization_endpoint }: Document) {
  const { provider } = world;
  const url = new URL(authorization_endpoint);
  const [state, nonce, verifier] = [0, 1, 2].map(() => randomBytes(32).toString('base64url'));
  for (const [name, value] of Object.entries({
    ...{ client_id: provider.clientId, response_type: 'code', redirect_uri: provider.redirectUris[0] ?? '' },
    ...{ scope: 'openid', prompt: 'none', state: state ?? '', nonce: nonce ?? '' },
    code_challenge: createHash('sha256')
      .update(verifier ?? '')
      .digest('base64url'),
    code_challenge_method: 'S256',
  }))
    url.searchParams.set(name, value);
  const answer = await world.fetch(url);
  await answer.body?.cancel();
  return { status: answer.status, location: answer.headers.get('location') ?? '' };
}

/** A provider looks at the credential before the code, so its answer tells whether the credential is right. */
function madeUpCode({ redirectUris }: Provider): Record<string, string> {
  const code = randomBytes(24).toString('base64url');
  return {
    grant_type: 'authorization_code',
    code,
    redirect_uri: redirectUris[0] ?? '',
    code_verifier: code.repeat(2),
  };
}

const answerBody = z.looseObject({
  error: z.string().nullish(),
  error_description: z.string().nullish(),
  access_token: z.string().nullish(),
});

async function askToken(
  world: OidcDoctorWorld,
  server: Document,
  form: Record<string, string>,
): Promise<TokenAnswer> {
  const { provider } = world;
  const body = new URLSearchParams(form);
  const headers = new Headers({
    accept: 'application/json',
    'content-type': 'application/x-www-form-urlencoded',
  });
  await provider.clientAuth(server, { client_id: provider.clientId }, body, headers);
  const answer = await world.fetch(server.token_endpoint, { method: 'POST', headers, body });
  const read = answerBody.safeParse(await answer.json().catch(() => ({})));
  return {
    status: answer.status,
    error: read.data?.error ?? null,
    description: read.data?.error_description ?? read.data?.error ?? `status ${answer.status}`,
    accessToken: read.data?.access_token ?? null,
  };
}

/** Where the gateway's own client may have a token for itself, that is one as agents have. */
async function tryAgentToken(world: OidcDoctorWorld, server: Document): Promise<Bearer | undefined> {
  const { provider, fetch, now } = world;
  if (!provider.bearer) return undefined;
  const { accessToken } = await askToken(world, server, { grant_type: 'client_credentials' });
  if (!accessToken) return undefined;
  const { claims, header } = await verifyProviderToken(accessToken, [trust(provider, fetch, now)], now);
  return provider.bearer(claims, header);
}
