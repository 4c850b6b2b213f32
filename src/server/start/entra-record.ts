import {
  type EntraComparison,
  type EntraRecord,
  entraRecord,
} from '../../contract/diagnosis/entra-record.ts';
import { shippedTenant, startEmulator } from '../../entra-emulator/main.ts';
import { invalidInput } from '../failure/errors.ts';
import { compareRecords } from '../iam/entra/record/compare.ts';
import { recordEntra } from '../iam/entra/record/record.ts';
import type { Fetch } from '../net/outbound.ts';

/** Asks an emulator what was asked of a tenant, as usual and in the strict mode, and says where it differs. */
export async function compareWithEmulator(recorded: unknown, fetch: Fetch): Promise<EntraComparison[]> {
  const read = entraRecord.safeParse(recorded);
  if (!read.success)
    throw invalidInput([], {
      said: 'This is not a record of a tenant. Create one with: mcp-gateway gateway doctor entra --record FILE',
      cause: read.error,
    });
  const [usual, strict] = [await recordOf(false, fetch), await recordOf(true, fetch)];
  return compareRecords(read.data, usual, strict);
}

/** What the emulator answers, about its shipped tenant. */
export async function recordOf(strict: boolean, fetch: Fetch): Promise<EntraRecord> {
  const emulator = await startEmulator({ strict });
  try {
    return await recordEntra({
      config: {
        tenantId: emulator.tenantId,
        clientId: emulator.clientId,
        clientSecret: emulator.clientSecret,
        redirectUri: 'http://localhost:8080/oauth2/callback/entra',
        loginBaseUrl: emulator.origin,
        graphBaseUrl: emulator.graphOrigin,
        applicationIdUri: shippedTenant.appIdUri,
        groupAdminId: null,
        groupUsersId: null,
      },
      fetch,
      now: emulator.clock.now,
    });
  } finally {
    await emulator.close();
  }
}
