import { setTimeout as delay } from 'node:timers/promises';
import { z } from 'zod';
import { asFailure, Failure } from '../failure/errors.ts';
import type { Fetch } from '../net/outbound.ts';
import type { Member } from './provider.ts';
import { isWorthRepeating, type Pause, retryAfter, waitBefore } from './retry.ts';
import { SignInAgain } from './sign-in-again.ts';

/** Pages that are read at most: 999 groups each, far more than Entra ID lets anybody be in. */
const maxPages = 60;
/** Milliseconds for everything that one question takes. */
const timeLimit = 20_000;
/** Milliseconds in which Graph may be asked again: as long as somebody waits for a sign-in, or a call for its answer. */
const patience = { self: 15_000, person: 4000, agent: 4000 };
/** Waits do not grow beyond those before this attempt: patience is what ends the attempts, not their number. */
const longestStep = 3;

/** Ids in one question of `checkMemberGroups`. */
const idsAtOnce = 20;
/** Groups that are asked about one by one at most: beyond them the pages of all groups are fewer requests. */
const mostAskedAbout = 13 * idsAtOnce;

/** Groups as scopes name them: object ids among others, perhaps behind the name of a provider. */
export type NamedGroups = () => Iterable<string>;

/** Milliseconds since 1970, and how to wait; tests make their own. */
export interface GraphTime {
  readonly now: () => number;
  readonly pause: Pause;
}

const realTime: GraphTime = {
  now: Date.now,
  pause: (milliseconds) => delay(milliseconds, undefined, { ref: false }),
};

const ids = z.object({ value: z.array(z.string()), '@odata.nextLink': z.string().optional() });
const groups = z.object({
  value: z.array(z.object({ id: z.string() })),
  '@odata.nextLink': z.string().optional(),
});
const account = z.object({ accountEnabled: z.boolean().nullish() });
const failed = z.object({ error: z.object({ code: z.string() }) });

const remedies = {
  self: "grant the delegated permission 'User.Read' (guide, step 5)",
  person: "grant the gateway's application the permission 'User.Read.All' with admin consent",
  agent:
    "put the groups claim into access tokens (guide, step 7), or grant the gateway's application the permission " +
    "'Application.Read.All' with admin consent",
};
type Kind = keyof typeof remedies;

/** An answer of Graph that is no success. */
interface Refusal extends Error {
  readonly status: number;
  /** `Directory_ResultSizeLimitExceeded` and the like; empty when the answer was not Graph's. */
  readonly code: string;
}

/**
 * Asks Microsoft Graph in which groups somebody is, directly or through others: object ids. The address is always our own,
 * never one from a token. Of somebody in more groups than one answer holds only those that are `named` are asked about, where
 * they are few. Graph is asked again as `retry.ts` says, within the time limit. Throws `groups_incomplete` when it
 * refuses, `groups_unavailable` when it does not answer, `credential_revoked` for a disabled or deleted account,
 * SignInAgain for a claims challenge.
 */
export async function readGraphGroups(
  base: string,
  who: Member | 'self',
  accessToken: string,
  send: Fetch,
  named: NamedGroups = () => [],
  { now, pause }: GraphTime = realTime,
): Promise<readonly string[]> {
  const kind = who === 'self' ? 'self' : who.kind;
  const began = now();
  const ask: Ask = async (url, init = {}) => {
    const headers = { ...init.headers, authorization: `Bearer ${accessToken}`, accept: 'application/json' };
    // What the questions here post for changes nothing, so each may be repeated.
    for (let next = 2; ; next += 1) {
      const signal = AbortSignal.timeout(Math.max(1, began + timeLimit - now()));
      const response = await send(url, { ...init, headers, signal });
      const wait = isWorthRepeating('GET', response.status)
        ? waitBefore(Math.min(next, longestStep), retryAfter(response.headers.get('retry-after')))
        : undefined;
      if (wait === undefined || now() + wait > began + patience[kind]) return answerOf(response, kind);
      await response.body?.cancel();
      await pause(wait);
    }
  };
  const root = `${base}/v1.0/${who === 'self' ? 'me' : pathOf(who)}`;
  try {
    const [found] = await Promise.all([
      readAll(ask, root, new URL(base).origin, named),
      kind === 'person' ? requireEnabled(ask, root) : undefined,
    ]);
    return found;
  } catch (error) {
    // Failures of the way out (no connection, no answer in time) are about Graph, not about a server of ours.
    const ours = error instanceof Failure && !error.code.startsWith('upstream_');
    throw ours ? error : unavailable(error);
  }
}

type Ask = (url: string, init?: RequestInit) => Promise<unknown>;

