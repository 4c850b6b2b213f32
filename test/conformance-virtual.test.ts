import { afterAll, beforeAll, expect, test } from 'vitest';
import { shippedTenant } from '../src/entra-emulator/shipped.ts';
import { type Front, startFront } from './conformance/front.ts';
import { bothWays, runServer, type Verdicts } from './conformance/suite.ts';
import { startTarget, type Target } from './conformance/target.ts';
import { startGateway, type TestGateway } from './harness.ts';
import { agentToken } from './sign-in.ts';

let gateway: TestGateway;
let target: Target;
let front: Front;

beforeAll(async () => {
  [gateway, target] = await Promise.all([startGateway(), startTarget()]);
  const token = await agentToken(gateway.emulatorUrl, shippedTenant.agents.admin);
  await post(token, '/api/servers', {
    ...{ server_name: 'conformance', path: 'conformance', proxy_pass_url: target.url, is_enabled: true },
  });
  // The scenarios know the tools by their own names.
  const members = [{ backend_server_path: '/conformance', prefix: '' }];
  await post(token, '/api/virtual-servers', { server_name: 'conformance', members });
  front = await startFront(`${gateway.url}/virtual/conformance/mcp`, token);
});
afterAll(async () => {
  await front?.close();
  await target?.close();
  await gateway?.close();
});

async function post(token: string, path: string, body: object): Promise<void> {
  const answer = await fetch(`${gateway.url}${path}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  expect([answer.status, answer.status === 201 ? '' : await answer.text()]).toEqual([201, '']);
}

/** What differs, and why; nothing else may. */
const known: Readonly<Record<string, string>> = {
  'server-server-sse-multiple-streams':
    'it counts lists that come as events; here they are one JSON answer, from what is stored',
};

test.each(['2025-11-25', '2026-07-28'])(
  'the official scenarios of %s say the same of a server and of a virtual server with it',
  async (revision) => {
    const isKnown = (scenario: string): boolean => scenario in known || scenario.startsWith('server-tasks-');
    const { direct, through } = await bothWays(
      (way, some) => runServer(revision, { direct: target, through: front }[way].url, some),
      isKnown,
    );
    const compared = (verdicts: Verdicts) =>
      Object.fromEntries(Object.entries(verdicts).filter(([scenario]) => !(scenario in known)));
    expect(compared(through)).toEqual(compared(direct));
  },
  600_000,
);
