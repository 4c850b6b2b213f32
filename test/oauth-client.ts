import { createHash, randomBytes } from 'node:crypto';
import { submitSignIn } from './sign-in.ts';

/** Where the clients of these tests get their codes; nobody listens there. */
export const redirectUri = 'http://127.0.0.1:51234/callback';

/** A browser as far as sign-in needs one: cookies by path, and no scripts. */
export interface Browser {
  /** Requests a URL and returns the response, redirects not followed. */
  go(url: string | URL, init?: RequestInit): Promise<Response>;
}

/** Opens a browser with no cookies. */
export function openBrowser(): Browser {
  const jar = new Map<string, { value: string; path: string }>();
  return {
    async go(url, init = {}) {
      const { pathname } = new URL(url);
      const cookie = [...jar]
        .filter(([, { path }]) => pathname.startsWith(path))
        .map(([name, { value }]) => `${name}=${value}`)
        .join('; ');
      const headers = { accept: 'text/html', ...(init.headers as Record<string, string>), cookie };
      const response = await fetch(url, { ...init, redirect: 'manual', headers });
      for (const line of response.headers.getSetCookie()) {
        const [pair = '', ...attributes] = line.split('; ');
        const at = pair.indexOf('=');
        const path = attributes.find((one) => /^path=/i.test(one))?.slice(5) ?? '/';
        const gone = attributes.some(
          (one) => /^max-age=0$/i.test(one) || /^expires=Thu, 01 Jan 1970/i.test(one),
        );
        if (gone) jar.delete(pair.slice(0, at));
        else jar.set(pair.slice(0, at), { value: pair.slice(at + 1), path });
      }
      return response;
    },
  };
}

/** A code verifier and its challenge (RFC 7636). */
export function pkce(): { verifier: string; challenge: string } {
  const verifier = randomBytes(32).toString('base64url');
  return { verifier, challenge: createHash('sha256').update(verifier).digest('base64url') };
}

/** Registers a client; returns the response's body. */
export async function register(gateway: string, metadata: object = {}): Promise<Record<string, string>> {
  const response = await fetch(`${gateway}/oauth/register`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({
      client_name: 'Test client',
      redirect_uris: [redirectUri],
      token_endpoint_auth_method: 'none',
      ...metadata,
    }),
  });
  return (await response.json()) as Record<string, string>;
}

/** A request for authorization of a client, as a URL. */
export function authorizeUrl(gateway: string, parameters: Record<string, string>): URL {
  const url = new URL('/oauth/authorize', gateway);
  const all = {
    response_type: 'code',
    redirect_uri: redirectUri,
    state: 'state-1',
    code_challenge_method: 'S256',
    ...parameters,
  };
  for (const [name, value] of Object.entries(all)) if (value !== '') url.searchParams.set(name, value);
  return url;
}

/** What a person does on the consent page. */
export interface Choice {
  readonly as?: string;
  readonly decision?: 'allow' | 'deny';
  readonly reach?: 'all' | 'read';
}

/** Goes through consent and, where nobody is signed in, sign-in; returns where the client's answer is sent. */
export async function consent(browser: Browser, authorize: URL, choice: Choice = {}): Promise<URL> {
  const begun = await browser.go(authorize);
  const to = begun.headers.get('location');
  if (!to) throw new Error(`no consent page: ${begun.status} ${await begun.text()}`);
  if (!to.includes('/oauth/consent/')) return new URL(to, authorize);
  return followConsent(browser, new URL(to, authorize), choice);
}

