import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import type { ManagedIdentity } from '../config/config-entra.ts';
import { Failure } from '../failure/errors.ts';
import { wayToManagedIdentity } from '../net/outbound.ts';

/** A token is asked for anew so many milliseconds before its end. */
const early = 300_000;
/** Milliseconds before each further attempt: the endpoint may be starting, or be asked too often. */
const waits = [300, 1000];

/** `expires_on` is in seconds since 1970, as text or as a number. */
const granted = z.object({ access_token: z.string().min(1), expires_on: z.coerce.number() });
const refused = z.object({
  error: z.string().optional(),
  error_description: z.string().optional(),
  message: z.string().optional(),
});

/** The time, as far as tokens depend on it. */
interface TokenWorld {
  readonly now: () => number;
  readonly pause: (milliseconds: number) => Promise<unknown>;
}

/** The audience of tokens that Entra ID takes as a client assertion, by the cloud of its login host. */
export function exchangeAudience(loginBaseUrl = ''): string {
  const host = URL.canParse(loginBaseUrl) ? new URL(loginBaseUrl).hostname : '';
  const cloud = host.endsWith('.us') ? 'USGov' : host.endsWith('.cn') ? 'China' : '';
  return `api://AzureADTokenExchange${cloud}`;
}

/**
 * Gives tokens of a managed identity for `audience`: kept until five minutes before their end, asked for once at a time.
 * Throws `identity_unavailable`, whose cause says what the endpoint said.
 */
export function managedIdentityToken(
  identity: ManagedIdentity,
  audience: string,
  { now, pause }: TokenWorld = { now: Date.now, pause: sleep },
): () => Promise<string> {
  let kept: { token: string; until: number } | undefined;
  let pending: Promise<string> | undefined;
  const renew = async (): Promise<string> => {
    const { access_token: token, expires_on } = await ask(identity, audience, pause);
    kept = { token, until: expires_on * 1000 - early };
    return token;
  };
  return () => {
    if (kept && now() < kept.until) return Promise.resolve(kept.token);
    pending ??= renew().finally(() => {
      pending = undefined;
    });
    return pending;
  };
}

async function ask(
  identity: ManagedIdentity,
  audience: string,
  pause: TokenWorld['pause'],
): Promise<z.output<typeof granted>> {
  const { clientId, endpoint, header } = identity;
  const url = new URL(endpoint);
  // 2018-02-01 is what IMDS speaks, 2019-08-01 what App Service and Container Apps do.
  url.searchParams.set('api-version', header === null ? '2018-02-01' : '2019-08-01');
  url.searchParams.set('resource', audience);
  if (clientId) url.searchParams.set('client_id', clientId);
  const headers: Record<string, string> =
    header === null ? { metadata: 'true' } : { 'x-identity-header': header };
  try {
    const send = wayToManagedIdentity(endpoint);
    try {
      for (const wait of waits) {
        const answer = await send(url, { headers });
        if (!mayPass(answer.status)) return await read(answer);
        await answer.body?.cancel();
        await pause(wait);
      }
      return await read(await send(url, { headers }));
    } finally {
      await send.close();
    }
  } catch (cause) {
    throw new Failure(
      'identity_unavailable',
      "The gateway's managed identity returns no token (ENTRA_MANAGED_IDENTITY); the log has the details.",
      { cause },
    );
  }
}

function mayPass(status: number): boolean {
  return status === 404 || status === 410 || status === 429 || status >= 500;
}

async function read(answer: Response): Promise<z.output<typeof granted>> {
  const body: unknown = await answer.json().catch(() => null);
  if (answer.status === 200) {
    const token = granted.safeParse(body);
    if (token.success) return token.data;
    throw new Error('the managed identity endpoint answered 200 without a token');
  }
  const { error, error_description, message } = refused.safeParse(body).data ?? {};
  const said = [error, error_description ?? message].filter(Boolean).join(': ').slice(0, 300);
  throw new Error(`the managed identity endpoint answered ${answer.status}${said && `: ${said}`}`);
}
