import { readdirSync, readFileSync } from 'node:fs';
import { parseSync } from 'vite';
import { expect, test } from 'vitest';
import { de } from './de.ts';
import { count, parts, t } from './words.ts';

const directory = new URL('..', import.meta.url);

interface Tree {
  readonly type: string;
  readonly start: number;
  readonly [member: string]: unknown;
}

/** The files of the pages with their syntax trees. */
const files = readdirSync(directory, { recursive: true, encoding: 'utf8' })
  .map((file) => file.replaceAll('\\', '/'))
  .filter((file) => /\.tsx?$/.test(file) && !/\.test\.ts$|^words\/|^vite\.config/.test(file))
  .map((file) => {
    const source = readFileSync(new URL(file, directory), 'utf8');
    const { program, errors } = parseSync(file, source, { lang: file.endsWith('x') ? 'tsx' : 'ts' });
    if (errors.length > 0) throw new Error(`${file} cannot be parsed`);
    return { file, source, program: program as unknown as Tree };
  });

function isTree(value: unknown): value is Tree {
  return typeof value === 'object' && value !== null && typeof (value as Tree).type === 'string';
}

function partsOf(tree: Tree): Tree[] {
  return Object.values(tree).flatMap((value) => (Array.isArray(value) ? value : [value]).filter(isTree));
}

/** The name of what is called, where that is a plain name. */
function calledBy(tree: Tree): string | undefined {
  const callee = tree.callee as Tree | undefined;
  return tree.type === 'CallExpression' && callee?.type === 'Identifier' ? String(callee.name) : undefined;
}

/** The arguments of `t`, `parts` and `count` that are texts. */
function textArguments(tree: Tree): Tree[] {
  const given = (tree.arguments ?? []) as Tree[];
  return (
    { t: given.slice(0, 1), parts: given.slice(0, 1), count: given.slice(1, 3) }[calledBy(tree) ?? ''] ?? []
  );
}

/** The texts of a tree that is a text, or a choice of texts; undefined when it is anything else. */
function literals(tree: Tree): string[] | undefined {
  if (tree.type === 'Literal' && typeof tree.value === 'string') return [tree.value];
  if (tree.type !== 'ConditionalExpression') return undefined;
  const [one, other] = [literals(tree.consequent as Tree), literals(tree.alternate as Tree)];
  return one && other && [...one, ...other];
}

/** Every English text that the pages have translated, and where something else than a text is. */
function textsOfPages(): { texts: Set<string>; unknown: string[] } {
  const texts = new Set<string>();
  const unknown: string[] = [];
  for (const { file, source, program } of files) {
    const walk = (tree: Tree): void => {
      for (const argument of textArguments(tree)) {
        const found = literals(argument);
        if (found) for (const text of found) texts.add(text);
        else unknown.push(`${file}: ${source.slice(tree.start, tree.start + 60)}`);
      }
      for (const part of partsOf(tree)) walk(part);
    };
    walk(program);
  }
  return { texts, unknown };
}

/** Attributes whose value no one reads. */
const technical =
  /class(Name)?$|^(to|href|type|id|role|autoComplete|rel|d|viewBox|key|look|htmlFor|scope|popover|from|kind|by|target|inputMode|preserveAspectRatio|size|fill|stroke\w*|permission|format|accept|placeholder|aria-(hidden|live|current|keyshortcuts|expanded|haspopup|labelledby|describedby|controls|autocomplete))$/i;
/** Names, and what goes to programs: the same in every language. */
const untranslated = new Set(
  `UTC|Esc|API|MCP Gateway|MCP Gateway &amp; Registry| · MCP Gateway & Registry|VS Code|Cursor|Claude Code|Codex|Goose|Kiro|Roo Code|Authorization|X-API-Key
GitHub|Google|Atlassian|Microsoft|Slack|Notion|Linear|Sentry|PostgreSQL|Streamable HTTP|streamable-http, sse|Bearer |API
Edge|Opera|Firefox|Headless Chrome|Chrome|Safari|Windows|Android|ChromeOS|Linux
Web page: test and try tools|Connect |index.html has no element #app
Apache-2.0|12px system-ui|input, textarea, select, dialog
Flight Booking|Finds and books flights.|Example|Find flights|Lists flights between two airports on a day.|Flights from Oslo to Lisbon on Friday`.split(
    /[|\n]/,
  ),
);

