import { z } from 'zod';
import { Failure } from '../failure/errors.ts';
import type { Fetch } from '../net/outbound.ts';
import type { Member } from './provider.ts';
import { SignInAgain } from './sign-in-again.ts';

/** Graph's documented ceiling is about 11,000 ids in one answer; more pages or ids than this are not read. */
const maxPages = 20;
const maxIds = 20_000;
/** Milliseconds for everything that one question takes. */
const timeLimit = 20_000;

const page = z.object({ value: z.array(z.string()), '@odata.nextLink': z.string().optional() });
const account = z.object({ accountEnabled: z.boolean().nullish() });

const remedies = {
  self: "grant the delegated permission 'User.Read' (guide, step 5)",
  person: "grant the gateway's application the permission 'User.Read.All' with admin consent",
  agent:
    "put the groups claim into access tokens (guide, step 7), or grant the gateway's application the permission " +
    "'Application.Read.All' with admin consent",
};

/**
 * Asks Microsoft Graph in which groups somebody is, directly or through others: object ids. The address is always our own,
 * never one from a token. Throws `groups_incomplete` when Graph refuses, `groups_unavailable` when it does not answer,
 * `credential_revoked` for a disabled or deleted account, SignInAgain for a claims challenge.
 */
export async function readGraphGroups(
  base: string,
  who: Member | 'self',
  accessToken: string,
  send: Fetch,
): Promise<readonly string[]> {
  const kind = who === 'self' ? 'self' : who.kind;
  const signal = AbortSignal.timeout(timeLimit);
  const ask = (url: string, init: RequestInit = {}) => {
    const headers = { ...init.headers, authorization: `Bearer ${accessToken}`, accept: 'application/json' };
    return answerOf(send(url, { ...init, headers, signal }), kind);
  };
  const root = `${base}/v1.0/${who === 'self' ? 'me' : pathOf(who)}`;
  try {
    const [ids] = await Promise.all([
      readAll(ask, `${root}/getMemberObjects`, new URL(base).origin),
      kind === 'person' ? requireEnabled(ask, root) : undefined,
    ]);
    return ids;
  } catch (error) {
    // Failures of the way out (no connection, no answer in time) are about Graph, not about a server of ours.
    const ours = error instanceof Failure && !error.code.startsWith('upstream_');
    throw ours ? error : unavailable(error);
  }
}

type Ask = (url: string, init?: RequestInit) => Promise<unknown>;

async function readAll(ask: Ask, url: string, origin: string): Promise<string[]> {
  const ids = new Set<string>();
  const first = {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ securityEnabledOnly: true }),
  };
  let next: string | undefined = url;
  for (let pages = 0; next !== undefined; pages++) {
    // The token goes nowhere else, whatever an answer says.
    if (new URL(next).origin !== origin) throw unavailable(new Error('nextLink leads to another host'));
    if (pages >= maxPages || ids.size > maxIds) throw unavailable(new Error('more groups than are read'));
    const answer = page.parse(await ask(next, pages === 0 ? first : {}));
    for (const id of answer.value) ids.add(id);
    next = answer['@odata.nextLink'];
  }
  return [...ids];
}

/** A disabled account keeps its groups, so they alone would let it go on. */
async function requireEnabled(ask: Ask, root: string): Promise<void> {
  const { accountEnabled } = account.parse(await ask(`${root}?$select=accountEnabled`));
  if (accountEnabled === false)
    throw new Failure('credential_revoked', 'This account is disabled at the identity provider.');
  if (accountEnabled !== true) throw refused('person', undefined);
}

async function answerOf(sent: Promise<Response>, kind: keyof typeof remedies): Promise<unknown> {
  const response = await sent;
  if (response.ok) return response.json();
  const body = await response.text();
  const { status } = response;
  const cause = Object.assign(new Error(`Microsoft Graph answered ${status}: ${body.slice(0, 500)}`), {
    status,
  });
  const claims = /\bclaims="([A-Za-z0-9+/=_-]{1,4000})"/.exec(response.headers.get('www-authenticate') ?? '');
  if (response.status === 401 && claims && kind === 'self')
    throw new SignInAgain(Buffer.from(claims[1] ?? '', 'base64').toString('utf8'), cause);
  if (response.status === 403) throw refused(kind, cause);
  if (response.status === 404 && kind === 'person')
    throw new Failure('credential_revoked', 'The identity provider does not know this account any more.', {
      cause,
    });
  if (response.status === 404)
    throw new Failure(
      'groups_incomplete',
      'The groups cannot be read: Microsoft Graph does not know this account yet.',
      {
        cause,
      },
    );
  throw unavailable(cause);
}

function pathOf({ kind, subject }: Member): string {
  return `${kind === 'agent' ? 'servicePrincipals' : 'users'}/${encodeURIComponent(subject)}`;
}

function refused(kind: keyof typeof remedies, cause: unknown): Failure {
  return new Failure(
    'groups_incomplete',
    `The groups cannot be read: Microsoft Graph refuses to tell them. An administrator can ${remedies[kind]}.`,
    { cause },
  );
}

function unavailable(error: unknown): Failure {
  return new Failure(
    'groups_unavailable',
    'The groups cannot be read: Microsoft Graph cannot be asked right now; try again soon.',
    { cause: error },
  );
}
