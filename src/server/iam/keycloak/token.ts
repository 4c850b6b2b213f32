import { z } from 'zod';
import { Failure } from '../../failure/errors.ts';
import type { Fetch } from '../../net/outbound.ts';
import type { TokenSource } from '../../provider/graph.ts';

/** Where tokens are asked for. */
export interface TokenWorld {
  /** `https://sso.example.com/realms/company`. */
  readonly realmUrl: string;
  readonly fetch: Fetch;
}

/** What a client proves itself with, or a person who lets the client act (resource owner password credentials). */
export type Credential =
  | { readonly clientId: string; readonly clientSecret: string }
  | { readonly clientId: string; readonly username: string; readonly password: string };

const granted = z.object({ access_token: z.string(), expires_in: z.number() });
const refused = z.object({ error: z.string(), error_description: z.string().catch('') });

/** An access token for a credential; `directory_denied` says why it gets none. */
export async function askToken(world: TokenWorld, credential: Credential): Promise<z.output<typeof granted>> {
  const body = await world
    .fetch(`${world.realmUrl}/protocol/openid-connect/token`, {
      method: 'POST',
      headers: { 'content-type': 'application/x-www-form-urlencoded', accept: 'application/json' },
      body: new URLSearchParams(formOf(credential)).toString(),
    })
    .then((answer) => answer.json() as Promise<unknown>)
    .catch((cause: unknown) => {
      const why = cause instanceof Failure ? cause.message : 'It did not return JSON.';
      throw new Failure('directory_unavailable', `Keycloak did not return a token. ${why}`, { cause });
    });
  const read = granted.safeParse(body);
  if (read.success) return read.data;
  const { error, error_description: words } = refused.catch({ error: '', error_description: '' }).parse(body);
  if (error === '')
    throw new Failure('directory_unavailable', 'Keycloak returned neither a token nor an error.');
  throw new Failure(
    'directory_denied',
    `Keycloak gives ${whoIs(credential)} no token: ${words || error} (${error}).${remedies[error] ?? ''}`,
  );
}

function formOf(credential: Credential): Record<string, string> {
  const { clientId: client_id } = credential;
  if ('clientSecret' in credential)
    return { grant_type: 'client_credentials', client_id, client_secret: credential.clientSecret };
  const { username, password } = credential;
  return { grant_type: 'password', client_id, username, password };
}

/** As messages call it. */
export function whoIs(credential: Credential): string {
  return 'username' in credential ? `the user ${credential.username}` : `the client ${credential.clientId}`;
}

const remedies: Readonly<Record<string, string>> = {
  invalid_client: ' Check its id and copy its secret again from the tab Credentials.',
  invalid_grant:
    ' Check the user name and the password; an account with a second factor cannot be used here, a client can.',
  unauthorized_client: ' Check its secret, and that Service accounts roles is on for it.',
};

/** The token for that credential, kept until half a minute before its end, asked for once at a time. */
export function clientToken(
  world: TokenWorld & { readonly now: () => number },
  credential: Credential,
): TokenSource {
  let kept: { token: string; until: number } | undefined;
  let pending: Promise<string> | undefined;
  const ask = async (): Promise<string> => {
    const { access_token: token, expires_in } = await askToken(world, credential);
    kept = { token, until: world.now() + (expires_in - 30) * 1000 };
    return token;
  };
  return (again) => {
    if (!again && kept && world.now() < kept.until) return Promise.resolve(kept.token);
    pending ??= ask().finally(() => {
      pending = undefined;
    });
    return pending;
  };
}
