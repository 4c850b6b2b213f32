import { withoutEndSlashes } from '../../contract/values/names.ts';
/** One setting: how its text is read, what it is when absent, and what the reference says about it. */
export interface Setting<T> {
  readonly group: string;
  readonly about: string;
  /** The text assumed when the variable is absent; empty where there is none. */
  readonly default: string;
  /** What the reference shows as default when the text cannot say it. */
  readonly defaultNote?: string;
  readonly secret?: true;
  /** The identity provider that this belongs to, as AUTH_PROVIDER calls it. */
  readonly provider?: string;
  /** That provider cannot do without it; where to find the value. */
  readonly required?: string;
  /** Reads the text; throws an Error whose message says what is wrong and what would be right. */
  readonly parse: (text: string) => T;
}

/** A row of the table, with the type of what is read. */
export function setting<T>(definition: Setting<T>): Setting<T> {
  return definition;
}

/** Refuses a text, saying what is wrong with it. */
export function wrong(message: string): never {
  throw new Error(message);
}

/** Any text. */
export const text = (value: string): string => value;

/** A whole number within bounds. */
export const integer =
  (min: number, max: number) =>
  (value: string): number =>
    /^\d{1,12}$/.test(value) && Number(value) >= min && Number(value) <= max
      ? Number(value)
      : wrong(`'${value}' is not a whole number from ${min} to ${max}`);

/** Yes or no, in the usual words. */
export function boolean(value: string): boolean {
  if (['true', '1', 'yes', 'on'].includes(value.toLowerCase())) return true;
  if (['false', '0', 'no', 'off'].includes(value.toLowerCase())) return false;
  return wrong(`'${value}' is neither true nor false`);
}

/** One of some words. */
export const oneOf =
  <T extends string>(...known: readonly T[]) =>
  (value: string): T =>
    known.find((word) => word === value) ??
    wrong(`'${value}' is not one of: ${known.filter(Boolean).join(', ')}`);

/** An origin such as https://gateway.example.com; a trailing slash is dropped, a path refused. */
export function origin(value: string): string {
  if (value === '') return '';
  const url = URL.canParse(value)
    ? new URL(value)
    : wrong(`'${value}' is not a URL; write it as https://host or http://localhost`);
  if (url.protocol !== 'https:' && url.protocol !== 'http:')
    wrong(`'${value}' must begin with https:// or http://`);
  if (url.pathname !== '/' || url.search || url.hash || url.username)
    wrong(
      `'${value}' must be only scheme, host and port. A path is not supported: OAuth metadata, cookies and MCP addresses belong to a whole host, so give the gateway a host name of its own, such as https://mcp.${url.hostname}`,
    );
  return url.origin;
}

/** An http(s) URL without trailing slashes. */
export function url(value: string): string {
  if (value === '') return '';
  if (!URL.canParse(value) || !/^https?:$/.test(new URL(value).protocol))
    wrong(`'${value}' is not an http(s) URL`);
  return withoutEndSlashes(value);
}

/** An https URL, or one on this machine, kept to the letter: issuers are compared so. Nothing for nothing. */
export function issuerUrl(value: string): string {
  if (value === '') return '';
  if (!URL.canParse(value) || !/^https?:$/.test(new URL(value).protocol))
    wrong(`'${value}' is not an https URL`);
  const { protocol, hostname, search, hash, username } = new URL(value);
  if (protocol === 'http:' && !isLoopback(hostname))
    wrong(`'${value}' must begin with https://: secrets and tokens would cross the network in the clear`);
  if (search || hash || username) wrong(`'${value}' must have no user name, query or fragment`);
  return value;
}

/** A host name, such as example.okta.com; a scheme in front and slashes behind are dropped. */
export function hostName(value: string): string {
  const host = withoutEndSlashes(value.replace(/^https:\/\//i, '')).toLowerCase();
  if (host === '' || /^[a-z0-9-]+(\.[a-z0-9-]+)+$/.test(host)) return host;
  return wrong(`'${value}' is not a host name such as login.example.com`);
}

/**
 * Where a claim is: `groups`, `realm_access.roles`, or a JSON list of segments. A name with a scheme, such as
 * `https://example.com/groups` or `cognito:groups`, is one segment, dots included.
 */
export function claimPath(value: string): string[] {
  if (!value.startsWith('[')) return /^[a-z][a-z0-9+.-]*:/i.test(value) ? [value] : value.split('.');
  try {
    const segments: unknown = JSON.parse(value);
    if (
      Array.isArray(segments) &&
      segments.length > 0 &&
      segments.every((one) => typeof one === 'string' && one)
    )
      return segments;
  } catch {
    // Said below.
  }
  return wrong(
    `'${value}' is neither a path such as realm_access.roles nor a JSON list such as ["https://a.b/groups"]`,
  );
}

/** Whether a host name or address is this machine. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '[::1]' || host === '::1' || /^127(\.\d{1,3}){3}$/.test(host);
}

/** A GUID in lower case, or nothing; `what` is the remedy. */
export const guid =
  (what: string) =>
  (value: string): string => {
    if (value === '' || /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(value))
      return value.toLowerCase();
    return wrong(`'${value}' is not a GUID such as 16c7e67e-e8ae-498c-ba2e-0593c0159e43; ${what}`);
  };

/** Several of a kind, separated by commas. */
export const list =
  <T>(item: (value: string) => T) =>
  (value: string): T[] =>
    value
      .split(',')
      .map((part) => part.trim())
      .filter((part) => part !== '')
      .map(item);

/** A network in CIDR notation, or the word private. */
export function network(value: string): string {
  if (value === 'private' || /^[0-9a-fA-F.:]+\/\d{1,3}$/.test(value)) return value;
  return wrong(`'${value}' is neither a network such as 10.0.0.0/8 nor the word private`);
}

/** A forward proxy, also without its scheme, as other programs take it; null for none. Never repeated: it may hold a password. */
export function proxyUrl(value: string): URL | null {
  if (value === '') return null;
  const whole = value.includes('://') ? value : `http://${value}`;
  const given = URL.canParse(whole) ? new URL(whole) : undefined;
  if (given?.protocol !== 'http:' || given.pathname !== '/' || given.search || given.hash)
    return wrong('must be the address of an http proxy, such as http://proxy.example.com:3128');
  return given;
}

/** A client secret: neither its id nor a placeholder. */
export function clientSecret(value: string): string {
  if (/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(value))
    wrong("looks like the Secret ID; copy the secret's Value (guide, step 3)");
  if (/^your-secret-value/i.test(value))
    wrong('is the placeholder of the guide; put the secret that you created in step 3');
  return value;
}
