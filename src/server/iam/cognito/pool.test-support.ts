import { createHash, createHmac } from 'node:crypto';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { operations } from './pool-operations.test-support.ts';
import { emptyPool, PoolError, type PoolShape, type PoolState } from './pool-state.test-support.ts';

/** The AWS identity that the pool knows. */
export const awsIdentity = {
  accessKeyId: 'AKIAIOSFODNN7EXAMPLE',
  secretAccessKey: 'a-secret-of-the-emulator',
};

/** The user pools API on loopback, as https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/ documents it. */
export interface EmulatedPool extends PoolState {
  readonly url: string;
  /** Operations that were asked for, in order, with what they were asked. */
  readonly asked: { readonly action: string; readonly body: Readonly<Record<string, unknown>> }[];
  /** Actions that the AWS identity lacks. */
  readonly denied: Set<string>;
  /** Errors that the next requests for an action meet, one each. */
  readonly troubles: { readonly action: string; readonly name: string; readonly status?: number }[];
  close(): Promise<void>;
}

/** Starts an empty pool. */
export async function startPool(shape: PoolShape = {}, id = 'eu-central-1_AbCdEfGhI'): Promise<EmulatedPool> {
  const server = createServer((request, response) => {
    const answer = (status: number, body: object, type?: string): void => {
      response.writeHead(status, {
        'content-type': 'application/x-amz-json-1.1',
        ...(type ? { 'x-amzn-errortype': type } : {}),
      });
      response.end(JSON.stringify(body));
    };
    read(request)
      .then((body) => answer(200, perform(pool, request, body)))
      .catch((error: unknown) => {
        const { name, message, status } = error instanceof PoolError ? error : internal(error);
        answer(status, { __type: name, message }, name);
      });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const pool: EmulatedPool = {
    ...emptyPool(id, shape),
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    ...{ asked: [], denied: new Set(), troubles: [] },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
  return pool;
}

async function read(request: IncomingMessage): Promise<Record<string, unknown>> {
  const body = await text(request);
  checkSignature(request, body);
  return JSON.parse(body) as Record<string, unknown>;
}

function internal(error: unknown): PoolError {
  return new PoolError('InternalErrorException', String(error), 500);
}

/** Permissions come first, then whether there is such a pool, then the operation. */
function perform(pool: EmulatedPool, request: IncomingMessage, body: Record<string, unknown>): object {
  const [service, action = ''] = String(request.headers['x-amz-target']).split('.');
  const operation = operations[action];
  if (service !== 'AWSCognitoIdentityProviderService' || !operation)
    throw new PoolError('UnknownOperationException', '', 404);
  pool.asked.push({ action, body });
  const at = pool.troubles.findIndex((trouble) => trouble.action === action);
  const [trouble] = at < 0 ? [] : pool.troubles.splice(at, 1);
  if (trouble) throw new PoolError(trouble.name, 'Rate exceeded', trouble.status ?? 400);
  if (pool.denied.has(action))
    throw new PoolError(
      'AccessDeniedException',
      `User: arn:aws:iam::123456789012:user/gateway is not authorized to perform: cognito-idp:${action} on resource: arn:aws:cognito-idp:eu-central-1:123456789012:userpool/${pool.id}`,
    );
  if (body.UserPoolId !== pool.id)
    throw new PoolError('ResourceNotFoundException', `User pool ${body.UserPoolId} does not exist.`);
  return operation(pool, body);
}

/** Signature Version 4, made again from what arrived: every signed header has to be as the client saw it. */
function checkSignature({ headers, method = '', url = '' }: IncomingMessage, body: string): void {
  const [, key, scope = '', signed = '', given] =
    /^AWS4-HMAC-SHA256 Credential=(\w+)\/(\S+), SignedHeaders=(\S+), Signature=([0-9a-f]{64})$/.exec(
      headers.authorization ?? '',
    ) ?? [];
  if (key === undefined)
    throw new PoolError('MissingAuthenticationTokenException', 'Missing Authentication Token');
  if (key !== awsIdentity.accessKeyId)
    throw new PoolError(
      'UnrecognizedClientException',
      'The security token included in the request is invalid.',
    );
  const { pathname } = new URL(url, 'http://pool');
  const canonical = [
    ...[method, pathname, ''],
    ...signed.split(';').map((name) => `${name}:${String(headers[name]).trim().replace(/ +/g, ' ')}`),
    ...['', signed, sha256(body)],
  ].join('\n');
  const [day = '', region = '', service = ''] = scope.split('/');
  const signing = [day, region, service, 'aws4_request'].reduce<string | Buffer>(
    (secret, part) => hmac(secret, part).digest(),
    `AWS4${awsIdentity.secretAccessKey}`,
  );
  const wanted = hmac(
    signing,
    ['AWS4-HMAC-SHA256', headers['x-amz-date'], scope, sha256(canonical)].join('\n'),
  );
  const isRight = service === 'cognito-idp' && signed.split(';').includes('host');
  if (!isRight || wanted.digest('hex') !== given)
    throw new PoolError(
      'InvalidSignatureException',
      'The request signature we calculated does not match the signature you provided.',
    );
}

const sha256 = (value: string): string => createHash('sha256').update(value).digest('hex');
const hmac = (key: string | Buffer, value: string) => createHmac('sha256', key).update(value);
