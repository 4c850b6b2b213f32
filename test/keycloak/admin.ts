/** Keycloak's Admin REST API as the test's own administrator uses it; paths begin after `/admin/realms`. */
export type Admin = (method: string, path: string, body?: unknown) => Promise<AdminAnswer>;

/** What it answered. */
export interface AdminAnswer {
  readonly status: number;
  /** The id of what was made, from the Location header. */
  readonly id: string;
  // biome-ignore lint/suspicious/noExplicitAny: tests read what they know to be there.
  readonly body: any;
}

/** The Keycloak that `npm run test:keycloak` has started. */
export const keycloakUrl = process.env.KEYCLOAK_TEST_URL ?? '';

/** Sends as that administrator; a refusal is an error, so that no test goes on with half a realm. */
export const admin: Admin = async (method, path, body) => {
  const answer = await fetch(`${keycloakUrl}/admin/realms${path}`, {
    method,
    headers: { authorization: `Bearer ${await adminToken()}`, 'content-type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await answer.text();
  if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${text}`);
  return {
    status: answer.status,
    id: answer.headers.get('location')?.split('/').pop() ?? '',
    body: text === '' ? undefined : JSON.parse(text),
  };
};

/** It lives for a minute: each request asks for its own. */
async function adminToken(): Promise<string> {
  const [clientId = '', clientSecret = ''] = (process.env.KEYCLOAK_TEST_ADMIN ?? '').split(':');
  return clientToken('master', { clientId, clientSecret });
}

/** An application's access token by client credentials. */
export async function clientToken(
  realm: string,
  client: { readonly clientId: string; readonly clientSecret: string },
): Promise<string> {
  const answer = await fetch(`${keycloakUrl}/realms/${realm}/protocol/openid-connect/token`, {
    method: 'POST',
    body: new URLSearchParams({
      ...{ grant_type: 'client_credentials', client_id: client.clientId },
      client_secret: client.clientSecret,
    }),
  });
  if (!answer.ok) throw new Error(`no token for ${client.clientId}: ${await answer.text()}`);
  return ((await answer.json()) as { access_token: string }).access_token;
}
