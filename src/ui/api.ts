import { infiniteQueryOptions, queryOptions } from '@tanstack/react-query';
import type { ServerScope } from '../contract/access.ts';
import type { Agent, AgentInfo } from '../contract/agents/agents.ts';
import type { AuditEventInFull, AuditEventShown, AuditSummary } from '../contract/audit.ts';
import { ApiError, connect } from '../contract/client.ts';
import type { Diagnosis } from '../contract/diagnosis/doctor.ts';
import type { Me, SignInFault } from '../contract/people/sign-in.ts';
import type { Server, Tool } from '../contract/servers/servers.ts';
import type { SettingInForce } from '../contract/system.ts';
import { t } from './words/words.ts';

export type {
  Agent,
  AgentInfo,
  AuditEventInFull,
  AuditEventShown,
  AuditSummary,
  Diagnosis,
  Me,
  Server,
  ServerScope,
  SettingInForce,
  Tool,
};
export { ApiError };

let csrfToken: string | null = null;

/** The API of the gateway that served this page, as typed calls; changes carry the session's CSRF token. */
export const api = connect(
  location.origin,
  (): Record<string, string> => (csrfToken === null ? {} : { 'x-csrf-token': csrfToken }),
);

/** Who is signed in, and what they may do. */
export const meQuery = queryOptions({
  queryKey: ['me'],
  queryFn: async ({ signal }) => {
    const me = await api('auth.me', { signal });
    csrfToken = me.csrf_token;
    return me;
  },
  staleTime: 60_000,
});

/** Where people can sign in. */
export const providersQuery = queryOptions({
  queryKey: ['providers'],
  queryFn: ({ signal }) => api('auth.providers', { signal }),
  staleTime: 60_000,
});

/** Why a sign-in failed in this browser, in the gateway's words; null when there is nothing under that correlation id. */
export const signInFaultQuery = (correlationId: string) =>
  queryOptions({
    queryKey: ['sign-in-fault', correlationId],
    queryFn: async ({ signal }) => {
      const answer = await fetch(`/oauth2/fault/${encodeURIComponent(correlationId)}`, { signal });
      return answer.ok ? ((await answer.json()) as SignInFault) : null;
    },
    enabled: correlationId !== '',
    staleTime: Number.POSITIVE_INFINITY,
    retry: 1,
  });

/** The version of the gateway that runs. */
export const versionQuery = queryOptions({
  queryKey: ['version'],
  queryFn: ({ signal }) => api('system.version', { signal }),
  staleTime: Number.POSITIVE_INFINITY,
});

/** The process that runs and its settings, for administrators. */
export const processQuery = queryOptions({
  queryKey: ['process'],
  queryFn: ({ signal }) => api('system.process', { signal }),
  staleTime: 60_000,
});

/** The OpenAPI document of this gateway. */
export const openApiQuery = queryOptions({
  queryKey: ['openapi'],
  // The endpoint gives its text as it is; here it comes as the JSON that it is.
  queryFn: async ({ signal }) =>
    (await api('system.openapi', { signal })) as unknown as Readonly<Record<string, unknown>>,
  staleTime: Number.POSITIVE_INFINITY,
});

/** Every server that the caller may see; asked again every 20 s while the page is in front. */
export const serversQuery = queryOptions({
  queryKey: ['servers'],
  queryFn: ({ signal }) => api('servers.list', { query: { limit: 2000 }, signal }),
  refetchInterval: 20_000,
});

/** The first part of the key of every single server. */
export const serverKey = 'server';

/** One server as the caller may see it. */
export function serverQuery(path: string) {
  return queryOptions({
    queryKey: [serverKey, path],
    queryFn: ({ signal }) => api('servers.get', { params: { path }, signal }),
    refetchInterval: 20_000,
  });
}

/** When the health of a server became another. */
export function historyQuery(path: string) {
  return queryOptions({
    queryKey: [serverKey, path, 'history'],
    queryFn: ({ signal }) => api('servers.history', { params: { path }, signal }),
  });
}

/** The tools of one server that the caller may call. */
export function toolsQuery(path: string) {
  return queryOptions({
    queryKey: ['tools', path],
    queryFn: ({ signal }) => api('servers.tools', { params: { path }, signal }),
    staleTime: 60_000,
  });
}

/** Who may use a server, for administrators. */
export function serverAccessQuery(path: string) {
  return queryOptions({
    queryKey: ['server-access', path],
    queryFn: ({ signal }) => api('access.server', { params: { path }, signal }),
  });
}

/** Every agent that the caller may see; asked again every minute while the page is in front. */
export const agentsQuery = queryOptions({
  queryKey: ['agents'],
  queryFn: ({ signal }) => api('agents.list', { query: { limit: 2000 }, signal }),
  refetchInterval: 60_000,
});

/** The programs that people sign in from, for administrators. */
export const programsQuery = queryOptions({
  queryKey: ['oauth-clients'],
  queryFn: ({ signal }) => api('oauthClients.list', { query: { limit: 1000, skip: 0 }, signal }),
});

/** One agent with its card, for those who may get it. */
export function agentQuery(path: string) {
  return queryOptions({
    queryKey: ['agent', path],
    queryFn: ({ signal }) => api('agents.get', { params: { path }, signal }),
    staleTime: 60_000,
  });
}

