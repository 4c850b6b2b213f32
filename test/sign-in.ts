import { shippedTenant } from '../src/entra-emulator/shipped.ts';

/** What somebody types at the sign-in page: the password, and another one where the page asks for it. */
interface Passwords {
  readonly password: string;
  readonly newPassword?: string;
}

/** Submits the password form of the emulator's sign-in page, as a browser would; answers the callback URL. */
export async function submitSignIn(
  authorizeUrl: URL | string,
  userPrincipalName: string,
  { password, newPassword }: Passwords = shippedTenant,
): Promise<URL> {
  const page = await (await fetch(authorizeUrl)).text();
  const form = page.split('<form').find((part) => part.includes('type="password"')) ?? '';
  const hidden = [...form.matchAll(/<input type="hidden" name="([^"]+)" value="([^"]*)"/g)];
  const body = new URLSearchParams(
    hidden.map(([, name, value]): [string, string] => [name!, fromHtml(value!)]),
  );
  const field = (type: string): string => new RegExp(`type="${type}" name="([^"]+)"`).exec(form)?.[1] ?? '';
  body.set(field('text'), userPrincipalName);
  body.set(field('password'), password);
  if (newPassword !== undefined) body.set('emulator_new_password', newPassword);
  const action = fromHtml(/action="([^"]+)"/.exec(form)?.[1] ?? '');
  // To where the page came from, also when the provider knows itself by another name.
  const { pathname, search } = new URL(action, authorizeUrl);
  const to = new URL(`${pathname}${search}`, authorizeUrl);
  const answer = await fetch(to, { method: 'POST', body, redirect: 'manual' });
  const location = answer.headers.get('location');
  if (!location) throw new Error(`the sign-in page did not redirect: ${await answer.text()}`);
  return new URL(location);
}

/** A browser's session at the gateway: its cookie and CSRF token. */
export interface BrowserSession {
  readonly cookie: string;
  readonly csrf: string;
}

/** Signs in through the real flow (gateway, emulator, callback) and answers the session. */
export async function signIn(
  gatewayUrl: string,
  userPrincipalName: string,
  passwords?: Passwords,
): Promise<BrowserSession> {
  const begun = await fetch(`${gatewayUrl}/oauth2/login/entra`, { redirect: 'manual' });
  const attempt = cookiesOf(begun);
  const callback = await submitSignIn(begun.headers.get('location') ?? '', userPrincipalName, passwords);
  const done = await fetch(callback, { redirect: 'manual', headers: { cookie: attempt } });
  const cookie = cookiesOf(done);
  const me = await fetch(`${gatewayUrl}/api/auth/me`, { headers: { cookie } });
  if (!me.ok) throw new Error(`no session: ${done.headers.get('location')} ${await me.text()}`);
  const { csrf_token } = (await me.json()) as { csrf_token: string };
  return { cookie, csrf: csrf_token };
}

/** The cookies that an answer sets (not those that it deletes), as a request sends them. */
export function cookiesOf(answer: Response): string {
  return answer.headers
    .getSetCookie()
    .filter((cookie) => !cookie.includes('Max-Age=0'))
    .map((cookie) => cookie.split(';')[0])
    .join('; ');
}

/** Mints a personal token in a session. */
export async function mintToken(
  gatewayUrl: string,
  session: BrowserSession,
  asked: object = {},
): Promise<{ token: string; id: string }> {
  const answer = await fetch(`${gatewayUrl}/api/tokens/generate`, {
    method: 'POST',
    headers: { cookie: session.cookie, 'x-csrf-token': session.csrf, 'content-type': 'application/json' },
    body: JSON.stringify(asked),
  });
  if (!answer.ok) throw new Error(await answer.text());
  const body = (await answer.json()) as { tokens: { access_token: string }; token_id: string };
  return { token: body.tokens.access_token, id: body.token_id };
}

/** An agent's access token for the gateway, by client credentials at the emulator. */
export async function agentToken(
  emulatorUrl: string,
  agent: { readonly clientId: string; readonly clientSecret: string },
): Promise<string> {
  const answer = await fetch(`${emulatorUrl}/${shippedTenant.tenantId}/oauth2/v2.0/token`, {
    method: 'POST',
    body: new URLSearchParams({
      grant_type: 'client_credentials',
      client_id: agent.clientId,
      client_secret: agent.clientSecret,
      scope: `${shippedTenant.appIdUri}/.default`,
    }),
  });
  if (!answer.ok) throw new Error(await answer.text());
  return ((await answer.json()) as { access_token: string }).access_token;
}

/** Asks the API as the administrating agent of the demo tenant: a GET, or a POST where there is a body. */
export async function askAsAdmin(gateway: {
  readonly url: string;
  readonly emulatorUrl: string;
}): Promise<(path: string, body?: object, method?: string) => Promise<Response>> {
  const token = await agentToken(gateway.emulatorUrl, shippedTenant.agents.admin);
  return async (path, body, method = body ? 'POST' : 'GET') =>
    await fetch(`${gateway.url}${path}`, {
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      method,
      ...(body ? { body: JSON.stringify(body) } : {}),
    });
}

function fromHtml(text: string): string {
  const entities: Record<string, string> = { quot: '"', lt: '<', gt: '>', '#39': "'", amp: '&' };
  return text.replace(/&(quot|lt|gt|#39|amp);/g, (_, name: string) => entities[name] ?? '');
}
