import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { Failure } from '../failure/errors.ts';
import type { Emits } from './member.ts';
import { sseSource } from './sources.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** A call over HTTP+SSE with a limit of a second: what the member says to it, whether it was told to stop, and how it failed. */
async function startCall() {
  const failures: string[] = [];
  const cancelled: number[] = [];
  let member: Emits | undefined;
  const link = {
    call(_method: string, _params: object, emits: Emits): number {
      member = emits;
      return 7;
    },
    send: () => undefined,
    cancel: (id: number) => void cancelled.push(id),
  };
  const sent = { method: 'tools/call', params: {}, name: 'x' };
  const source = sseSource(async () => link, sent, { ms: 1_000, setting: 'the setting X' });
  source.start({
    notification: () => undefined,
    request: () => undefined,
    response: () => undefined,
    failed: ({ code }: Failure) => void failures.push(code),
  });
  await vi.advanceTimersByTimeAsync(0);
  return { failures, cancelled, source, member: member as Emits };
}

test('a call over HTTP+SSE of which nothing is heard ends at its limit, once, and the member is told', async () => {
  const { failures, cancelled } = await startCall();
  await vi.advanceTimersByTimeAsync(999);
  expect(failures).toEqual([]);
  await vi.advanceTimersByTimeAsync(10_000);
  expect([failures, cancelled]).toEqual([['upstream_timeout'], [7]]);
});

test.each([
  ['progress', ({ member }) => member.notification({ method: 'notifications/progress' })],
  ['a question', ({ member }) => member.request('1', 'sampling/createMessage', {})],
  ['its end', ({ member }) => member.response({ result: {} })],
  ['that the client left', ({ source }) => source.cancel()],
] as [string, (call: Awaited<ReturnType<typeof startCall>>) => void][])(
  'a call over HTTP+SSE of which was heard %s has no limit any more',
  async (_, hear) => {
    const call = await startCall();
    hear(call);
    await vi.advanceTimersByTimeAsync(600_000);
    expect(call.failures).toEqual([]);
  },
);
