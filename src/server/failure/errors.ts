/** A row of the table; `retryAfter`: after how many seconds another try makes sense when who throws knows no better. */
interface FailureRow {
  readonly status: number;
  readonly title: string;
  readonly retryAfter?: number;
}

/**
 * The closed table of failures. `status` is the HTTP status, `title` the short public name; the message given when a
 * failure is thrown is public too: it names the thing and the remedy and never holds a secret. docs/reference/errors.md
 * is generated from this table.
 */
export const failures = {
  bad_request: { status: 400, title: 'The request is malformed' },
  invalid_input: { status: 422, title: 'The input is not valid' },
  invalid_json: { status: 400, title: 'The body is not valid JSON' },
  header_mismatch: { status: 400, title: 'An Mcp-* header does not say what the body says' },
  credential_missing: { status: 401, title: 'Sign in or send a token' },
  credential_invalid: { status: 401, title: 'The credential is not valid' },
  credential_expired: { status: 401, title: 'The credential has expired' },
  credential_revoked: { status: 401, title: 'The credential was revoked' },
  sign_in_state: { status: 400, title: 'The sign-in cannot be continued' },
  sign_in_again: { status: 401, title: 'The identity provider asks for a new sign-in' },
  groups_stale: { status: 401, title: 'The groups of this account were read too long ago' },
  sign_in_refused: { status: 401, title: 'The identity provider refused the sign-in' },
  csrf_failed: { status: 403, title: 'The CSRF token is missing or wrong' },
  origin_refused: { status: 403, title: 'The request comes from an origin that is not allowed' },
  groups_incomplete: { status: 403, title: 'The groups of this account could not be read' },
  client_refused: { status: 403, title: 'This application may not use the gateway' },
  not_allowed: { status: 403, title: 'Not allowed' },
  insufficient_scope: { status: 403, title: 'The program was not allowed this' },
  connection_needed: { status: 403, title: 'You are not connected to this server yet' },
  connection_refused: { status: 403, title: 'The server does not take your credential' },
  connection_impossible: { status: 403, title: 'Only a person can be connected to this server' },
  not_found: { status: 404, title: 'Not found' },
  method_not_allowed: { status: 405, title: 'The method is not allowed here' },
  body_too_slow: { status: 408, title: 'The body of the request did not come in time' },
  conflict: { status: 409, title: 'It exists already' },
  would_lock_out: { status: 409, title: 'This would remove the last administrator' },
  not_editable: { status: 409, title: 'It cannot be changed here' },
  changed_meanwhile: { status: 412, title: 'It was changed in the meantime' },
  body_too_large: { status: 413, title: 'The body is too large' },
  unsupported_media_type: { status: 415, title: 'The content type is not supported' },
  host_refused: { status: 421, title: 'The request is for another host' },
  too_many_requests: { status: 429, title: 'Too many requests' },
  header_too_large: { status: 431, title: 'The headers are too large' },
  internal: { status: 500, title: 'Internal error' },
  upstream_unreachable: { status: 502, title: 'The server could not be reached' },
  upstream_auth: { status: 502, title: "The server refuses the gateway's credential" },
  upstream_invalid: { status: 502, title: 'The server gave an answer that cannot be passed on' },
  identity_unavailable: {
    status: 503,
    title: 'The identity provider cannot be asked right now',
    retryAfter: 5,
  },
  groups_unavailable: {
    status: 503,
    title: 'The groups of this account cannot be read right now',
    retryAfter: 5,
  },
  credential_unreadable: { status: 503, title: "The gateway's credential for the server cannot be read" },
  connection_unavailable: {
    status: 503,
    title: 'Your credential for the server cannot be renewed right now',
    retryAfter: 5,
  },
  server_disabled: { status: 503, title: 'The server is switched off' },
  shutting_down: { status: 503, title: 'The gateway is shutting down', retryAfter: 1 },
  database_unavailable: { status: 503, title: 'The database cannot be reached right now', retryAfter: 5 },
  directory_denied: { status: 502, title: 'The directory does not let the gateway do this' },
  directory_refused: { status: 422, title: 'The directory refuses this' },
  directory_unavailable: { status: 503, title: 'The directory cannot be asked right now', retryAfter: 5 },
  upstream_resting: { status: 503, title: 'No connection to the server can be made; it is tried again soon' },
  overloaded: { status: 503, title: 'The gateway is at its limit', retryAfter: 1 },
  upstream_timeout: { status: 504, title: 'The server did not answer in time' },
} as const satisfies Record<string, FailureRow>;

/** The stable code of a failure. */
export type FailureCode = keyof typeof failures;

/** One fault of an input: where it is (`body.path`) and what is wrong. */
export interface Fault {
  readonly at: string;
  readonly message: string;
}

/** Anything that goes wrong on purpose: a code of the table, a public message, and what caused it (for the log only). */
export class Failure extends Error {
  readonly code: FailureCode;
  readonly faults: readonly Fault[];
  /** After how many seconds to try again, where that is known. */
  readonly retryAfter: number | undefined;
  constructor(
    code: FailureCode,
    message: string,
    options: { cause?: unknown; faults?: readonly Fault[]; retryAfter?: number } = {},
  ) {
    super(message, { cause: options.cause });
    this.name = 'Failure';
    this.code = code;
    this.faults = options.faults ?? [];
    const row: FailureRow = failures[code];
    this.retryAfter = options.retryAfter ?? row.retryAfter;
  }

  /** The HTTP status of this failure. */
  get status(): number {
    return failures[this.code].status;
  }
}

/**
 * The one failure of an input. `faults` has every fault with its place; the message names the first five behind `lead`, or is
 * the sentence `said` where that helps more.
 */
export function invalidInput(
  faults: readonly Fault[],
  { lead = 'The input is not valid', said, cause }: { lead?: string; said?: string; cause?: unknown } = {},
): Failure {
  const shown = faults.slice(0, 5).map(({ at, message }) => `${at}: ${message.replace(/\.$/, '')}`);
  if (faults.length > shown.length) shown.push(`and ${faults.length - shown.length} more`);
  return new Failure('invalid_input', said ?? `${lead}: ${shown.join('; ')}.`, { faults, cause });
}

/** The failure that an unknown error amounts to: itself, or `internal` with nothing of its text made public. */
export function asFailure(error: unknown): Failure {
  return error instanceof Failure
    ? error
    : new Failure('internal', 'Something went wrong here; the log has the details.', { cause: error });
}

/** docs/reference/errors.md, whole. */
export function renderErrors(): string {
  const rows = Object.entries(failures).map(
    ([code, { status, title }]) => `| \`${code}\` | ${status} | ${title} |`,
  );
  return `# Errors

The API answers a failure as \`application/problem+json\` (RFC 9457): \`status\`, \`title\`, a stable \`code\` of this table, a
\`detail\` that names the thing and the fix, problems of the input under \`errors\`, and a \`correlation_id\` to look up
in the log and the audit trail. On MCP routes the same code stands in \`error.data.code\` of a JSON-RPC error. This page is
generated from \`src/server/failure/errors.ts\`; checked by a test.

| code | status | meaning |
|---|---|---|
${rows.join('\n')}
`;
}
