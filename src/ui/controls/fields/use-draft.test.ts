import { readdirSync, readFileSync } from 'node:fs';
import { parseSync } from 'vite';
import { describe, expect, test } from 'vitest';
import { contestedIn, type Held, heldAfter, heldWith } from './use-draft.ts';

interface Fields {
  readonly name: string;
  readonly days: number;
  readonly tags: readonly string[];
}

const stored: Fields = { name: 'a', days: 7, tags: ['x'] };
const nothing: Held<Fields> = { changes: {} };

describe('a draft', () => {
  test('holds what was entered and the version that was seen, and nothing that is back to it', () => {
    const named = heldWith(nothing, stored, { name: 'b' });
    expect(named).toEqual({ changes: { name: 'b' }, base: stored });
    const both = heldWith(named, { ...stored, days: 8 }, { tags: ['x', 'y'] });
    expect(both).toEqual({ changes: { name: 'b', tags: ['x', 'y'] }, base: stored });
    expect(heldWith(heldWith(both, stored, { tags: ['x'] }), stored, { name: 'a' })).toEqual(nothing);
  });

  test('drops after a save what was sent, and keeps what was entered since', () => {
    const now: Fields = { ...stored, name: 'b' };
    const held: Held<Fields> = { changes: { name: 'b', days: 9 }, base: stored };
    expect(heldAfter(held, now, { ...stored, name: 'b', days: 8 })).toEqual({
      changes: { days: 9 },
      base: now,
    });
    // Stored in another spelling than sent: still what was sent.
    expect(heldAfter({ changes: { name: ' b' }, base: stored }, now, { ...stored, name: ' b' })).toEqual(
      nothing,
    );
  });

  test('says which fields somebody else changed too, to something else', () => {
    const held: Held<Fields> = { changes: { name: 'b', days: 9 }, base: stored };
    expect(contestedIn(held, stored)).toEqual([]);
    expect(contestedIn(held, { name: 'c', days: 7, tags: [] })).toEqual(['name']);
    expect(contestedIn(held, { name: 'b', days: 8, tags: ['x'] })).toEqual(['days']);
    expect(contestedIn(nothing, { ...stored, name: 'c' })).toEqual([]);
  });
});

interface Tree {
  readonly type: string;
  readonly start: number;
  readonly end: number;
  readonly [member: string]: unknown;
}

const isTree = (value: unknown): value is Tree =>
  typeof value === 'object' && value !== null && typeof (value as Tree).type === 'string';

/** The keys below `tree`: their text, and whether they are those of a list. */
function keysIn(tree: Tree, source: string, inList = false): { text: string; inList: boolean }[] {
  const callee = tree.callee as Tree | undefined;
  const called = tree.type === 'CallExpression' && callee ? source.slice(callee.start, callee.end) : '';
  const within = inList || /(?:\.map|\.flatMap|Array\.from)$/.test(called);
  const isKey = tree.type === 'JSXAttribute' && (tree.name as Tree).name === 'key';
  const value = isKey ? (tree.value as Tree) : undefined;
  return [
    ...(value ? [{ text: source.slice(value.start + 1, value.end - 1), inList }] : []),
    ...Object.values(tree)
      .flatMap((member) => (Array.isArray(member) ? member : [member]).filter(isTree))
      .flatMap((part) => keysIn(part, source, within)),
  ];
}

test('no part of a page begins anew, and loses what was entered, because something else is stored', () => {
  const directory = new URL('../../', import.meta.url);
  const wrong: string[] = [];
  let seen = 0;
  for (const file of readdirSync(directory, { recursive: true, encoding: 'utf8' })) {
    if (!file.endsWith('.tsx')) continue;
    const source = readFileSync(new URL(file.replaceAll('\\', '/'), directory), 'utf8');
    const { program } = parseSync(file, source, { lang: 'tsx' });
    for (const { text, inList } of keysIn(program as unknown as Tree, source)) {
      seen += 1;
      // Outside a list a key says which thing is shown: a name that it keeps.
      const isFine =
        !/revision|updated_?at|etag|stored/i.test(text) &&
        (inList || /^(?:\w+|said\.of|\w+\.(?:path|name|id))$/.test(text));
      if (!isFine) wrong.push(`${file}: key={${text}}`);
    }
  }
  expect(seen).toBeGreaterThan(100);
  expect(wrong).toEqual([]);
});