/** In one answer where they fit into one (11,000 ids), else those that count, else page by page. */
async function readAll(ask: Ask, root: string, origin: string, named: NamedGroups): Promise<string[]> {
  const question = posted({ securityEnabledOnly: true });
  try {
    return await readPages(ask, `${root}/getMemberObjects`, origin, question, (page) => {
      const { value, ...rest } = ids.parse(page);
      return { found: value, next: rest['@odata.nextLink'] };
    });
  } catch (error) {
    const { code } = ((error as Error).cause ?? {}) as Partial<Refusal>;
    if (code !== 'Directory_ResultSizeLimitExceeded') throw error;
  }
  const asked = objectIdsIn(named());
  if (asked.length > 0 && asked.length <= mostAskedAbout)
    try {
      return await checkEach(ask, root, asked);
    } catch (error) {
      // Who may read the pages may perhaps not ask this.
      if (asFailure(error).code !== 'groups_incomplete') throw error;
    }
  // Only ids and only security groups: the same question, cut into pages.
  const query = '$select=id&$top=999&$count=true&$filter=securityEnabled eq true';
  const url = `${root}/transitiveMemberOf/microsoft.graph.group?${encodeURI(query)}`;
  return readPages(ask, url, origin, { headers: { consistencylevel: 'eventual' } }, (page) => {
    const { value, ...rest } = groups.parse(page);
    return { found: value.map(({ id }) => id), next: rest['@odata.nextLink'] };
  });
}

function posted(body: object): RequestInit {
  return {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  };
}

/** Each id once; a scope names groups as `<id>` or `entra:<id>`, and other things besides. */
function objectIdsIn(named: Iterable<string>): string[] {
  const found = [...named].flatMap(
    (group) => /^(?:entra:)?([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})$/i.exec(group)?.[1] ?? [],
  );
  return [...new Set(found.map((id) => id.toLowerCase()))];
}

async function checkEach(ask: Ask, root: string, asked: readonly string[]): Promise<string[]> {
  const found: string[] = [];
  for (let at = 0; at < asked.length; at += idsAtOnce) {
    const question = posted({ groupIds: asked.slice(at, at + idsAtOnce) });
    found.push(...ids.parse(await ask(`${root}/checkMemberGroups`, question)).value);
  }
  return found;
}

async function readPages(
  ask: Ask,
  url: string,
  origin: string,
  first: RequestInit,
  read: (page: unknown) => { found: readonly string[]; next: string | undefined },
): Promise<string[]> {
  const all = new Set<string>();
  let next: string | undefined = url;
  for (let pages = 0; next !== undefined; pages++) {
    // The token goes nowhere else, whatever an answer says.
    if (new URL(next).origin !== origin) throw unavailable(new Error('nextLink leads to another host'));
    if (pages >= maxPages) throw unavailable(new Error('more groups than are read'));
    // Headers of the first question count for its further pages too, but nothing is posted again.
    const again = first.method === undefined ? first : {};
    const page = read(await ask(next, pages === 0 ? first : again));
    for (const id of page.found) all.add(id);
    next = page.next;
  }
  return [...all];
}

/** A disabled account keeps its groups, so they alone would let it go on. */
async function requireEnabled(ask: Ask, root: string): Promise<void> {
  const { accountEnabled } = account.parse(await ask(`${root}?$select=accountEnabled`));
  if (accountEnabled === false)
    throw new Failure('credential_revoked', 'This account is disabled at the identity provider.');
  if (accountEnabled !== true) throw refused('person', undefined);
}

async function answerOf(response: Response, kind: Kind): Promise<unknown> {
  if (response.ok) return response.json();
  const body = await response.text();
  const { status } = response;
  const cause: Refusal = Object.assign(
    new Error(`Microsoft Graph answered ${status}: ${body.slice(0, 500)}`),
    {
      ...{ status, code: codeIn(body) },
    },
  );
  const claims = /\bclaims="([A-Za-z0-9+/=_-]{1,4000})"/.exec(response.headers.get('www-authenticate') ?? '');
  if (response.status === 401 && claims && kind === 'self')
    throw new SignInAgain(Buffer.from(claims[1] ?? '', 'base64').toString('utf8'), cause);
  if (response.status === 403) throw refused(kind, cause);
  if (response.status === 404 && kind === 'person')
    throw new Failure('credential_revoked', 'The identity provider no longer knows this account.', {
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

function codeIn(body: string): string {
  try {
    return failed.parse(JSON.parse(body)).error.code;
  } catch {
    return '';
  }
}

function pathOf({ kind, subject }: Member): string {
  return `${kind === 'agent' ? 'servicePrincipals' : 'users'}/${encodeURIComponent(subject)}`;
}

function refused(kind: Kind, cause: unknown): Failure {
  return new Failure(
    'groups_incomplete',
    `The groups cannot be read: Microsoft Graph refuses to list them. An administrator can ${remedies[kind]}.`,
    { cause },
  );
}

function unavailable(error: unknown): Failure {
  return new Failure(
    'groups_unavailable',
    'The groups cannot be read: Microsoft Graph is not available at the moment; try again soon.',
    { cause: error },
  );
}
