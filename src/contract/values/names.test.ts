import { expect, test } from 'vitest';
import { agentPath } from '../agents/agents.ts';
import { scopeName } from '../scopes.ts';
import { serverPath } from '../servers/servers.ts';
import { looksLikeEvery, trimSlashes, withoutEndSlashes } from './names.ts';

test.each([
  'all',
  '*',
  '/all',
  'all/',
  'ALL',
  '%61ll',
  '%2561%6cl',
  '\uff41ll',
  ' all ',
  'a\u00adll',
  '\\all',
  '**',
  '%2A',
  '\uff0a',
])('%s looks like every one', (name) => {
  expect(looksLikeEvery(name)).toBe(true);
  expect(serverPath.safeParse(name).success).toBe(false);
  expect(agentPath.safeParse(name).success).toBe(false);
  expect(scopeName.safeParse(name).success).toBe(false);
});

test.each(['small', 'call_all', 'all-hands', 'team/all', 'al', '%', 'file:///docs/*', ''])(
  '%s does not',
  (name) => expect(looksLikeEvery(name)).toBe(false),
);

test('slashes go from the ends alone', () => {
  expect([trimSlashes('//a/b//'), withoutEndSlashes('//a/b//'), trimSlashes('///')]).toEqual([
    'a/b',
    '//a/b',
    '',
  ]);
});
