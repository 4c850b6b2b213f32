import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { endpoints } from '../../contract/index.ts';
import { elsewhere, insteadOf } from './elsewhere.ts';

const page = readFileSync('docs/deploy/from-another-registry.md', 'utf8');
const ours = new Set(Object.values(endpoints).map(({ method, path }) => `${method} ${path}`));
const named = (text: string): string[] =>
  [...text.matchAll(/(?:GET|POST|PUT|PATCH|DELETE) \/api\/[^\s`.;,)]*/g)].map(String);

test('an address of another registry leads to one of ours, and only that address', () => {
  expect(insteadOf('/api/server_details/currenttime')).toBe('Use GET /api/servers/{path}.');
  expect(insteadOf('/api/register')).toContain('POST /api/servers');
  for (const none of ['/api/registered', '/api/nothing', '/api/', '/api'])
    expect(insteadOf(none)).toBeUndefined();
});

test('whatever is named instead is there, on the page too, which has every address', () => {
  const lost = [...elsewhere.flatMap(([, instead]) => named(instead)), ...named(page)];
  expect(lost.filter((one) => !ours.has(one))).toEqual([]);
  expect(named(page).length).toBeGreaterThan(50);
  expect(elsewhere.map(([prefix]) => prefix).filter((prefix) => !page.includes(`\`${prefix}\``))).toEqual([]);
  const taken = [...ours].map((one) => one.split(' ')[1] ?? '');
  expect(elsewhere.filter(([prefix]) => taken.includes(prefix))).toEqual([]);
});
