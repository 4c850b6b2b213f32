import { expect, test } from 'vitest';
import { endpoints } from './index.ts';
import { factsOf, permissions, showing } from './permissions.ts';

test('exactly one permission shows the things of each kind, and those that show are harmless', () => {
  const rows = Object.entries(permissions).map(([name]) => ({ name, ...factsOf(name) }));
  for (const kind of new Set(rows.map(({ of }) => of))) {
    const shown = rows.filter(({ of, shows }) => of === kind && shows);
    expect(shown.map(({ name }) => name)).toEqual(kind === 'everything' ? [] : [showing(kind ?? 'server')]);
    expect(shown.every(({ harmless }) => harmless)).toBe(true);
  }
});

test('what every object has by birth is no permission', () => {
  for (const name of ['constructor', '__proto__', 'toString', '']) expect(factsOf(name)).toBeUndefined();
});

test('an endpoint on one thing asks for a permission about things of a kind', () => {
  for (const { permission } of Object.values(endpoints))
    if (typeof permission === 'object' && permission.on === 'path')
      expect(showing(factsOf(permission.can)?.of ?? 'everything')).toBeDefined();
});
