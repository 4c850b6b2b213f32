import type { Api, ApiError } from '../contract/client.ts';
import { howToGetToken } from './sign-in/token-file.ts';
import { Trouble } from './trouble.ts';

/** How long one answer may take, in milliseconds. */
const patience = 120_000;

/** What to do about the server's failures, by code. */
const remedies: Readonly<Record<string, string>> = {
  credential_missing: howToGetToken,
  credential_invalid: `The token was not issued for this registry. ${howToGetToken}`,
  credential_expired: `The token has expired. ${howToGetToken}`,
  credential_revoked: `The token was revoked. ${howToGetToken}`,
  not_allowed: 'Run `mcp-gateway auth whoami` to see your permissions; an administrator can grant more.',
  changed_meanwhile: 'Check the current state and run the command again.',
  too_many_requests: 'Wait a little and try again.',
  directory_unavailable: 'Try again in a moment.',
  identity_unavailable: 'Try again in a moment; the token itself may be valid.',
  overloaded: 'Try again in a moment.',
  shutting_down: 'Try again when the registry is running again.',
  internal: "Look up the correlation id in the server's log.",
  unexpected_answer: 'Check that --registry-url is the address of an MCP gateway registry.',
};

/** Makes the typed client of the registry, whose errors are troubles. The contract is loaded here, not at start-up. */
export async function openApi(
  registryUrl: string,
  headers: () => Record<string, string> | Promise<Record<string, string>>,
  debug: (line: string) => void,
): Promise<Api> {
  const { connect } = await import('../contract/client.ts');
  const api = connect(registryUrl, headers, tracedFetch(debug));
  return (id, call) => api(id, call).catch((error) => Promise.reject(asApiTrouble(error, registryUrl)));
}

/** `fetch` with a limit of two minutes and a log line for each answer; the line has no query, no header and no body. */
export function tracedFetch(debug: (line: string) => void): typeof fetch {
  return async (input, init) => {
    const url = new URL(input instanceof Request ? input.url : input);
    const what = `${init?.method ?? 'GET'} ${url.origin}${url.pathname}`;
    const response = await fetch(input, {
      ...init,
      signal: init?.signal ?? AbortSignal.timeout(patience),
    }).catch((error) => {
      debug(`${what} failed`);
      throw error;
    });
    debug(`${what} returned ${response.status}`);
    return response;
  };
}

/** The trouble that an error of a call to `url` amounts to. */
export function asApiTrouble(error: unknown, url: string): Trouble {
  if (error instanceof Trouble) return error;
  if (isApiError(error)) return fromProblem(error);
  if (error instanceof SyntaxError)
    return new Trouble(`${url} did not return JSON.`, {
      remedy: remedies.unexpected_answer,
      cause: error,
    });
  if (error instanceof Error && error.name === 'TimeoutError')
    return new Trouble(`${url} did not respond within ${patience / 1000} seconds.`, { cause: error });
  if (error instanceof TypeError && error.message === 'fetch failed') return fromNetwork(error, url);
  return new Trouble(error instanceof Error ? error.message : String(error), { cause: error });
}

// By name, not by class: the class would load the contract with every command.
function isApiError(error: unknown): error is ApiError {
  return error instanceof Error && error.name === 'ApiError' && 'problem' in error;
}

function fromProblem({ status, problem }: ApiError): Trouble {
  return new Trouble(problem.detail, {
    status,
    code: problem.code,
    ...(problem.errors ? { faults: problem.errors.map(({ at, message }) => `${at}: ${message}`) } : {}),
    ...(remedies[problem.code] ? { remedy: remedies[problem.code] } : {}),
    ...(problem.correlation_id ? { correlationId: problem.correlation_id } : {}),
  });
}

function fromNetwork(error: TypeError, url: string): Trouble {
  const cause = error.cause instanceof Error ? error.cause : error;
  const code = 'code' in cause ? String(cause.code) : '';
  return new Trouble(`Could not reach ${url}: ${whatHappened(code, cause.message)}.`, {
    code: code || 'network',
    remedy: whatToCheck(code),
    cause: error,
  });
}

function whatHappened(code: string, message: string): string {
  if (code === 'ECONNREFUSED') return 'nothing listens there';
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN') return 'the host name is not known';
  if (speaksHttp(code)) return 'it speaks http, not https';
  if (code === 'CERT_HAS_EXPIRED') return 'its certificate has expired';
  if (code === 'CERT_NOT_YET_VALID')
    return 'its certificate is not valid yet; check the clock of this machine';
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID') return 'its certificate is for another host name';
  if (aboutCertificate.test(code))
    return 'its certificate was issued by an authority that is not trusted here';
  if (/^(ERR_SSL|ERR_TLS|EPROTO)/.test(code)) return 'no secure connection could be agreed on';
  if (/^(ETIMEDOUT|UND_ERR_(CONNECT|HEADERS|BODY)_TIMEOUT)$/.test(code)) return 'it did not respond in time';
  if (/^(ECONNRESET|EPIPE|UND_ERR_SOCKET)$/.test(code)) return 'it closed the connection';
  if (/^E(HOST|NET)UNREACH$/.test(code)) return 'there is no route to it';
  if (code.startsWith('HPE_')) return 'it does not speak HTTP';
  return message.includes('redirect') ? 'it responded with a redirect' : 'the connection failed';
}

/** What Node calls certificates whose issuer is not trusted. */
const aboutCertificate = /CERT|SIGNED|UNABLE_TO_(VERIFY|GET)|ALTNAME/;

/** What TLS makes of an answer in plain text. */
function speaksHttp(code: string): boolean {
  return /^ERR_SSL_(WRONG_VERSION_NUMBER|PACKET_LENGTH_TOO_LONG|HTTP_REQUEST|UNKNOWN_PROTOCOL)/.test(code);
}

function whatToCheck(code: string): string {
  if (speaksHttp(code)) return 'Write http:// instead of https:// in --registry-url or REGISTRY_URL.';
  if (/^(CERT_HAS_EXPIRED|CERT_NOT_YET_VALID|ERR_TLS_CERT_ALTNAME_INVALID)$/.test(code))
    return 'Ask the operator of the registry for a valid certificate, or check --registry-url.';
  if (aboutCertificate.test(code))
    return 'If the certificate comes from a private authority, name its file in NODE_EXTRA_CA_CERTS.';
  return 'Check that the registry runs (`mcp-gateway start`) and that --registry-url or REGISTRY_URL is its address.';
}
