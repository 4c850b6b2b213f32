import { afterEach, expect, test } from 'vitest';
import { guardedConnector } from '../net/connector.ts';
import {
  routeOf,
  rpc,
  type ScriptedUpstream,
  send,
  startGateway,
  startUpstream,
  type TestGateway,
} from './gateway.test-support.ts';

let upstream: ScriptedUpstream;
let house: TestGateway;

afterEach(async () => {
  await house.close();
  await upstream.close();
});

/** A gateway that reaches only public addresses, and for which every name has the address of the loopback. */
async function start(host?: string): Promise<string> {
  upstream = await startUpstream();
  house = await startGateway(
    { alice: ['* * *'] },
    {
      connect: guardedConnector({
        policy: { allowPrivate: false },
        timeoutMs: 5_000,
        resolve: async () => [{ address: '127.0.0.1', family: 4 }],
      }),
    },
  );
  const url = new URL(upstream.url);
  if (host) url.hostname = host;
  house.routes.set('time', routeOf('time', url));
  return `${house.origin}/time/mcp`;
}

test.each([
  ['an address that servers may not have', undefined],
  ['a name that has come to mean such an address', 'mcp.example.com'],
])('%s is not connected to, for calls and for streams', async (_, host) => {
  const url = await start(host);
  for (const body of [rpc('tools/call', { name: 'now' }), undefined]) {
    const answer = await send(url, { as: 'alice', ...(body ? { body } : {}) });
    expect(answer).toMatchObject({ status: 502 });
    expect(answer.json()).toMatchObject({ error: { data: { code: 'upstream_unreachable' } } });
    expect(answer.text).not.toContain('127.0.0.1');
    expect(answer.text).toContain('private or loopback address');
  }
  expect(upstream.received).toHaveLength(0);
});
