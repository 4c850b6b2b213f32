import { afterAll, beforeAll, expect, test } from 'vitest';
import { shippedTenant } from '../src/entra-emulator/shipped.ts';
import { type Front, startFront } from './conformance/front.ts';
import { bothWays, failed, runServer } from './conformance/suite.ts';
import { startTarget, type Target } from './conformance/target.ts';
import { rowsOf, startGateway, type TestGateway } from './harness.ts';
import { agentToken } from './sign-in.ts';

let gateway: TestGateway;
let target: Target;
let front: Front;

beforeAll(async () => {
  [gateway, target] = await Promise.all([startGateway(), startTarget()]);
  const token = await agentToken(gateway.emulatorUrl, shippedTenant.agents.admin);
  await register(token, 'conformance', target.url);
  front = await startFront(`${gateway.url}/conformance/mcp`, token);
});
afterAll(async () => {
  await front?.close();
  await target?.close();
  await gateway?.close();
});

async function register(token: string, path: string, url: string): Promise<void> {
  const answer = await fetch(`${gateway.url}/api/servers`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify({ server_name: path, path, proxy_pass_url: url, is_enabled: true }),
  });
  expect(answer.status).toBe(201);
}

test.each([
  ['2025-11-25', 33],
  ['2026-07-28', 50],
])(
  'the official scenarios of %s say the same of a server with and without the gateway',
  async (revision, scenarios) => {
    // The target leaves out the extension of tasks, and nothing else.
    const isLeftOut = (scenario: string): boolean => scenario.startsWith('server-tasks-');
    const { direct, through } = await bothWays(
      (way, some) => runServer(revision, { direct: target, through: front }[way].url, some),
      isLeftOut,
    );
    expect(Object.keys(direct)).toHaveLength(scenarios);
    expect(through).toEqual(direct);
    expect(failed(direct).filter((one) => !isLeftOut(one))).toEqual([]);
  },
  600_000,
);

test('each of these calls was decided on and is in the audit trail', async () => {
  await gateway.stop();
  const rows = await rowsOf(
    gateway,
    "SELECT DISTINCT decision, auth_method FROM audit_events WHERE resource = 'conformance'",
  );
  expect(rows).toContainEqual({ decision: 'allow', auth_method: 'bearer' });
});
