import type { CognitoIdentityProviderClient } from '@aws-sdk/client-cognito-identity-provider';
import { Failure } from '../../failure/errors.ts';
import { ifFound } from '../../provider/not-there.ts';
import { isWorthRepeating, waitBefore } from '../../provider/retry.ts';
import type { DirectoryWorld } from '../directory.ts';
import { cognitoFailure, credentialsFailure, statusOf } from './failure.ts';
import type { Action, Answer, PoolRequest } from './operations.ts';
import { wayOutOfSdk } from './way-out.ts';

/** One user pool. Every method throws a Failure. */
export interface PoolApi {
  ask<A extends Action>(action: A, asked: PoolRequest<A>): Promise<Answer<A>>;
  /** The answer, or undefined when there is no such user or group. */
  find<A extends Action>(action: A, asked: PoolRequest<A>): Promise<Answer<A> | undefined>;
}

/** The pool, and where it is asked for. */
export interface Pool {
  readonly id: string;
  readonly region: string;
  /** Undefined for the region's own endpoint. */
  readonly endpoint: string | undefined;
}

/** Made again they do something else: they are repeated only when they were not carried out. */
const creating: readonly Action[] = ['AdminCreateUser', 'CreateGroup'];

/** Makes a client of the AWS SDK, which is loaded when it is first asked; credentials come by AWS's default chain. */
export function createPoolApi(pool: Pool, world: Pick<DirectoryWorld, 'fetch' | 'pause'>): PoolApi {
  const { id, region, endpoint } = pool;
  const load = async () => {
    const sdk = await import('@aws-sdk/client-cognito-identity-provider');
    const client = new sdk.CognitoIdentityProviderClient({
      ...{ region, maxAttempts: 1, requestHandler: { ...wayOutOfSdk(world) } },
      ...(endpoint ? { endpoint } : {}),
    });
    return { sdk, client };
  };
  let loaded: ReturnType<typeof load> | undefined;
  const ask: PoolApi['ask'] = async (action, asked) => {
    loaded ??= load();
    const { sdk, client } = await loaded;
    await client.config.credentials().catch((error: unknown) => {
      throw credentialsFailure(error);
    });
    const Command = sdk[`${action}Command`] as new (
      input: object,
    ) => Parameters<CognitoIdentityProviderClient['send']>[0];
    const method = creating.includes(action) ? 'POST' : 'GET';
    for (let attempt = 1; ; attempt++)
      try {
        return (await client.send(new Command({ ...asked, UserPoolId: id }))) as never;
      } catch (error) {
        const wait = isRepeated(method, error) ? waitBefore(attempt + 1, undefined) : undefined;
        if (wait === undefined) throw cognitoFailure(action, id, error);
        await world.pause(wait);
      }
  };
  return {
    ask,
    find: (action, asked) => ifFound(ask(action, asked)),
  };
}

/** A Failure is of the way out: the request may or may not have arrived. */
function isRepeated(method: 'GET' | 'POST', error: unknown): boolean {
  return error instanceof Failure ? method === 'GET' : isWorthRepeating(method, statusOf(error));
}
