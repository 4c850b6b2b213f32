import { randomUUID } from 'node:crypto';
import type { Reply } from '../exchange.ts';
import type { World } from '../world.ts';

type Row = { status: number; error: string; text: string; suberror?: string; uri?: boolean };

const row = (status: number, error: string, text: string, more: Partial<Row> = {}): Row => ({
  status,
  error,
  text,
  ...more,
});

/**
 * The errors of the sign-in service by AADSTS number: status and `error` as documented or reported, the text in the
 * shape of the original with `{0}`, `{1}` ... for what it names.
 */
export const aadsts = {
  16000: row(
    400,
    'interaction_required',
    "User account '{0}' from identity provider '{1}' does not exist in tenant '{2}' and cannot access the application '{3}' in that tenant.",
  ),
  28000: row(
    400,
    'invalid_scope',
    "Provided value for the input parameter scope is not valid because it contains more than one resource. Scope '{0}' is not valid.",
  ),
  50011: row(
    400,
    'invalid_request',
    "The redirect URI '{0}' specified in the request does not match the redirect URIs configured for the application '{1}'. Make sure the redirect URI sent in the request matches one added to your application.",
  ),
  50013: row(400, 'invalid_grant', 'Assertion failed signature validation. {0}'),
  50020: row(
    400,
    'invalid_request',
    "User account '{0}' does not exist in tenant '{1}' and cannot access the application '{2}' in that tenant.",
  ),
  50034: row(400, 'invalid_grant', 'The user account {0} does not exist in the {1} directory.'),
  50053: row(400, 'invalid_grant', 'The account is locked.'),
  50055: row(400, 'invalid_grant', 'The password is expired.'),
  50057: row(400, 'invalid_grant', 'The user account is disabled.'),
  50058: row(400, 'login_required', 'A silent sign-in request was sent but no user is signed in.'),
  50076: row(
    400,
    'invalid_grant',
    'Due to a configuration change made by your administrator, you must use multi-factor authentication to access {0}.',
    { suberror: 'basic_action' },
  ),
  50105: row(
    400,
    'invalid_grant',
    "The signed in user '{0}' is not assigned to a role for the application '{1}'.",
  ),
  50126: row(400, 'invalid_grant', 'Error validating credentials due to invalid username or password.'),
  50146: row(
    400,
    'invalid_request',
    'This application is required to be configured with an application-specific signing key. It is either not configured with one, or the key has expired or is not yet valid.',
  ),
  50147: row(
    400,
    'invalid_grant',
    'Missing code challenge. The size of the code challenge parameter is not valid.',
  ),
  50173: row(
    400,
    'invalid_grant',
    'The provided grant has expired due to it being revoked, a fresh auth token is needed.',
    {
      suberror: 'bad_token',
    },
  ),
  50194: row(
    400,
    'invalid_request',
    "Application '{0}' is not configured as a multi-tenant application. Usage of the /common endpoint is not supported for such apps.",
  ),
  50196: row(
    400,
    'invalid_grant',
    'The server terminated an operation because it encountered a client request loop.',
  ),
  53003: row(400, 'access_denied', 'Access has been blocked by Conditional Access policies.', {
    suberror: 'message_only',
  }),
  54005: row(
    400,
    'invalid_grant',
    'OAuth2 Authorization code was already redeemed, please retry with a new valid code or use an existing refresh token.',
  ),
  65001: row(
    400,
    'invalid_grant',
    "The user or administrator has not consented to use the application with ID '{0}' named '{1}'. Send an interactive authorization request for this user and resource.",
    { suberror: 'consent_required' },
  ),
  65004: row(400, 'access_denied', 'User declined to consent to access the app.'),
  70000: row(400, 'invalid_grant', 'Provided grant is invalid or malformed.'),
  70002: row(400, 'invalid_client', 'Error validating credentials. {0}'),
  70003: row(400, 'unsupported_grant_type', "The app requested an unsupported grant type '{0}'."),
  70007: row(400, 'invalid_request', "'{0}' is not a supported value of 'response_mode'."),
  70008: row(
    400,
    'invalid_grant',
    'The provided authorization code or refresh token has expired due to inactivity. Send a new interactive authorization request for this user and resource.',
  ),
  70011: row(
    400,
    'invalid_scope',
    "The provided value for the input parameter 'scope' is not valid. The scope '{0}' is not valid.",
  ),
  70016: row(
    400,
    'authorization_pending',
    'OAuth 2.0 device flow error. Authorization is pending. Continue polling.',
  ),
  70018: row(
    400,
    'bad_verification_code',
    'Invalid verification code. Please make sure your device code is correct.',
  ),
  70019: row(400, 'expired_token', 'Verification code expired.'),
  70020: row(400, 'authorization_declined', 'The user declined the authorization request.'),
  70043: row(
    400,
    'invalid_grant',
    'The refresh token has expired or is invalid due to sign-in frequency checks by conditional access.',
    {
      suberror: 'token_expired',
    },
  ),
  90002: row(
    400,
    'invalid_request',
    "Tenant '{0}' not found. Check to make sure you have the correct tenant ID and are signing into the correct cloud.",
    { uri: true },
  ),
  90009: row(
    400,
    'invalid_request',
    "Application '{0}' is requesting a token for itself. This scenario is supported only if resource is specified using the GUID based App Identifier.",
  ),
  90014: row(400, 'invalid_request', "The required field '{0}' is missing from the request."),
  90015: row(400, 'invalid_request', 'Requested query string is too long.'),
  90023: row(400, 'invalid_request', '{0}'),
  90094: row(
    400,
    'access_denied',
    'Admin consent is required for the permissions requested by this application: {0}.',
  ),
  500011: row(
    400,
    'invalid_resource',
    'The resource principal named {0} was not found in the tenant named {1}. This can happen if the application has not been installed by the administrator of the tenant or consented to by any user in the tenant. You might have sent your authentication request to the wrong tenant.',
    { uri: true },
  ),
  500112: row(
    400,
    'invalid_grant',
    "The reply address '{0}' does not match the reply address '{1}' provided when requesting Authorization code.",
  ),
  500131: row(
    400,
    'invalid_grant',
    'Assertion audience does not match the Client app presenting the assertion. {0}',
  ),
  500133: row(400, 'invalid_grant', 'Assertion is not within its valid time range.'),
  501051: row(
    400,
    'invalid_grant',
    "Application '{0}'({1}) is not assigned to a role for the application '{2}'({3}).",
  ),
  501481: row(
    400,
    'invalid_grant',
    'The Code_Verifier does not match the code_challenge supplied in the authorization request.',
  ),
  650053: row(
    400,
    'invalid_client',
    "The application '{0}' asked for scope '{1}' that doesn't exist on the resource '{2}'. Contact the app vendor.",
  ),
  650057: row(
    400,
    'invalid_resource',
    "Invalid resource. The client has requested access to a resource which is not listed in the requested permissions in the client's application registration.",
  ),
  700016: row(
    400,
    'unauthorized_client',
    "Application with identifier '{0}' was not found in the directory '{1}'. This can happen if the application has not been installed by the administrator of the tenant or consented to by any user in the tenant. You may have sent your authentication request to the wrong tenant.",
    { uri: true },
  ),
  700024: row(401, 'invalid_client', 'Client assertion is not within its valid time range.'),
  700025: row(
    401,
    'invalid_client',
    "Client is public so neither 'client_assertion' nor 'client_secret' should be presented.",
  ),
  700027: row(
    401,
    'invalid_client',
    'The certificate with identifier used to sign the client assertion is not registered on application. {0}',
  ),
  700038: row(400, 'unauthorized_client', '{0} is not a valid application identifier.'),
  700054: row(
    400,
    'unsupported_response_type',
    "response_type 'id_token' is not enabled for the application.",
  ),
  700082: row(400, 'invalid_grant', 'The refresh token has expired due to inactivity.', {
    suberror: 'bad_token',
  }),
  700084: row(
    400,
    'invalid_grant',
    'The refresh token was issued to a single page app (SPA), and therefore has a fixed, limited lifetime, which cannot be extended.',
  ),
  700211: row(
    401,
    'invalid_client',
    "No matching federated identity record found for presented assertion issuer '{0}'.",
  ),
  700213: row(
    401,
    'invalid_client',
    "No matching federated identity record found for presented assertion subject '{0}'.",
  ),
  700212: row(
    401,
    'invalid_client',
    "No matching federated identity record found for presented assertion audience '{0}'.",
  ),
  700222: row(
    401,
    'invalid_client',
    'Entra ID-issued tokens may not be used for federated identity flows. {0}',
  ),
  900023: row(
    400,
    'invalid_request',
    "Specified tenant identifier '{0}' is neither a valid DNS name, nor a valid external domain.",
  ),
  900144: row(400, 'invalid_request', "The request body must contain the following parameter: '{0}'.", {
    uri: true,
  }),
  900561: row(400, 'invalid_request', 'The endpoint only accepts {0} requests. Received a {1} request.'),
  901002: row(400, 'invalid_request', "The 'resource' request parameter is not supported."),
  1002012: row(
    400,
    'invalid_scope',
    'The provided value for scope {0} is not valid. Client credential flows must have a scope value with /.default suffixed to the resource identifier (application ID URI).',
  ),
  7000114: row(
    400,
    'unauthorized_client',
    "Application '{0}' is not allowed to make application on-behalf-of calls.",
  ),
  7000112: row(400, 'unauthorized_client', "Application '{0}'({1}) is disabled."),
  7000215: row(
    401,
    'invalid_client',
    "Invalid client secret provided. Ensure the secret being sent in the request is the client secret value, not the client secret ID, for a secret added to app '{0}'.",
    { uri: true },
  ),
  7000218: row(
    401,
    'invalid_client',
    "The request body must contain the following parameter: 'client_assertion' or 'client_secret'.",
    {
      uri: true,
    },
  ),
  7000222: row(
    401,
    'invalid_client',
    "The provided client secret keys for app '{0}' are expired. Create new keys for your app.",
    {
      uri: true,
    },
  ),
  9000411: row(
    400,
    'invalid_request',
    "The request is not properly formatted. The parameter '{0}' is duplicated.",
  ),
  9002313: row(400, 'invalid_request', 'Invalid request. Request is malformed or invalid.'),
  9002326: row(
    400,
    'invalid_request',
    "Cross-origin token redemption is permitted only for the 'Single-Page Application' client-type. Request origin: '{0}'.",
  ),
  9002327: row(
    400,
    'invalid_request',
    "Tokens issued for the 'Single-Page Application' client-type may only be redeemed via cross-origin requests.",
  ),
  9010010: row(
    400,
    'invalid_target',
    "The resource parameter provided in the request doesn't match with the requested scopes.",
  ),
} as const satisfies Record<number, Row>;

