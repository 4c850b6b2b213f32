import { EventEmitter } from 'node:events';
import { expect, test } from 'vitest';
import { createEnding, startedUnlessAsked, untilAsked } from './ending.ts';

test('everything is closed, the newest first, also after a closer that fails', async () => {
  const closed: string[] = [];
  const failures: unknown[] = [];
  const ending = createEnding((error) => failures.push(error));
  ending.defer(async () => {
    await Promise.resolve();
    closed.push('database');
  });
  ending.defer(() => Promise.reject(new Error('rejects')));
  ending.defer(() => {
    throw new Error('throws');
  });
  ending.defer(() => void closed.push('server'));
  const both = [ending.end(), ending.end()];
  await Promise.all(both);
  expect(closed).toEqual(['server', 'database']);
  expect(failures).toEqual([new Error('throws'), new Error('rejects')]);
});

test('what is opened while the ending runs is closed too', async () => {
  const closed: string[] = [];
  const ending = createEnding(() => {});
  ending.defer(() => ending.defer(() => void closed.push('late')));
  await ending.end();
  expect(closed).toEqual(['late']);
});

function asked() {
  const emitter = new EventEmitter();
  const [exits, told]: [number[], unknown[]] = [[], []];
  const reason = untilAsked(emitter, {
    exit: (code) => void exits.push(code),
    told: (error) => void told.push(error),
  });
  return { emitter, exits, told, reason };
}

test.each(['SIGINT', 'SIGTERM', 'SIGHUP'])(
  '%s asks for the end, and a second signal does not wait',
  async (signal) => {
    const { emitter, exits, reason } = asked();
    emitter.emit(signal);
    expect(await reason).toEqual({ signal });
    expect(exits).toEqual([]);
    emitter.emit('SIGTERM');
    expect(exits).toEqual([130]);
  },
);

test.each(['uncaughtException', 'unhandledRejection'])(
  '%s is told and asks for the end; more of them only are told',
  async (event) => {
    const { emitter, exits, told, reason } = asked();
    emitter.emit(event, new Error('one'));
    emitter.emit(event, new Error('two'));
    expect(await reason).toEqual({ error: new Error('one') });
    expect([exits, told]).toEqual([[], [new Error('one'), new Error('two')]]);
    emitter.emit('SIGTERM');
    expect(exits).toEqual([]);
  },
);

test('a worker is asked once, however many signals come', async () => {
  const emitter = new EventEmitter();
  const reason = untilAsked(emitter, { exit: undefined, told: () => {} });
  emitter.emit('SIGINT');
  emitter.emit('SIGTERM');
  expect(await reason).toEqual({ signal: 'SIGINT' });
});

test('what has started is handed on, whether or not the end was asked for meanwhile', async () => {
  const asked = Promise.resolve({ signal: 'SIGTERM' } as const);
  const starting = new Promise<string>((done) => setImmediate(() => done('a gateway')));
  expect(await startedUnlessAsked(Promise.resolve('a gateway'), new Promise(() => {}), 0)).toBe('a gateway');
  expect(await startedUnlessAsked(starting, asked, 600_000)).toBe('a gateway');
});

test('a start that does not come to an end, or fails, after the end was asked for is not waited for', async () => {
  const asked = Promise.resolve({ signal: 'SIGTERM' } as const);
  expect(await startedUnlessAsked(new Promise(() => {}), asked, 1)).toBeUndefined();
  const failing = new Promise<never>((_, fail) => setImmediate(() => fail(new Error('no port'))));
  expect(await startedUnlessAsked(failing, asked, 600_000)).toBeUndefined();
});

test('a start that fails by itself rejects', async () => {
  const failing = Promise.reject(new Error('no port'));
  await expect(startedUnlessAsked(failing, new Promise(() => {}), 0)).rejects.toThrow('no port');
});
