import { Failure, type FailureCode } from '../../failure/errors.ts';
import type { Action } from './operations.ts';

/** What AWS calls the lack of a permission, and what it calls requests that come too fast. */
const denials = ['AccessDeniedException', 'NotAuthorizedException'];
const throttles = ['TooManyRequestsException', 'ThrottlingException', 'Throttling', 'RequestLimitExceeded'];
/** Credentials that AWS does not know, or no longer, or whose signature it does not take. */
const credentials = [
  'UnrecognizedClientException',
  'InvalidClientTokenId',
  'ExpiredTokenException',
  'InvalidSignatureException',
  'SignatureDoesNotMatch',
  'IncompleteSignatureException',
  'MissingAuthenticationTokenException',
];

interface AwsError {
  readonly name: string;
  readonly message: string;
  readonly status: number;
}

/** The failure that an error of the AWS SDK amounts to; what is a Failure already came from the way out. */
export function cognitoFailure(action: Action, pool: string, error: unknown): Failure {
  if (error instanceof Failure)
    return new Failure('directory_unavailable', `Cognito cannot be reached. ${error.message}`, {
      cause: error,
    });
  const aws = awsError(error);
  const [code, message] = judge(action, pool, aws);
  return new Failure(code, `${message} (${action}: ${aws.name}).`, { cause: error });
}

/** The failure of the chain of AWS credentials. */
export function credentialsFailure(error: unknown): Failure {
  const said = error instanceof Error ? clean(error.message) : 'it does not say why';
  return new Failure(
    'directory_denied',
    `There are no AWS credentials to manage accounts with: ${said}. Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or give the machine a role (docs/providers/cognito.md).`,
    { cause: error },
  );
}

/** Whether a failure says that the gateway lacks the permission for just this action. */
export function isDenied({ cause }: Failure): boolean {
  return denials.includes(awsError(cause).name);
}

/** The HTTP status that an error stands for; AWS tells of throttling with 400. */
export function statusOf(error: unknown): number {
  const { name, status } = awsError(error);
  return throttles.includes(name) ? 429 : status;
}

const others: Readonly<Record<string, readonly [FailureCode, string]>> = {
  UserNotFoundException: ['not_found', 'Cognito has no such user'],
  UsernameExistsException: [
    'conflict',
    'Cognito has a user of this name or e-mail address already; choose another',
  ],
  AliasExistsException: ['conflict', 'Cognito has a user with this e-mail address already; choose another'],
  GroupExistsException: ['conflict', 'Cognito has a group of this name already'],
  InternalErrorException: ['directory_unavailable', 'Cognito has trouble right now; try again in a minute'],
};

function judge(action: Action, pool: string, { name, message, status }: AwsError): [FailureCode, string] {
  if (denials.includes(name))
    return [
      'directory_denied',
      `Cognito denies this: the gateway's AWS identity lacks the action cognito-idp:${action} on the user pool ${pool}`,
    ];
  if (credentials.includes(name))
    return [
      'directory_denied',
      `AWS does not accept the gateway's credentials: ${clean(message)}; check them, and the clock of this machine`,
    ];
  if (throttles.includes(name))
    return [
      'directory_unavailable',
      'Cognito is asked more than it allows (throttled); try again in a minute',
    ];
  const known = others[name];
  if (known) return [...known];
  if (name === 'ResourceNotFoundException')
    return /user ?pool/i.test(message)
      ? ['directory_refused', `There is no user pool ${pool} in this account; check COGNITO_USER_POOL_ID`]
      : ['not_found', 'Cognito has no such group'];
  if (status >= 500 || status === 0)
    return ['directory_unavailable', 'Cognito is not available right now; try again in a minute'];
  return ['directory_refused', `Cognito refuses this: ${clean(message)}`];
}

function awsError(error: unknown): AwsError {
  if (!(error instanceof Error)) return { name: 'unknown', message: '', status: 0 };
  const { $metadata } = error as { $metadata?: { httpStatusCode?: number } };
  return { name: error.name, message: error.message, status: $metadata?.httpStatusCode ?? 0 };
}

/** One line without the full stop, which the sentence has. */
function clean(message: string): string {
  return message.replace(/\s+/g, ' ').replace(/\.$/, '').slice(0, 500) || 'it does not say why';
}
