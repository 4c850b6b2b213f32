/** One request, read. */
export type Ask = {
  method: string;
  url: URL;
  headers: Record<string, string | undefined>;
  body: string;
};

/** One answer, to be sent. An object as body becomes JSON. */
export type Reply = {
  status: number;
  headers?: Record<string, string | string[]>;
  body?: string | object;
};

/** Parameters of a form or query; `duplicate` names the first one that came twice. */
export type Parameters = { values: Record<string, string>; duplicate?: string };

/** A page in HTML. */
export function page(status: number, html: string, headers: Reply['headers'] = {}): Reply {
  return {
    status,
    headers: {
      'content-type': 'text/html; charset=utf-8',
      'content-security-policy':
        "default-src 'none'; style-src 'unsafe-inline'; frame-src *; script-src 'none'",
      'cache-control': 'no-store, no-cache',
      'x-frame-options': 'DENY',
      ...headers,
    },
    body: html,
  };
}

/** Sends the browser elsewhere. */
export function redirect(location: string, headers: Reply['headers'] = {}): Reply {
  return { status: 302, headers: { location, 'cache-control': 'no-store, no-cache', ...headers } };
}

/** The parameters of a request: its query, or its body when that is a form. */
export function formOf(ask: Ask): Parameters {
  const isForm = /^application\/x-www-form-urlencoded\b/i.test(ask.headers['content-type'] ?? '');
  return parametersOf(new URLSearchParams(isForm ? ask.body : ''));
}

/** The parameters of the query, and of the body when that is a form. */
export function queryAndForm(ask: Ask): Parameters {
  const query = parametersOf(ask.url.searchParams);
  if (ask.method !== 'POST') return query;
  const form = formOf(ask);
  const duplicate = query.duplicate ?? form.duplicate;
  return { values: { ...query.values, ...form.values }, ...(duplicate ? { duplicate } : {}) };
}

function parametersOf(search: URLSearchParams): Parameters {
  const values: Record<string, string> = Object.create(null);
  let duplicate: string | undefined;
  for (const [name, value] of search) {
    if (name in values) duplicate ??= name;
    values[name] = value;
  }
  return duplicate === undefined ? { values } : { values, duplicate };
}

/** A cookie of the request. */
export function cookieOf(ask: Ask, name: string): string | undefined {
  for (const part of (ask.headers.cookie ?? '').split(';')) {
    const [key, ...value] = part.trim().split('=');
    if (key === name) return value.join('=');
  }
  return undefined;
}

/** The body as a JSON object; undefined when it is anything else. */
export function jsonOf(ask: Ask): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(ask.body);
    return isRecord(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

/** True for a JSON object. */
export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
