import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import {
  routeOf,
  rpc,
  type ScriptedUpstream,
  send,
  sendJson,
  startGateway,
  startUpstream,
  type TestGateway,
} from '../gateway.test-support.ts';
import { createBreaker } from './breaker.ts';

describe('the breaker', () => {
  let at = 0;
  const make = (failures = 3) => {
    at = 0;
    return createBreaker({ failures, maxRestMs: 4_000, connectMs: 500, now: () => at });
  };
  const refusal = (breaker: ReturnType<typeof make>): number | undefined => {
    try {
      breaker.check();
      return undefined;
    } catch (error) {
      expect(error).toMatchObject({ code: 'upstream_resting', status: 503 });
      return (error as { retryAfter: number }).retryAfter;
    }
  };

  test('opens when connections fail one after the other, and one that stands begins anew', () => {
    const breaker = make();
    breaker.failed();
    breaker.failed();
    breaker.connected();
    breaker.failed();
    breaker.failed();
    expect([breaker.isOpen, refusal(breaker)]).toEqual([false, undefined]);
    breaker.failed();
    expect([breaker.isOpen, refusal(breaker)]).toEqual([true, 1]);
  });

  test('lets one call try after a rest, and rests longer each time up to the most', () => {
    const breaker = make(1);
    breaker.failed();
    for (const seconds of [1, 2, 4, 4]) {
      expect(refusal(breaker)).toBe(seconds);
      at += seconds * 1000;
      expect(refusal(breaker)).toBeUndefined();
      expect(refusal(breaker)).toBe(1);
      breaker.failed();
    }
    at += 4000;
    expect(refusal(breaker)).toBeUndefined();
    breaker.connected();
    expect([breaker.isOpen, refusal(breaker), refusal(breaker)]).toEqual([false, undefined, undefined]);
    breaker.failed();
    expect(refusal(breaker)).toBe(1);
  });

  test('failures of connections tried at the same time do not add up', () => {
    const breaker = make(1);
    for (let count = 0; count < 100; count += 1) breaker.failed();
    expect(refusal(breaker)).toBe(1);
  });

  test('a trial of which nothing is heard is followed by another', () => {
    const breaker = make(1);
    breaker.failed();
    at = 1000;
    expect([refusal(breaker), refusal(breaker)]).toEqual([undefined, 1]);
    at = 1500;
    expect(refusal(breaker)).toBeUndefined();
  });

  test('never opens when it is switched off', () => {
    const breaker = make(0);
    for (let count = 0; count < 100; count += 1) breaker.failed();
    expect([breaker.isOpen, refusal(breaker)]).toEqual([false, undefined]);
  });
});

describe('a server', () => {
  let upstream: ScriptedUpstream;
  let house: TestGateway;
  let at: number;
  const call = { as: 'alice', body: rpc('tools/call', { name: 'now' }) };
  const ask = (server: string) => send(`${house.origin}/${server}/mcp`, call);

  beforeEach(async () => {
    at = 1_000;
    upstream = await startUpstream();
    house = await startGateway(
      { alice: ['* * *'] },
      { now: () => at, limits: { breakerFailures: 2, connectionsPerServer: 2, queuePerServer: 0 } },
    );
    house.routes.set('good', routeOf('good', upstream.url));
  });
  afterEach(async () => {
    await house.close();
    await upstream.close();
  });

  /** A port on which nothing listens any more. */
  async function deadPort(): Promise<number> {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    server.close();
    await once(server, 'close');
    return port;
  }

  test('to which no connection can be made is left alone, is told of, and is found again', async () => {
    const port = await deadPort();
    house.routes.set('bad', routeOf('bad', new URL(`http://127.0.0.1:${port}/mcp`)));
    expect([(await ask('bad')).status, (await ask('bad')).status]).toEqual([502, 502]);
    const refused = await ask('bad');
    expect(refused).toMatchObject({ status: 503, headers: { 'retry-after': '1' } });
    expect(refused.json()).toMatchObject({
      id: 1,
      error: { data: { code: 'upstream_resting' }, message: expect.stringContaining('in 1 s') },
    });
    expect(await send(`${house.origin}/bad/mcp`, { as: 'alice' })).toMatchObject({ status: 503 });
    expect([house.gateway.isResting('bad'), house.gateway.isResting('good')]).toEqual([true, false]);
    expect((await ask('good')).status).toBe(200);
    at += 1_000;
    const back = await startUpstream(undefined, port);
    expect((await ask('bad')).status).toBe(200);
    expect(house.gateway.isResting('bad')).toBe(false);
    await back.close();
  });

  test('whose answers are errors is not left alone', async () => {
    upstream.script = (_, res) => sendJson(res, {}, 503);
    for (let count = 0; count < 5; count += 1) expect((await ask('good')).status).toBe(503);
    upstream.script = (_, res) => res.destroy();
    for (let count = 0; count < 5; count += 1) expect((await ask('good')).status).toBe(502);
    expect(house.gateway.isResting('good')).toBe(false);
  });

  test('that hangs takes no connection from another at the same address', async () => {
    upstream.script = ({ url }, res) => {
      if (!url.startsWith('/hangs')) sendJson(res, {});
    };
    house.routes.set('hangs', routeOf('hangs', new URL('/hangs', upstream.url)));
    const left = new AbortController();
    const hanging = [1, 2].map(() =>
      send(`${house.origin}/hangs/mcp`, { ...call, signal: left.signal }).catch(() => 'left'),
    );
    while (house.gateway.counts().upstream.calls < 2) await new Promise((resolve) => setImmediate(resolve));
    expect((await ask('hangs')).status).toBe(503);
    for (let count = 0; count < 5; count += 1) expect((await ask('good')).status).toBe(200);
    left.abort();
    expect(await Promise.all(hanging)).toEqual(['left', 'left']);
  });
});