/** The card of an agent as it was registered, to the byte. */
export function agentCardQuery(path: string) {
  return queryOptions({
    queryKey: ['agent', path, 'card'],
    queryFn: ({ signal }) => cardText(path, signal),
  });
}

/** One agent with its card to the byte, for its form: the card is never older than the revision beside it. */
export function agentInFullQuery(path: string) {
  return queryOptions({
    queryKey: ['agent', path, 'edit'],
    queryFn: async ({ signal }) => {
      const agent = await api('agents.get', { params: { path }, signal });
      return { agent, card: await cardText(path, signal) };
    },
    refetchInterval: 20_000,
  });
}

async function cardText(path: string, signal: AbortSignal): Promise<string> {
  // The typed call would read it as JSON.
  const answer = await fetch(`/api/agents${path.split('/').map(encodeURIComponent).join('/')}/card`, {
    signal,
  });
  if (answer.ok) return answer.text();
  // For the failure in the gateway's words.
  await api('agents.get', { params: { path }, signal });
  throw new Error(t('The gateway answered {status}.', { status: answer.status }));
}

/** The caller's personal tokens, newest first; never the tokens themselves. */
export const tokensQuery = queryOptions({
  queryKey: ['tokens', 'mine'],
  queryFn: ({ signal }) => api('tokens.list', { query: {}, signal }),
});

/** The first part of the key of every list of tokens. */
export const tokensKey = 'tokens';

/** Everybody's tokens, for administrators: by id or words, active, ended or all (`''`). */
export function allTokensQuery(q: string, state: 'active' | 'ended' | '') {
  return queryOptions({
    queryKey: [tokensKey, 'all', q, state],
    queryFn: ({ signal }) =>
      api('tokens.list', { query: { all: 'true', ...(q && { q }), ...(state && { state }) }, signal }),
  });
}

/** A browser session as the list has it. */
export type Session = Awaited<ReturnType<typeof api<'sessions.list'>>>['sessions'][number];

/** The first part of the key of every list of sessions. */
export const sessionsKey = 'sessions';

/** Living browser sessions: the caller's own, or everybody's for administrators. */
export function sessionsQuery(all: boolean) {
  return queryOptions({
    queryKey: [sessionsKey, all],
    queryFn: ({ signal }) => api('sessions.list', { query: all ? { all: 'true' } : {}, signal }),
  });
}

/** An account of the directory as the list has it. */
export type Account = Awaited<ReturnType<typeof api<'users.list'>>>['users'][number];

/** The first part of the key of every list of accounts. */
export const accountsKey = 'accounts';

/** The accounts whose name begins with `search`, a hundred at a time. */
export function accountsQuery(search: string) {
  return infiniteQueryOptions({
    queryKey: [accountsKey, search],
    queryFn: ({ pageParam, signal }) =>
      api('users.list', {
        query: { limit: 100, ...(search ? { search } : {}), ...(pageParam ? { from: pageParam } : {}) },
        signal,
      }),
    initialPageParam: '',
    getNextPageParam: ({ next }) => next,
  });
}

/** What the doctor finds, for administrators; the gateway looks anew when its last look is older than `maxAge` seconds. */
export function doctorQuery(maxAge: number) {
  return queryOptions({
    queryKey: ['doctor'],
    queryFn: ({ signal }) => api('system.doctor', { query: { max_age: maxAge }, signal }),
    staleTime: 600_000,
  });
}

/** Makes the token by which this page itself calls servers through the gateway. */
export function mintForPage() {
  return api('tokens.generate', {
    body: { expires_in_hours: 1, description: 'Web page: test and try tools' },
  });
}

/** Revokes a token although the page is being left. */
export function revokeOnLeave(id: string): Promise<unknown> {
  return fetch(`/api/tokens/${encodeURIComponent(id)}`, {
    method: 'DELETE',
    headers: { 'x-csrf-token': csrfToken ?? '' },
    keepalive: true,
  });
}

/** True for an answer 401: nobody is signed in any more. */
export function isSignedOut(error: unknown): boolean {
  return error instanceof ApiError && error.status === 401;
}

/** Ends the session here and, where the provider offers it, there; leaves the page for where the gateway says. */
export async function signOut(): Promise<void> {
  const response = await fetch('/logout', {
    method: 'POST',
    headers: { accept: 'application/json', 'x-csrf-token': csrfToken ?? '' },
  });
  // 401: the session had ended already, which is what was asked for.
  if (!response.ok && response.status !== 401)
    throw new Error(
      t('The gateway answered {status}; you are still signed in. Try again.', { status: response.status }),
    );
  const answer: unknown = await response.json().catch(() => null);
  location.assign(pageOf(answer));
}

function pageOf(answer: unknown): string {
  const here = '/signed-out';
  if (typeof answer !== 'object' || answer === null || !('redirect' in answer)) return here;
  if (typeof answer.redirect !== 'string' || !URL.canParse(answer.redirect, location.origin)) return here;
  const url = new URL(answer.redirect, location.origin);
  return url.protocol === 'https:' || url.protocol === 'http:' ? url.href : here;
}
