import { isObject } from '../../contract/values/json.ts';
/** What came back, or why nothing did. */
export interface Heard {
  readonly url: string;
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  /** The body where it is a JSON object. */
  readonly json: Readonly<Record<string, unknown>> | undefined;
}

/** Why there was no response at all, with what to do about it. */
export class Unreachable extends Error {
  readonly remedy: string;
  constructor(message: string, remedy: string) {
    super(message);
    this.remedy = remedy;
  }
}

/** Asks like a client: no redirect is followed, ten seconds at most. Throws Unreachable. */
export type Ask = (url: string, init?: RequestInit) => Promise<Heard>;

/** Makes it over a `fetch`. */
export function asking(send: typeof fetch): Ask {
  return async (url, init) => {
    try {
      const response = await send(url, { ...init, redirect: 'manual', signal: AbortSignal.timeout(10_000) });
      const text = await response.text();
      return { url, status: response.status, headers: response.headers, text, json: objectIn(text) };
    } catch (error) {
      throw unreachable(url, error);
    }
  };
}

function objectIn(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function unreachable(url: string, error: unknown): Unreachable {
  const { host } = new URL(url);
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : '';
  if (/CERT|SIGNED|UNABLE_TO_(VERIFY|GET)|ALTNAME/.test(code))
    return new Unreachable(
      `The certificate of ${host} is not trusted here (${code}), nor by clients that know no more authorities.`,
      'Use a certificate of an authority that the machines know, with its whole chain and for this host name; here NODE_EXTRA_CA_CERTS may name a private one.',
    );
  if (/SSL|EPROTO|TLS/.test(code))
    return new Unreachable(
      `${host} does not speak TLS as clients do (${code}).`,
      'End TLS at the proxy with TLS 1.2 or 1.3, and use https:// only where it does.',
    );
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN')
    return new Unreachable(
      `The host name ${host} is not known.`,
      'Check its DNS entry, also where clients are.',
    );
  const late = error instanceof Error && error.name === 'TimeoutError';
  return new Unreachable(
    late
      ? `${host} gave no response within 10 seconds.`
      : `${host} cannot be reached (${code || String(error)}).`,
    'Check that the gateway runs and that firewall and proxy let clients through.',
  );
}