/** A number in the table above. */
export type AadstsCode = keyof typeof aadsts;

/** An error of the sign-in service, thrown by whoever finds it and put into words in one place. */
export class Aadsts extends Error {
  readonly code: AadstsCode;
  /** More members for the body, such as `claims`. */
  readonly more: Record<string, unknown>;

  constructor(code: AadstsCode, names: readonly string[] = [], more: Record<string, unknown> = {}) {
    super(aadsts[code].text.replaceAll(/\{(\d)\}/g, (_, index) => names[Number(index)] ?? ''));
    this.code = code;
    this.more = more;
  }
}

/** True for a number that the table has. */
export function isAadstsCode(value: unknown): value is AadstsCode {
  return typeof value === 'number' && value in aadsts;
}

/** The JSON body that Entra gives an error, with ids that tell attempts apart. */
export function errorBody(world: World, error: Aadsts, correlationId: string = randomUUID()) {
  const { error: usual, suberror, uri }: Row = aadsts[error.code];
  // No body with this number was ever published; as a dead grant it is worst for a client.
  const name = world.isStrict && error.code === 53003 ? 'invalid_grant' : usual;
  const traceId = randomUUID();
  const timestamp = new Date(world.clock.now())
    .toISOString()
    .replace('T', ' ')
    .replace(/\.\d+Z$/, 'Z');
  return {
    error: name,
    error_description: `AADSTS${error.code}: ${error.message} Trace ID: ${traceId} Correlation ID: ${correlationId} Timestamp: ${timestamp}`,
    error_codes: [error.code],
    timestamp,
    trace_id: traceId,
    correlation_id: correlationId,
    ...(uri ? { error_uri: `${world.origin}/error?code=${error.code}` } : {}),
    ...(suberror ? { suberror } : {}),
    ...error.more,
  };
}

/** The error as an answer of the token endpoint or of another JSON endpoint. */
export function errorReply(world: World, error: Aadsts, correlationId?: string): Reply {
  const body = errorBody(world, error, correlationId);
  const headers = { ...tokenHeaders(), 'x-ms-request-id': body.trace_id };
  return { status: aadsts[error.code].status, headers, body };
}

/** The headers of every answer of the token endpoint. */
export function tokenHeaders(): Record<string, string> {
  return {
    'content-type': 'application/json; charset=utf-8',
    'cache-control': 'no-store, no-cache',
    pragma: 'no-cache',
    expires: '-1',
    'x-ms-clitelem': '1,0,0,,',
    'x-ms-ests-server': '2.1.0 - EMULATOR ProdSlices',
  };
}
