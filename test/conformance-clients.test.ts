import { resolve } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { shippedTenant } from '../src/entra-emulator/shipped.ts';
import { type Relay, startRelay } from './conformance/relay.ts';
import { bothWays, clientScenarios, failed, runClient } from './conformance/suite.ts';
import { rowsOf, startGateway, type TestGateway } from './harness.ts';
import { agentToken } from './sign-in.ts';

let gateway: TestGateway;
let relay: Relay;
let token: string;

beforeAll(async () => {
  [gateway, relay] = await Promise.all([startGateway(), startRelay()]);
  token = await agentToken(gateway.emulatorUrl, shippedTenant.agents.admin);
  const answer = await fetch(`${gateway.url}/api/servers`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify({
      ...{ server_name: 'scenarios', path: 'scenarios', proxy_pass_url: relay.url, is_enabled: true },
      // The clients of these scenarios sign in to the server: the gateway knows them by another header.
      forward_authorization: true,
      // By it the relay knows the scenario.
      pass_headers: ['x-scenario'],
    }),
  });
  expect(answer.status).toBe(201);
});
afterAll(async () => {
  await relay?.close();
  await gateway?.close();
});

const command = `${process.execPath} ${resolve('test/conformance/client.ts')}`;

test.each([
  ['2025-11-25', 18],
  ['2026-07-28', 32],
])(
  'the official scenarios of %s say the same of a client with and without the gateway',
  async (revision, count) => {
    const scenarios = await clientScenarios(revision);
    expect(scenarios).toHaveLength(count);
    const args = ['--spec-version', revision, '--command', command];
    const gate = { GATEWAY: `${gateway.url}/scenarios/mcp`, TOKEN: token };
    const { direct, through } = await bothWays((way, some = scenarios) =>
      runClient(some, args, way === 'through' ? gate : {}),
    );
    expect(through).toEqual(direct);
    expect(Object.values(direct).every((verdicts) => verdicts.length > 0)).toBe(true);
    expect(failed(direct)).toEqual([]);
  },
  600_000,
);

test('their calls were decided on and are in the audit trail', async () => {
  await gateway.stop();
  const rows = await rowsOf(
    gateway,
    "SELECT DISTINCT decision, auth_method FROM audit_events WHERE resource = 'scenarios'",
  );
  expect(rows).toContainEqual({ decision: 'allow', auth_method: 'bearer' });
});