async function followConsent(browser: Browser, pageUrl: URL, choice: Choice): Promise<URL> {
  const { as = 'bob@contoso.example', decision = 'allow', reach = 'all' } = choice;
  const page = await (await browser.go(pageUrl)).text();
  let next = goesOnTo(page);
  if (!next) {
    const csrf = /name="csrf" value="([^"]+)"/.exec(page)?.[1];
    if (!csrf) throw new Error(`no form: ${page}`);
    const allow = /value="(allow(?::\w+)?)"/.exec(page)?.[1] ?? '';
    const body = new URLSearchParams({ csrf, reach, decision: decision === 'allow' ? allow : decision });
    const answer = await browser.go(pageUrl, { method: 'POST', body, headers: { origin: pageUrl.origin } });
    next = goesOnTo(await answer.text());
    if (!next) throw new Error(`the consent page leads nowhere: ${answer.status}`);
  }
  const onward = await browser.go(new URL(next, pageUrl));
  const location = onward.headers.get('location');
  if (!location) throw new Error(`nothing follows ${next}: ${onward.status} ${await onward.text()}`);
  if (!next.startsWith('/oauth2/login/')) return new URL(location, pageUrl);
  const callback = await submitSignIn(location, as);
  const back = await browser.go(callback);
  const again = await browser.go(new URL(back.headers.get('location') ?? '', pageUrl));
  const after = goesOnTo(await again.text());
  if (!after) throw new Error('the approval from before the sign-in was not honoured');
  const done = await browser.go(new URL(after, pageUrl));
  return new URL(done.headers.get('location') ?? '', pageUrl);
}

function goesOnTo(page: string): string | undefined {
  return /http-equiv="refresh" content="0; url=([^"]+)"/.exec(page)?.[1]?.replaceAll('&amp;', '&');
}

/** Asks the token endpoint; returns status and body. */
export async function token(
  gateway: string,
  body: Record<string, string>,
  headers: Record<string, string> = {},
): Promise<{ status: number; body: Record<string, string> }> {
  const response = await fetch(`${gateway}/oauth/token`, {
    method: 'POST',
    headers,
    body: new URLSearchParams(body),
  });
  return { status: response.status, body: (await response.json()) as Record<string, string> };
}

/** Everything at once: registers a client and signs in from it for a resource. */
export async function signInFromClient(
  gateway: string,
  resource: string,
  choice: Choice & { browser?: Browser; metadata?: object; scope?: string } = {},
) {
  const { client_id = '' } = await register(gateway, choice.metadata);
  const { verifier, challenge } = pkce();
  const url = authorizeUrl(gateway, {
    client_id,
    resource,
    code_challenge: challenge,
    scope: choice.scope ?? '',
  });
  const answer = await consent(choice.browser ?? openBrowser(), url, choice);
  const code = answer.searchParams.get('code') ?? '';
  const redeem = {
    grant_type: 'authorization_code',
    code,
    redirect_uri: redirectUri,
    client_id,
    code_verifier: verifier,
    resource,
  };
  const tokens = await token(gateway, redeem);
  return { clientId: client_id, answer, redeem, ...tokens };
}

/** An MCP `tools/list` (or another request) with a token; returns status, challenge and body. */
export async function callServer(
  endpoint: string,
  bearer: string | undefined,
  method = 'tools/list',
  params: object = {},
) {
  const response = await fetch(endpoint, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
      ...(bearer === undefined ? {} : { authorization: `Bearer ${bearer}` }),
    },
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, method, params }),
  });
  return {
    status: response.status,
    challenge: response.headers.get('www-authenticate'),
    text: await response.text(),
  };
}

/** Opens an MCP session (2025-11-25) with a token; returns how to ask in it. */
export async function openSession(endpoint: string, bearer: string) {
  let id: string | undefined;
  const ask = async (method: string, params: object = {}) => {
    const response = await fetch(endpoint, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        accept: 'application/json, text/event-stream',
        authorization: `Bearer ${bearer}`,
        ...(id === undefined ? {} : { 'mcp-session-id': id, 'mcp-protocol-version': '2025-11-25' }),
      },
      body: JSON.stringify({ jsonrpc: '2.0', id: 1, method, params }),
    });
    id ??= response.headers.get('mcp-session-id') ?? undefined;
    const text = await response.text();
    const data = /^data: (\{.*)$/m.exec(text)?.[1] ?? text;
    const message = JSON.parse(data) as { result?: unknown; error?: unknown };
    return { status: response.status, challenge: response.headers.get('www-authenticate') ?? '', ...message };
  };
  await ask('initialize', {
    ...{ protocolVersion: '2025-11-25', capabilities: {} },
    clientInfo: { name: 'test', version: '1' },
  });
  return ask;
}
