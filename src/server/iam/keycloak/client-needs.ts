import type { FullClient } from './clients.ts';

/** What a client has to be for people to sign in with it: docs/providers/keycloak.md, step 1. */
export interface ClientNeed {
  /** What is wrong while it is not met. */
  readonly fault: string;
  /** What is done about it. */
  readonly change: string;
  /** Whether nobody can sign in without it. */
  readonly isVital: boolean;
  isMet(client: FullClient): boolean;
  /** The client as it has to be. */
  met(client: FullClient): FullClient;
}

const postLogout = 'post.logout.redirect.uris';
const pkce = 'pkce.code.challenge.method';

/** What the gateway's own client has to be for this callback. */
export function needsOf(callback: string): readonly ClientNeed[] {
  return [
    {
      fault: `${callback} is not exactly one of the valid redirect URIs`,
      change: `add the redirect URI ${callback}`,
      isVital: false, // A pattern may cover it; whether one does, the sign-in page tells.
      isMet: (client) => redirectUrisOf(client).includes(callback),
      met: (client) => ({ ...client, redirectUris: [...client.redirectUris, callback] }),
    },
    {
      fault: `${callback} is not among the valid post logout redirect URIs`,
      change: `let people come back to ${callback} after they have signed out`,
      isVital: false,
      isMet: (client) => postLogoutUrisOf(client).includes(callback),
      met: (client) =>
        withAttribute(client, postLogout, [...listed(client.attributes?.[postLogout]), callback].join('##')),
    },
    {
      fault: 'PKCE with S256 is not required',
      change: 'require PKCE with S256',
      isVital: false,
      isMet: (client) => client.attributes?.[pkce] === 'S256',
      met: (client) => withAttribute(client, pkce, 'S256'),
    },
    flagNeed('publicClient', false, 'Client authentication', true),
    flagNeed('standardFlowEnabled', true, 'Standard flow', true),
    flagNeed('implicitFlowEnabled', false, 'Implicit flow', false),
    flagNeed('directAccessGrantsEnabled', false, 'Direct access grants', false),
  ];
}

/** The redirect URIs in full. */
export function redirectUrisOf({ rootUrl, redirectUris }: FullClient): string[] {
  return redirectUris.map((uri) => (uri.startsWith('/') ? `${rootUrl ?? ''}${uri}` : uri));
}

/** `+` stands for all redirect URIs. */
function postLogoutUrisOf(client: FullClient): string[] {
  const given = listed(client.attributes?.[postLogout]);
  return given.includes('+') ? [...given, ...redirectUrisOf(client)] : given;
}

function listed(value: string | null | undefined): string[] {
  return value ? value.split('##') : [];
}

function withAttribute(client: FullClient, name: string, value: string): FullClient {
  return { ...client, attributes: { ...client.attributes, [name]: value } };
}

type Flag = 'publicClient' | 'standardFlowEnabled' | 'implicitFlowEnabled' | 'directAccessGrantsEnabled';

/** `name` is what the admin console calls it: authentication is on where the client is not public. */
function flagNeed(flag: Flag, wanted: boolean, name: string, isVital: boolean): ClientNeed {
  const isOn = flag === 'publicClient' ? !wanted : wanted;
  return {
    fault: `${name} is ${isOn ? 'off' : 'on'}`,
    change: `turn ${name} ${isOn ? 'on' : 'off'}`,
    isVital,
    isMet: (client) => (client[flag] ?? false) === wanted,
    met: (client) => ({ ...client, [flag]: wanted }),
  };
}