/** Whether a text in quotes is there to be read: it begins with a capital, or has words side by side. */
function isProse(text: string): boolean {
  if (
    untranslated.has(text) ||
    /(^| )(h-\d|px-|py-|text-|rounded|grid|flex|inline|min-w|border|gap-|translate)/.test(text)
  )
    return false;
  return /^[“(]?\p{Lu}[\p{Ll}’']/u.test(text.trim()) || /\p{L}{2,},? \p{Ll}{2,}/u.test(text);
}

/** The texts that an expression can have as its value, where they are in it. */
function shownBy(tree: Tree): Tree[] {
  if (tree.type === 'Literal' && typeof tree.value === 'string') return [tree];
  if (tree.type === 'ConditionalExpression')
    return [...shownBy(tree.consequent as Tree), ...shownBy(tree.alternate as Tree)];
  return tree.type === 'LogicalExpression' ? shownBy(tree.right as Tree) : [];
}

/** What is there to be read in a file although no catalogue has it, with its line. */
function outsideCatalogue({ file, source, program }: (typeof files)[number]): string[] {
  const found: string[] = [];
  const note = (tree: Tree, text: unknown) =>
    found.push(`${file}:${source.slice(0, tree.start).split('\n').length}: ${String(text).trim()}`);
  const walk = (tree: Tree): void => {
    const { type, value } = tree;
    if (
      type === 'ImportDeclaration' ||
      type === 'ImportExpression' ||
      /^TS(?!As|Satisfies|NonNull)/.test(type)
    )
      return;
    if (type === 'CallExpression' && calledBy(tree) === 'lazyRouteComponent') return;
    if (type === 'Property' && (tree.key as Tree).name === 'key') return;
    if (type === 'JSXElement') {
      const name = ((tree.openingElement as Tree).name as Tree).name;
      if (['code', 'kbd', 'pre'].includes(String(name))) return;
      for (const child of (tree.children as Tree[]).filter((one) => one.type === 'JSXExpressionContainer'))
        for (const one of shownBy(child.expression as Tree))
          if (
            /\p{L}{2}/u.test(String(one.value)) &&
            !isProse(String(one.value)) &&
            !untranslated.has(String(one.value))
          )
            note(one, one.value);
    }
    if (type === 'JSXText') {
      if (/\p{L}{2}/u.test(String(value)) && !untranslated.has(String(value).trim())) note(tree, value);
      return;
    }
    if (type === 'JSXAttribute') {
      const name = String((tree.name as Tree).name);
      if (technical.test(name) && name !== 'placeholder') return;
      if (isTree(value) && value.type === 'Literal') {
        const text = String(value.value);
        const isRead = name === 'placeholder' ? isProse(text) : /\p{L}{2}/u.test(text);
        if (isRead && !(name === 'name' && /^[a-z_]+$/.test(text)) && !untranslated.has(text))
          note(tree, text);
        return;
      }
    }
    if (type === 'Literal' && typeof value === 'string' && isProse(value) && !/ -H "/.test(value))
      note(tree, value);
    if (type === 'TemplateElement') {
      const text = String((value as { cooked: string }).cooked);
      // Commands and paths are made of pieces too; what is read has a word between spaces, or begins a sentence.
      if (
        !/^\n?(curl|claude|codex|export|mcp-gateway) | --|[=/{}]|^ (?:server )?list$/.test(text) &&
        isProse(text)
      )
        note(tree, text);
    }
    const texts = textArguments(tree);
    const [compared] = type === 'BinaryExpression' && /^[!=]==?$/.test(String(tree.operator)) ? [tree] : [];
    if (compared) return;
    for (const part of partsOf(tree)) if (!texts.includes(part)) walk(part);
  };
  walk(program);
  return found;
}

const placeholders = (text: string): string[] => [...text.matchAll(/\{\w+\}/g)].map(([name]) => name).sort();

test('German has every text, with the same values in it, and none that is not used', () => {
  const { texts, unknown } = textsOfPages();
  expect(unknown).toEqual([]);
  expect(texts.size).toBeGreaterThan(1000);
  expect([...texts].filter((text) => de[text] === undefined)).toEqual([]);
  expect(Object.keys(de).filter((text) => !texts.has(text))).toEqual([]);
  for (const [english, german] of Object.entries(de))
    expect(placeholders(german), english).toEqual(placeholders(english));
});

test('nothing that is read on a page is outside the catalogue', () => {
  expect(files.flatMap(outsideCatalogue)).toEqual([]);
});

test('a text beside the catalogue is found wherever it is', () => {
  const found = (source: string) =>
    outsideCatalogue({
      ...{ file: 'x.tsx', source },
      program: parseSync('x.tsx', source, { lang: 'tsx' }).program as unknown as Tree,
    });
  for (const source of [
    '<p>words</p>',
    '<p title="words" />',
    '<Search things="servers" />',
    '<input placeholder="Name or id" />',
    '<p>{some ? t("one") : "No one"}</p>',
    '<p>{some ? t("one") : "none"}</p>',
    'const words = { a: "Every server" };',
    // biome-ignore lint/suspicious/noTemplateCurlyInString: the text of a program
    'announce("done", `${name} is saved.`);',
  ])
    expect(found(source), source).toHaveLength(1);
  expect(found('<p className="grid gap-2" title={t("words")}><code>mcp-gateway list</code></p>')).toEqual([]);
});

test('values and numbers are put into a text, and what has no value stays', () => {
  expect(t('{name} has {n}', { name: '{n}', n: 1234 })).toBe('{n} has 1,234');
  expect(t('{missing}')).toBe('{missing}');
  expect([count(1, '{n} tool', '{n} tools'), count(0, '{n} tool', '{n} tools')]).toEqual([
    '1 tool',
    '0 tools',
  ]);
  expect(parts('Ask {who}, {n} times.', { who: 'Eve', n: 1234 })).toMatchObject({
    props: { children: ['Ask ', 'Eve', ', ', '1,234', ' times.'] },
  });
});
