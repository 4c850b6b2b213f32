import { Trouble } from '../trouble.ts';

/** How many redirects in a row are followed. */
const mostRedirects = 20;

/** A page that redirects have led to. */
export interface Page {
  readonly url: URL;
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
}

/** The little of a browser that signing in needs: it follows redirects and keeps cookies, each origin's to itself. */
export interface Browser {
  open(url: string | URL): Promise<Page>;
  submit(url: URL, fields: URLSearchParams): Promise<Page>;
  /** The `Cookie` header that the origin of `url` gets; '' when it has set none. */
  cookiesFor(url: string | URL): string;
}

/** Makes a browser without cookies. */
export function openBrowser(send: typeof fetch): Browser {
  const jars = new Map<string, Map<string, string>>();
  const cookiesFor = (url: string | URL): string =>
    [...(jars.get(new URL(url).origin) ?? [])].map(([name, value]) => `${name}=${value}`).join('; ');

  const request = async (url: URL, body?: URLSearchParams): Promise<Response> => {
    const cookie = cookiesFor(url);
    const response = await send(url, {
      method: body ? 'POST' : 'GET',
      headers: {
        accept: 'text/html',
        ...(cookie ? { cookie } : {}),
        ...(body ? { origin: url.origin, 'content-type': 'application/x-www-form-urlencoded' } : {}),
      },
      ...(body ? { body: body.toString() } : {}),
      redirect: 'manual',
    });
    const jar = jars.get(url.origin) ?? new Map<string, string>();
    for (const line of response.headers.getSetCookie()) keep(jar, line);
    jars.set(url.origin, jar);
    return response;
  };

  const follow = async (start: URL, fields?: URLSearchParams): Promise<Page> => {
    let [url, body] = [start, fields];
    for (let redirects = 0; redirects <= mostRedirects; redirects++) {
      const response = await request(url, body);
      const location = response.headers.get('location');
      if (response.status < 300 || response.status > 399 || location === null)
        return { url, status: response.status, headers: response.headers, text: await response.text() };
      await response.body?.cancel();
      url = target(location, url);
      if (response.status < 307) body = undefined;
    }
    throw new Trouble(`Signing in was redirected more than ${mostRedirects} times, lastly to ${url.origin}.`);
  };

  return { open: (url) => follow(new URL(url)), submit: follow, cookiesFor };
}

function target(location: string, from: URL): URL {
  const url = URL.canParse(location, from.href) ? new URL(location, from) : undefined;
  if (url?.protocol !== 'http:' && url?.protocol !== 'https:')
    throw new Trouble(`${from.origin} redirected to something that is not a web page.`);
  return url;
}

/** Takes over one `Set-Cookie` line; an empty value or Max-Age=0 removes the cookie (RFC 6265 section 3.1). */
function keep(jar: Map<string, string>, line: string): void {
  const [pair = '', ...attributes] = line.split(';');
  const equals = pair.indexOf('=');
  const name = pair.slice(0, equals).trim();
  const value = pair.slice(equals + 1).trim();
  if (equals < 1) return;
  if (value === '' || attributes.some((attribute) => /^\s*max-age\s*=\s*(0|-\d+)\s*$/i.test(attribute)))
    jar.delete(name);
  else jar.set(name, value);
}
