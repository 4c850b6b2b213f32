import { z } from 'zod';
import { Failure } from '../../failure/errors.ts';
import { askToken, postForm, readClaims, TokenFailure, type TokenWorld } from '../../provider/entra-token.ts';
import type { Pause } from '../../provider/retry.ts';

const started = z.object({
  device_code: z.string(),
  user_code: z.string(),
  verification_uri: z.string(),
  expires_in: z.number(),
  interval: z.number(),
});

/** Somebody who signed in with a code: what they may do is the token's to say. */
export interface SignedIn {
  readonly token: string;
  readonly tenantId: string;
  readonly objectId: string;
  readonly username: string;
}

/** What signing in with a code needs besides the login host. */
export interface DeviceWorld extends TokenWorld {
  readonly pause: Pause;
  /** Shows the address to open and the code to enter. */
  readonly show: (address: string, code: string) => void;
}

/** Signs somebody in at a browser of theirs (RFC 8628); throws a Failure when they decline or the code runs out. */
export async function signInWithCode(
  world: DeviceWorld,
  clientId: string,
  scopes: readonly string[],
): Promise<SignedIn> {
  const scope = ['openid', 'profile', ...scopes].join(' ');
  const answer = await postForm(world, 'devicecode', { client_id: clientId, scope });
  const read = started.safeParse(answer);
  if (!read.success) throw refusal(answer);
  const { device_code, user_code, verification_uri, expires_in, interval } = read.data;
  world.show(verification_uri, user_code);
  const form = {
    grant_type: 'urn:ietf:params:oauth:grant-type:device_code',
    ...{ client_id: clientId, device_code },
  };
  let wait = interval;
  for (let waited = 0; waited < expires_in; waited += wait) {
    await world.pause(wait * 1000);
    try {
      return signedIn(await askToken(world, form));
    } catch (error) {
      if (!(error instanceof TokenFailure)) throw error;
      if (error.error === 'slow_down') wait += 5;
      else if (error.error !== 'authorization_pending') throw error;
    }
  }
  throw new Failure('sign_in_refused', 'The code was not entered in time. Start again.');
}

function refusal(answer: unknown): Failure {
  const said = z.object({ error: z.string(), error_description: z.string().catch('') }).safeParse(answer);
  if (said.success) return new TokenFailure(said.data, answer);
  return new Failure('directory_unavailable', 'Entra ID did not start a sign-in with a code.');
}

function signedIn({
  access_token: token,
  id_token,
}: {
  access_token: string;
  id_token?: string | undefined;
}): SignedIn {
  const { tid, oid, preferred_username: name } = readClaims(id_token ?? token);
  if (typeof tid !== 'string' || typeof oid !== 'string')
    throw new Failure('sign_in_refused', 'Entra ID did not say who signed in.');
  return { token, tenantId: tid, objectId: oid, username: typeof name === 'string' ? name : oid };
}
