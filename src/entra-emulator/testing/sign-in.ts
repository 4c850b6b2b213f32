import { type Emulator, shippedTenant } from '../main.ts';
import { type Browser, openBrowser } from './browser.ts';

type Values = Record<string, string>;

/** The redirect URI that the shipped gateway registration has, on some port. */
export const callback = 'http://localhost:7860/oauth2/callback/entra';

/** The URL of an authorize request of the gateway's client. */
export function authorizeUrl(emulator: Emulator, more: Values = {}, tenant = emulator.tenantId): URL {
  const url = new URL(`${emulator.origin}/${tenant}/oauth2/v2.0/authorize`);
  const values = {
    client_id: emulator.clientId,
    response_type: 'code',
    redirect_uri: callback,
    scope: 'openid profile email',
    state: 'some-state',
    nonce: 'some-nonce',
    ...more,
  };
  for (const [name, value] of Object.entries(values)) url.searchParams.set(name, value);
  return url;
}

/** Signs somebody in by one click and returns what came back to the client. */
export async function signIn(
  emulator: Emulator,
  account: { objectId: string } = shippedTenant.accounts.admin,
  more: Values = {},
  browser: Browser = openBrowser(),
): Promise<URLSearchParams> {
  const response = await browser.post(authorizeUrl(emulator, more), { emulator_account: account.objectId });
  const location = response.headers.get('location');
  if (!location) throw new Error(`no redirect: ${await response.text()}`);
  return new URL(location).searchParams;
}

/** Asks the token endpoint as the gateway's client. */
export async function askToken(
  emulator: Emulator,
  values: Values,
  path = 'oauth2/v2.0/token',
): Promise<{ status: number; body: Record<string, unknown>; headers: Headers }> {
  const response = await fetch(`${emulator.origin}/${emulator.tenantId}/${path}`, {
    method: 'POST',
    body: new URLSearchParams({
      client_id: emulator.clientId,
      client_secret: emulator.clientSecret,
      ...values,
    }),
  });
  const body = (await response.json()) as Record<string, unknown>;
  return { status: response.status, body, headers: response.headers };
}

/** Signs somebody in and redeems the code. */
export async function signInForTokens(
  emulator: Emulator,
  account: { objectId: string } = shippedTenant.accounts.admin,
  more: Values = {},
): Promise<Record<string, unknown>> {
  const code = (await signIn(emulator, account, more)).get('code') ?? '';
  const answer = await askToken(emulator, { grant_type: 'authorization_code', code, redirect_uri: callback });
  if (answer.status !== 200) throw new Error(JSON.stringify(answer.body));
  return answer.body;
}

/** An app-only token request of one of the shipped agents. */
export function askAgentToken(
  emulator: Emulator,
  agent: { clientId: string; clientSecret: string },
  more: Values = {},
  path?: string,
) {
  const values = {
    grant_type: 'client_credentials',
    client_id: agent.clientId,
    client_secret: agent.clientSecret,
    scope: `${shippedTenant.appIdUri}/.default`,
  };
  return askToken(emulator, { ...values, ...more }, path);
}
