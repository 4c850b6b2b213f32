/** A row of the table; `retryAfter`: after how many seconds another try makes sense when who throws knows no better. */
interface FailureRow {
  readonly status: number;
  readonly title: string;
  /** What the reader of the reference can do about it, as Markdown below docs/reference. */
  readonly fix: string;
  readonly retryAfter?: number;
}

/**
 * The closed table of failures. `status` is the HTTP status, `title` the short public name; the message given when a
 * failure is thrown is public too: it names the thing and the fix, and never holds a secret. docs/reference/errors.md
 * is generated from this table.
 */
export const failures = {
  bad_request: {
    status: 400,
    title: 'The request is malformed',
    fix: 'Correct the request as `detail` says.',
  },
  invalid_input: {
    status: 422,
    title: 'The input is not valid',
    fix: 'Correct the fields under `errors`.',
  },
  invalid_json: {
    status: 400,
    title: 'The body is not valid JSON',
    fix: 'Send JSON, in UTF-8. `detail` names the place.',
  },
  header_mismatch: {
    status: 400,
    title: 'An Mcp-* header does not match the body',
    fix: 'Send the header as the body says, or leave it out.',
  },
  credential_missing: {
    status: 401,
    title: 'Sign in or send a token',
    fix: 'Sign in, or send `Authorization: Bearer <token>`.',
  },
  credential_invalid: {
    status: 401,
    title: 'The credential is not valid',
    fix: 'Get a token from this gateway or its identity provider, for this server.',
  },
  credential_expired: {
    status: 401,
    title: 'The credential has expired',
    fix: 'Get a new token; OAuth clients refresh by themselves.',
  },
  credential_revoked: {
    status: 401,
    title: 'The credential was revoked',
    fix: 'Sign in again, or create a new token.',
  },
  sign_in_state: {
    status: 400,
    title: 'The sign-in cannot be continued',
    fix: 'Start the sign-in again, in one tab of one browser.',
  },
  sign_in_again: {
    status: 401,
    title: 'The identity provider asks for a new sign-in',
    fix: 'Sign in again.',
  },
  groups_stale: {
    status: 401,
    title: 'The group memberships of this account are out of date',
    fix: 'Sign in again.',
  },
  sign_in_refused: {
    status: 401,
    title: 'The identity provider refused the sign-in',
    fix: '`detail` has the reason of the provider; for Entra ID see the [AADSTS codes](../providers/entra.md#aadsts-codes).',
  },
  csrf_failed: {
    status: 403,
    title: 'The CSRF token is missing or wrong',
    fix: 'Send `X-CSRF-Token` from `GET /api/auth/me`. In a browser, reload the page.',
  },
  origin_refused: {
    status: 403,
    title: 'The request comes from an origin that is not allowed',
    fix: 'Open the gateway at `REGISTRY_URL`; programs in a browser need an allowed origin.',
  },
  groups_incomplete: {
    status: 403,
    title: 'The groups of this account could not be read',
    fix: 'An administrator grants the gateway the permission that `detail` names.',
  },
  client_refused: {
    status: 403,
    title: 'This application is not allowed to use the gateway',
    fix: 'An administrator allows the application, or assigns the app role.',
  },
  not_allowed: {
    status: 403,
    title: 'Not allowed',
    fix: 'Ask an administrator for a scope that grants it, or [request access](../guide/ask-for-access.md).',
  },
  insufficient_scope: {
    status: 403,
    title: 'The program was not granted this',
    fix: 'Connect the program again and allow more, or use another one.',
  },
  connection_needed: {
    status: 403,
    title: 'You are not connected to this server yet',
    fix: 'Connect at the address in `detail`: [connections](../connections.md).',
  },
  connection_refused: {
    status: 403,
    title: 'The server rejects your credential',
    fix: 'Connect again, with the rights that the server asks for.',
  },
  connection_impossible: {
    status: 403,
    title: 'Only a person can connect to this server',
    fix: 'Let the application use `client_credentials`: [connections](../connections.md).',
  },
  not_found: {
    status: 404,
    title: 'Not found',
    fix: 'Check the name. What you cannot access is reported like this too.',
  },
  method_not_allowed: {
    status: 405,
    title: 'The method is not allowed here',
    fix: 'Use a method that the `Allow` header lists.',
  },
  body_too_slow: {
    status: 408,
    title: 'The request body did not arrive in time',
    fix: 'Send the request again over a faster connection.',
  },
  conflict: {
    status: 409,
    title: 'It already exists',
    fix: 'Choose another name, or change what exists.',
  },
  would_lock_out: {
    status: 409,
    title: 'This would remove the last administrator',
    fix: 'Give someone else administrator access first.',
  },
  not_editable: {
    status: 409,
    title: 'It cannot be changed here',
    fix: 'Change it where it comes from; `detail` says where.',
  },
  changed_meanwhile: {
    status: 412,
    title: 'It was changed in the meantime',
    fix: 'Read it again, and repeat your change.',
  },
  body_too_large: {
    status: 413,
    title: 'The body is too large',
    fix: 'Send less at once; `detail` has the limit.',
  },
  unsupported_media_type: {
    status: 415,
    title: 'The content type is not supported',
    fix: 'Send the content type that `detail` names.',
  },
  host_refused: {
    status: 421,
    title: 'The request is for another host',
    fix: 'Use the address of the gateway. A proxy must pass `Host` unchanged.',
  },
  too_many_requests: {
    status: 429,
    title: 'Too many requests',
    fix: 'Wait for the seconds in `Retry-After`.',
  },
  header_too_large: {
    status: 431,
    title: 'The headers are too large',
    fix: 'Send fewer or shorter headers.',
  },
  internal: {
    status: 500,
    title: 'Internal error',
    fix: 'Report it with the correlation id; the log has the details.',
  },
  upstream_unreachable: {
    status: 502,
    title: 'The server could not be reached',
    fix: 'Check the server and the network between: [a server is unhealthy](../troubleshoot.md#a-server-is-unhealthy).',
  },
  upstream_auth: {
    status: 502,
    title: "The server rejects the gateway's credential",
    fix: 'Set the credential again: `mcp-gateway server credential`.',
  },
  upstream_invalid: {
    status: 502,
    title: 'The server sent a response that cannot be passed on',
    fix: 'Correct the server; the log says what is wrong with its response.',
  },
  identity_unavailable: {
    status: 503,
    title: 'The identity provider is not available at the moment',
    fix: 'Wait and retry. If it lasts, run `mcp-gateway gateway doctor`.',
    retryAfter: 5,
  },
  groups_unavailable: {
    status: 503,
    title: 'The groups of this account cannot be read at the moment',
    fix: 'Wait and retry. If it lasts, run `mcp-gateway gateway doctor`.',
    retryAfter: 5,
  },
  credential_unreadable: {
    status: 503,
    title: "The gateway's credential for the server cannot be read",
    fix: 'Set the credential again, or restore the `SECRET_KEY` that encrypted it.',
  },
  connection_unavailable: {
    status: 503,
    title: 'Your credential for the server cannot be renewed at the moment',
    fix: 'Wait and retry.',
    retryAfter: 5,
  },
  server_disabled: {
    status: 503,
    title: 'The server is disabled',
    fix: 'Ask the person who looks after the server to enable it.',
  },
  shutting_down: {
    status: 503,
    title: 'The gateway is shutting down',
    fix: 'Retry: clients reach another replica, or this one after its restart.',
    retryAfter: 1,
  },
  database_unavailable: {
    status: 503,
    title: 'The database is not available at the moment',
    fix: 'Wait and retry. Calls with known tokens continue.',
    retryAfter: 5,
  },
  directory_denied: {
    status: 502,
    title: 'The directory does not allow the gateway to do this',
    fix: 'Grant the permission that `detail` names: [permissions](../iam.md#permissions-it-needs).',
  },
  directory_refused: {
    status: 422,
    title: 'The directory rejects this',
    fix: 'Change what `detail` names, such as a password that is too weak.',
  },
  directory_unavailable: {
    status: 503,
    title: 'The directory is not available at the moment',
    fix: 'Wait and retry.',
    retryAfter: 5,
  },
  upstream_resting: {
    status: 503,
    title: 'No connection to the server can be made; it is tried again soon',
    fix: 'Wait for the seconds in `Retry-After`; then one call tries the server again.',
  },
  overloaded: {
    status: 503,
    title: 'The gateway is at its limit',
    fix: 'Wait for the seconds in `Retry-After`; see [limits](../operations.md#limits).',
    retryAfter: 1,
  },
  upstream_timeout: {
    status: 504,
    title: 'The server did not respond in time',
    fix: 'Retry, or raise the time limit of the server.',
  },
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
    ([code, { status, title, fix }]) => `| \`${code}\` | ${status} | ${title} | ${fix} |`,
  );
  return `# Error codes

The API returns a failure as \`application/problem+json\` (RFC 9457): \`status\`, \`title\`, a stable \`code\` of this table, a
\`detail\` that names the thing and the fix, problems of the input under \`errors\`, and a \`correlation_id\` to look up
in the log and the audit trail. On MCP routes the same code is in \`error.data.code\` of a JSON-RPC error. Every text:
[messages](messages.md). Generated from \`src/server/failure/errors.ts\`.

| code | status | meaning | what to do |
|---|---|---|---|
${rows.join('\n')}
`;
}
