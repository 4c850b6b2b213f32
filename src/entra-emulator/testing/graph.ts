import { type Emulator, shippedTenant } from '../main.ts';
import { askAgentToken, signInForTokens } from './sign-in.ts';

/** An answer of Graph, with its body parsed. */
export type Answer = {
  status: number;
  headers: Headers;
  // biome-ignore lint/suspicious/noExplicitAny: bodies of many shapes, only in tests
  body: Record<string, any>;
};

/** Calls Graph with one token. */
export type Client = (
  method: string,
  path: string,
  body?: unknown,
  headers?: Record<string, string>,
) => Promise<Answer>;

/** A Graph client that sends `token`; paths are below `/v1.0`, full URLs go where they say. */
export function graphClient(emulator: Emulator, token: string): Client {
  return async (method, path, body, headers = {}) => {
    const url = path.startsWith('http') ? path : `${emulator.graphOrigin}/v1.0${path}`;
    const response = await fetch(url, {
      method,
      headers: {
        authorization: `Bearer ${token}`,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    const isJson = response.headers.get('content-type')?.includes('json');
    return {
      status: response.status,
      headers: response.headers,
      body: isJson && text ? JSON.parse(text) : { text },
    };
  };
}

/** Graph as the administration application, with application permissions. */
export async function adminGraph(emulator: Emulator): Promise<Client> {
  return appGraph(emulator, shippedTenant.admin);
}

/** Graph as an application of the shipped tenant. */
export async function appGraph(
  emulator: Emulator,
  agent: { clientId: string; clientSecret: string },
): Promise<Client> {
  const { body } = await askAgentToken(emulator, agent, { scope: 'https://graph.microsoft.com/.default' });
  return graphClient(emulator, String(body.access_token));
}

/** Graph as a user who signed in at the gateway. */
export async function userGraph(emulator: Emulator, account: { objectId: string }): Promise<Client> {
  const { access_token } = await signInForTokens(emulator, account);
  return graphClient(emulator, String(access_token));
}

/** The headers of an advanced query. */
export const eventual = { consistencylevel: 'eventual' };
