import { createHash, randomBytes } from 'node:crypto';

/** What a browser and a client would do, for tests: cookies are kept, redirects to the client are not followed. */
export type Browser = {
  get(url: string | URL): Promise<Response>;
  post(url: string | URL, form: Record<string, string>): Promise<Response>;
};

/** A browser without any cookie yet. */
export function openBrowser(): Browser {
  const cookies = new Map<string, string>();
  const send = async (url: string | URL, init: RequestInit): Promise<Response> => {
    const cookie = [...cookies].map(([name, value]) => `${name}=${value}`).join('; ');
    const response = await fetch(url, { ...init, redirect: 'manual', headers: { cookie } });
    for (const line of response.headers.getSetCookie()) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? [];
      if (/max-age=0/i.test(line)) cookies.delete(name);
      else cookies.set(name, value);
    }
    return response;
  };
  return {
    get: (url) => send(url, {}),
    post: (url, form) => send(url, { method: 'POST', body: new URLSearchParams(form) }),
  };
}

/** The payload of a JWT, not verified. */
export function claimsOf(token: unknown): Record<string, unknown> {
  return JSON.parse(Buffer.from(String(token).split('.')[1] ?? '', 'base64url').toString());
}

/** The header of a JWT. */
export function headerOf(token: unknown): Record<string, unknown> {
  return JSON.parse(Buffer.from(String(token).split('.')[0] ?? '', 'base64url').toString());
}

/** A PKCE pair. */
export function makePkce(): { verifier: string; challenge: string } {
  const verifier = randomBytes(32).toString('base64url');
  return { verifier, challenge: createHash('sha256').update(verifier).digest('base64url') };
}

/** The JSON body of a response, of whatever shape. */
// biome-ignore lint/suspicious/noExplicitAny: bodies of many shapes, only in tests
export function jsonBody(response: Response): Promise<any> {
  return response.json();
}
