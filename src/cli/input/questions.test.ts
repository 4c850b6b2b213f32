import { expect, test } from 'vitest';
import { openQuestions } from './questions.ts';

function terminal(chunks: (string | Uint8Array)[], raw?: boolean[]) {
  let shown = '';
  async function* read() {
    yield* chunks;
  }
  const setRawMode = (isRaw: boolean) => raw?.push(isRaw);
  const stdin = Object.assign(read(), { isTTY: true, ...(raw ? { setRawMode } : {}) });
  return { stdin, stderr: { write: (text: string) => (shown += text) }, shown: () => shown };
}

const otherwise = 'Say it with an option.';

test('several questions are answered from one stream, however it is cut', async () => {
  const there = terminal(['Ad', 'a\r\nyes\nmore', Buffer.from('\n')]);
  const asking = openQuestions(there);
  const answers = [];
  for (const question of ['Who? ', 'Sure? ', 'What? '])
    answers.push(await asking.ask(question, { otherwise }));
  expect(answers).toEqual(['Ada', 'yes', 'more']);
  expect(there.shown()).toBe('Who? Sure? What? ');
});

test.each([
  ['as typed', ['se', 'cret\r'], 'secret'],
  ['with backspace', ['sx\u007fecret\r'], 'secret'],
  ['begun anew with Ctrl-U', ['wrong\u0015right\r'], 'right'],
  [
    'of letters that take several bytes',
    [Buffer.from('pä').subarray(0, 2), Buffer.from('pä\r').subarray(2)],
    'pä',
  ],
])('a secret is read without being shown, %s', async (_, chunks, secret) => {
  const raw: boolean[] = [];
  const there = terminal([...chunks], raw);
  expect(await openQuestions(there).ask('Password: ', { isSecret: true, otherwise })).toBe(secret);
  expect(raw).toEqual([true, false]);
  expect(there.shown()).toBe('Password: \n');
});

test('Ctrl-C ends a hidden question, and the terminal shows what is typed again', async () => {
  const raw: boolean[] = [];
  const asked = openQuestions(terminal(['half\u0003'], raw)).ask('Password: ', { isSecret: true, otherwise });
  await expect(asked).rejects.toThrow('Interrupted');
  expect(raw).toEqual([true, false]);
});

test('without a person to ask it is a misuse that names the other way', async () => {
  const { stdin, ...rest } = terminal([]);
  const asked = openQuestions({ ...rest, stdin: Object.assign(stdin, { isTTY: false }) }).ask('?', {
    otherwise,
  });
  await expect(asked).rejects.toMatchObject({ about: { exitCode: 2, remedy: otherwise } });
});
