import { isObject } from '../../contract/values/json.ts';
import { Failure } from '../failure/errors.ts';
import type { Fetch } from '../net/outbound.ts';
import type { Given } from './store.ts';

/** The client that the gateway is at an authorization server, and where that gives tokens. */
export interface TokenClient {
  readonly tokenUrl: string;
  readonly clientId: string;
  /** Absent for a public client. */
  readonly secret?: string | undefined;
  readonly method: 'client_secret_basic' | 'client_secret_post' | 'none';
}

/** Tokens as they were given, with what else may be told of them. */
export interface Tokens extends Given {
  /** The claims of an ID token that came along, unverified: they only name the account, and came over TLS from the issuer. */
  readonly idClaims: Readonly<Record<string, unknown>>;
}

/** The authorization server refused: its error code, such as `invalid_grant`, which alone means that a grant is over. */
export class TokenRefused extends Error {
  readonly error: string;
  readonly description: string;
  constructor(error: string, description: string) {
    super(`the authorization server refused: ${error}`);
    this.error = error;
    this.description = description;
  }
}

const longestDescription = 300;

/** What is asked of an authorization server is small, and its answer too: the limits of the way there, as `outbound` takes them. */
export const authorityLimits = { headersMs: 10_000, totalMs: 15_000, maxBytes: 256 << 10 };

/**
 * Asks an authorization server for tokens (RFC 6749, section 3.2). Throws `TokenRefused` for its own refusal, and
 * `connection_unavailable` when it cannot be reached or says nothing that can be understood: then nothing is known.
 */
export async function askForTokens(
  send: Fetch,
  client: TokenClient,
  parameters: Readonly<Record<string, string | undefined>>,
  now: () => number,
): Promise<Tokens> {
  const { headers, body: text } = authenticated(client, parameters);
  const body = new URLSearchParams(text);
  let response: Response;
  let said: unknown;
  try {
    response = await send(client.tokenUrl, { method: 'POST', headers, body: text });
    said = await response.json().catch(() => undefined);
  } catch (cause) {
    throw unavailable(cause);
  }
  const answer = isObject(said) ? said : {};
  // Some say `error` with status 200 (GitHub, Slack).
  if (typeof answer.error === 'string' && response.status < 500 && response.status !== 429) {
    // What is said there goes into the log, and some repeat what they were sent.
    const plain = withoutSecrets(body, client.secret);
    throw new TokenRefused(plain(answer.error, 100), plain(answer.error_description, longestDescription));
  }
  if (!response.ok) throw unavailable(new Error(`status ${response.status}`));
  return tokensIn(answer, now());
}

/** A request of the client to its authorization server, as a form. */
export function authenticated(
  client: TokenClient,
  parameters: Readonly<Record<string, string | undefined>>,
): { readonly headers: Record<string, string>; readonly body: string } {
  const body = new URLSearchParams();
  for (const [name, value] of Object.entries(parameters)) if (value !== undefined) body.set(name, value);
  const headers: Record<string, string> = {
    'content-type': 'application/x-www-form-urlencoded',
    // GitHub gives a form unless JSON is asked for.
    accept: 'application/json',
  };
  // One way of proving at a time (RFC 6749, section 2.3.1); names and secrets are form-encoded in Basic.
  if (client.method === 'client_secret_basic' && client.secret !== undefined)
    headers.authorization = `Basic ${Buffer.from(`${formEncoded(client.clientId)}:${formEncoded(client.secret)}`).toString('base64')}`;
  else {
    body.set('client_id', client.clientId);
    if (client.secret !== undefined) body.set('client_secret', client.secret);
  }
  return { headers, body: body.toString() };
}

/** Text of others without what was sent to them in confidence, and without control characters; shortened. */
function withoutSecrets(sent: URLSearchParams, secret = ''): (text: unknown, longest: number) => string {
  const confidential = [
    'refresh_token',
    'code',
    'code_verifier',
    'client_secret',
    'assertion',
    'subject_token',
  ];
  const secrets = [secret, ...confidential.map((name) => sent.get(name) ?? '')].filter(
    (one) => one.length >= 8,
  );
  return (text, longest) => {
    if (typeof text !== 'string') return '';
    const plain = secrets.reduce((left, one) => left.replaceAll(one, '[removed]'), text);
    return plain.replaceAll(/[^\x20-\x7e]/g, ' ').slice(0, longest);
  };
}

function tokensIn(answer: Readonly<Record<string, unknown>>, now: number): Tokens {
  const {
    access_token: access,
    refresh_token: refresh,
    expires_in: seconds,
    scope,
    id_token: idToken,
    token_type: type,
  } = answer;
  // A token of a type that is not understood must not be used (RFC 6749, section 7.1). Slack says whose token it is.
  if (type !== undefined && !(typeof type === 'string' && /^(?:bearer|user)$/i.test(type)))
    throw unavailable(new Error('the tokens are of a type that the gateway does not use'));
  if (typeof access !== 'string' || !/^[\x21-\x7e]{1,16384}$/.test(access))
    throw unavailable(new Error('there is no usable access_token in the answer'));
  const lasts = typeof seconds === 'number' ? seconds : Number(seconds ?? Number.NaN);
  return {
    access,
    accessExpiresAt: Number.isFinite(lasts) && lasts >= 0 ? now + Math.min(lasts, 10 ** 9) * 1000 : null,
    refresh: typeof refresh === 'string' && refresh !== '' ? refresh : null,
    // GitHub separates with commas.
    scopes: typeof scope === 'string' ? scope.split(/[\s,]+/).filter(Boolean) : [],
    idClaims: typeof idToken === 'string' ? claimsIn(idToken) : {},
  };
}

/** The claims of a token in JWT form, unverified; empty for one in another form. */
function claimsIn(token: string): Readonly<Record<string, unknown>> {
  try {
    const claims: unknown = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString('utf8'));
    return isObject(claims) ? claims : {};
  } catch {
    return {};
  }
}

/** Refuses a token in JWT form that is for somebody else than it was asked for: some servers ignore the audience. */
export function requireAudience(access: string, audience: string): void {
  const { aud } = claimsIn(access);
  const named = Array.isArray(aud) ? aud : [aud];
  if (aud === undefined || named.includes(audience)) return;
  throw new Failure(
    'connection_refused',
    "The authorization server gave a token for another audience than this server's; an administrator has to set the audience there, or target_audience here.",
  );
}

function formEncoded(text: string): string {
  return new URLSearchParams({ a: text }).toString().slice(2);
}

function unavailable(cause: unknown): Failure {
  return new Failure(
    'connection_unavailable',
    'The authorization server of this server is not available at the moment; try again soon.',
    { cause },
  );
}
