import { Failure } from '../failure/errors.ts';
import type { Fetch } from '../net/outbound.ts';

/** The header by which the Entra emulator owns up to what it is. */
const emulatorHeader = 'x-entra-emulator';

/** A way to identity providers that takes no answer from an emulator: its accounts and secrets are known to everybody. */
export function refusingEmulators(send: Fetch): Fetch {
  return async (url, init) => {
    const response = await send(url, init);
    if (!response.headers.has(emulatorHeader)) return response;
    await response.body?.cancel();
    throw new Failure(
      'identity_unavailable',
      'The identity provider is an emulator, which production mode does not trust. Check ENTRA_LOGIN_BASE_URL, or start ' +
        'the evaluation mode with EVALUATION=true.',
    );
  };
}
