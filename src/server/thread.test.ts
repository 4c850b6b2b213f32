import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createThread, type Thread } from './thread.ts';

let directory: string;
let thread: Thread<string, string> | undefined;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'thread-'));
});

afterEach(async () => {
  await thread?.end();
  rmSync(directory, { recursive: true, force: true });
});

const answering = (body: string): Thread<string, string> => {
  const module = join(directory, 'thread.mjs');
  const answers = new URL('thread.ts', import.meta.url).href;
  writeFileSync(
    module,
    `import { answerQuestions } from ${JSON.stringify(answers)};\nanswerQuestions(${body});`,
  );
  thread = createThread({
    ...{ module: pathToFileURL(module), workerData: null, name: 'answers' },
    resourceLimits: { maxOldGenerationSizeMb: 32 },
  });
  return thread;
};

test('each question has its own answer, in whatever order they come', async () => {
  const { ask } = answering(
    `async (text) => { if (text === 'late') await new Promise((next) => setTimeout(next, 20)); return text + '!'; }`,
  );
  expect(await Promise.all([ask('late'), ask('soon'), ask('late')])).toEqual(['late!', 'soon!', 'late!']);
});

test('what it throws is the failure of that question alone', async () => {
  const { ask } = answering(
    `(text) => { if (text === 'bad') throw new TypeError('not that'); return text; }`,
  );
  const [bad, good] = await Promise.allSettled([ask('bad'), ask('good')]);
  expect(bad).toMatchObject({ status: 'rejected', reason: { name: 'TypeError', message: 'not that' } });
  expect(good).toEqual({ status: 'fulfilled', value: 'good' });
});

test('a thread that ends fails what waits, and the next question starts another', async () => {
  const { ask } = answering(`(text) => (text === 'end' ? process.exit(3) : text)`);
  const waiting = await Promise.allSettled([ask('end'), ask('after')]);
  expect(waiting.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
  expect(waiting[0]).toMatchObject({ reason: { message: 'the thread that answers ended with code 3' } });
  expect(await ask('again')).toBe('again');
});

test('one that was started before its first question answers it, and is no other', async () => {
  const { start, ask } = answering(`() => String(process.getBuiltinModule('worker_threads').threadId)`);
  start();
  const first = await ask('who');
  start();
  expect(await ask('who')).toBe(first);
});
