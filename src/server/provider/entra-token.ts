import { z } from 'zod';
import {
  aadstsCodeIn,
  aadstsHelpIn,
  aadstsLine,
  aadstsTraceIn,
  isPassing,
} from '../../contract/diagnosis/aadsts.ts';
import { Failure } from '../failure/errors.ts';
import type { Fetch } from '../net/outbound.ts';
import type { TokenSource } from './graph.ts';

/** What proves to Entra ID who asks: `client_id` with a secret, or with an assertion. */
export type ClientProof = () => Promise<Readonly<Record<string, string>>>;

/** Where and how tokens are asked for. */
export interface TokenWorld {
  /** `https://login.microsoftonline.com` or that of another cloud. */
  readonly loginBaseUrl: string;
  /** GUID, verified domain, or `organizations`. */
  readonly tenant: string;
  readonly fetch: Fetch;
}

/** A token endpoint's answer that is no token. */
export class TokenFailure extends Failure {
  /** OAuth's word, such as `invalid_client` or `authorization_pending`. */
  readonly error: string;
  /** The AADSTS code, where there is one. */
  readonly aadsts: number | undefined;
  constructor(answer: { error: string; error_description: string }, cause: unknown) {
    const help = aadstsHelpIn(cause);
    const { traceId, correlationId } = aadstsTraceIn(answer.error_description);
    const ids = traceId ? ` (trace id ${traceId}, correlation id ${correlationId ?? 'none'})` : '';
    const said = answer.error_description.split('Trace ID:', 1)[0]?.trimEnd() || answer.error;
    super('directory_denied', `${help ? aadstsLine(help) : said}${ids}`);
    this.name = 'TokenFailure';
    this.error = answer.error;
    this.aadsts = aadstsCodeIn(cause);
  }
}

const granted = z.object({
  access_token: z.string(),
  expires_in: z.number(),
  id_token: z.string().optional(),
});
const refused = z.object({ error: z.string(), error_description: z.string().catch('') });

/** OAuth's words for trouble that passes (RFC 6749, section 4.1.2.1). */
const passing = new Set(['temporarily_unavailable', 'server_error']);

/** Asks the token endpoint; throws a TokenFailure, or `directory_unavailable` when it cannot be asked. */
export async function askToken(
  world: TokenWorld,
  form: Readonly<Record<string, string>>,
): Promise<z.output<typeof granted>> {
  const body = await postForm(world, 'token', form);
  const read = granted.safeParse(body);
  if (read.success) return read.data;
  const error = refused.safeParse(body);
  if (error.success && (passing.has(error.data.error) || isPassing(aadstsCodeIn(body))))
    throw new Failure(
      'directory_unavailable',
      'Entra ID issues no tokens at the moment; try again in a minute.',
    );
  if (error.success) throw new TokenFailure(error.data, body);
  throw new Failure('directory_unavailable', 'Entra ID returned neither a token nor an error.');
}

/** Posts to an OAuth endpoint of the tenant (`token`, `devicecode`) and answers the JSON body, whatever its status. */
export async function postForm(
  world: TokenWorld,
  endpoint: string,
  form: Readonly<Record<string, string>>,
): Promise<unknown> {
  const { loginBaseUrl, tenant } = world;
  try {
    const answer = await world.fetch(
      `${loginBaseUrl}/${encodeURIComponent(tenant)}/oauth2/v2.0/${endpoint}`,
      {
        method: 'POST',
        headers: { 'content-type': 'application/x-www-form-urlencoded', accept: 'application/json' },
        body: new URLSearchParams(form).toString(),
      },
    );
    return await answer.json();
  } catch (cause) {
    const why = cause instanceof Failure ? cause.message : 'It did not return JSON.';
    throw new Failure('directory_unavailable', `Entra ID (${loginBaseUrl}) cannot be asked. ${why}`, {
      cause,
    });
  }
}

/** The token of the application itself (client credentials), kept until five minutes before its end, asked for once at a time. */
export function appToken(
  world: TokenWorld & { readonly now: () => number },
  proof: ClientProof,
  scope: string,
): TokenSource {
  let kept: { token: string; until: number } | undefined;
  let pending: Promise<string> | undefined;
  const ask = async (claims: string | null): Promise<string> => {
    const form = {
      grant_type: 'client_credentials',
      scope,
      ...(await proof()),
      ...(claims ? { claims } : {}),
    };
    const { access_token: token, expires_in } = await askToken(world, form);
    kept = { token, until: world.now() + (expires_in - 300) * 1000 };
    return token;
  };
  return (again) => {
    if (!again && kept && world.now() < kept.until) return Promise.resolve(kept.token);
    pending ??= ask(again?.claims ?? null).finally(() => {
      pending = undefined;
    });
    return pending;
  };
}

/** The claims of a token that is not ours to verify, for what it says of our own permissions. */
export function readClaims(token: string): Record<string, unknown> {
  try {
    return JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString());
  } catch {
    return {};
  }
}
