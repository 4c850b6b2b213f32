import { expect, test } from 'vitest';
import { shippedTenant } from '../../src/entra-emulator/shipped.ts';
import { startGateway } from '../harness.ts';
import { startPostgres } from '../postgres.ts';
import { signIn } from '../sign-in.ts';

test('with nothing set but DATABASE_URL it starts on an empty database, and again on the same', async () => {
  const postgres = await startPostgres();
  const environment = { DATABASE_URL: await postgres.create('fresh') };
  const first = await startGateway({ environment });
  let second: typeof first | undefined;
  try {
    const { cookie } = await signIn(first.url, shippedTenant.accounts.admin.userPrincipalName);
    const servers = await fetch(`${first.url}/api/servers`, { headers: { cookie } });
    expect(await servers.text()).toContain('/currenttime');
    expect(await first.stop()).toBe(0);
    second = await startGateway({
      ...{ environment, dataDir: first.dataDir, port: Number(new URL(first.url).port) },
      emulatorPort: Number(new URL(first.emulatorUrl).port),
    });
    expect((await fetch(`${second.url}/api/auth/me`, { headers: { cookie } })).status).toBe(200);
  } finally {
    await second?.stop();
    await first.close();
    await postgres.close();
  }
});
