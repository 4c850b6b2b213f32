import { chmod } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { cli, folderWith } from '../../../test/cli-trial.ts';
import { tokenIn } from './token-file.ts';

test.each([
  ['{"access_token":"t.o.k"}'],
  ['{"success":true,"tokens":{"access_token":"t.o.k","refresh_token":null}}'],
  ['{"token_data":{"access_token":"t.o.k"}}'],
  ['{"access_token":null,"tokens":{"access_token":"t.o.k"}}'],
  ['  t.o.k\r\n'],
  ['\ufeff{"access_token":"t.o.k"}'],
  ['Bearer t.o.k'],
])('%j is a token file', (text) => {
  expect(tokenIn(text, 'The file')).toBe('t.o.k');
});

test.each([
  ['', 'The file is empty'],
  [' \n', 'The file is empty'],
  ['{}', 'has no access_token'],
  ['{"tokens":{"access_token":""}}', 'has no access_token'],
  ['[]', 'has no access_token'],
  ['two words', 'does not hold a token'],
  ['t.o.k\r\nX-Evil: 1', 'does not hold a token'],
  ['{"access_token":"t\\no"}', 'does not hold a token'],
])('%j is not a token file, and the message says why', (text, why) => {
  expect(() => tokenIn(text, 'The file')).toThrow(why);
});

test('a missing token file is an error that names the remedy', async () => {
  const { code, err } = await cli(['list', '--token-file', 'nowhere'], { cwd: await folderWith() });
  expect(code).toBe(2);
  expect(err).toContain('The token file nowhere does not exist.');
  expect(err).toContain('mcp-gateway token create --output');
});

test.skipIf(process.platform === 'win32')('a token file that others can read is warned about', async () => {
  const cwd = await folderWith({ '.token': 't.o.k' });
  const argv = ['list', '--token-file', '.token', '--registry-url', 'http://127.0.0.1:1'];
  expect((await cli(argv, { cwd })).err).not.toContain('warning');
  await chmod(join(cwd, '.token'), 0o644);
  expect((await cli(argv, { cwd })).err).toContain('run: chmod 600 .token');
});
