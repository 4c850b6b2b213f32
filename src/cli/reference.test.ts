import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Command } from 'commander';
import { expect, test } from 'vitest';
import { cli } from '../../test/cli-trial.ts';
import { examplesOf } from './command.ts';
import { isShown } from './nouns/arrange.ts';
import { nounFormOf } from './nouns/nouns.ts';
import { buildProgram } from './program.ts';
import { renderReference } from './reference.ts';

const file = 'docs/reference/cli.md';

test('docs/reference/cli.md says what the program does', () => {
  const rendered = renderReference();
  if (process.env.UPDATE_DOCS) {
    mkdirSync('docs/reference', { recursive: true });
    writeFileSync(file, rendered);
  }
  expect(readFileSync(file, 'utf8')).toBe(rendered);
});

const { commands } = build();

function build(said = { text: '' }) {
  const write = (text: string): void => {
    said.text += text;
  };
  return buildProgram(() => async () => {}, { out: write, err: write });
}

const every = commands.flatMap((command) => [
  [command.name()],
  ...command.commands.map((verb) => [command.name(), verb.name()]),
]);

test('every command has help with examples, and knows its options', async () => {
  expect(every.length).toBeGreaterThan(150);
  for (const words of every) {
    const help = await cli([...words, '--help']);
    expect(help, words.join(' ')).toMatchObject({ code: 0, err: '' });
    expect(help.out).toMatch(/\nExamples:\n {2}\S/);
    for (const option of ['--json', '--registry-url', '--token-file']) expect(help.out).toContain(option);
    const wrong = await cli([...words, '--no-such-option']);
    expect(wrong, words.join(' ')).toMatchObject({ code: 2, out: '' });
  }
});

test('every command belongs to a noun, or is one that the help shows by itself', () => {
  const outside = commands.filter(
    (command) => !isShown(command) && command.name() !== 'help' && !nounFormOf(command.name()),
  );
  expect(outside.map((command) => command.name())).toEqual([]);
});

/** What the program says against a command line as it stands in a document; nothing when it takes it. */
async function objection(line: string): Promise<string> {
  const said = { text: '' };
  await build(said)
    .parseAsync(words(line).slice(1), { from: 'user' })
    .catch((error: unknown) => {
      said.text ||= String(error);
    });
  return said.text;
}

/** The words of a command line up to where a shell would do something else with the rest. */
function words(line: string): string[] {
  const own = /^(?:'[^']*'|"[^"]*"|[^|<>;#'"]|(?<=\S)#)*/.exec(line)?.[0] ?? '';
  const found = own.match(/(?:'[^']*'|"[^"]*"|[^\s'"])+/g) ?? [];
  return found.map((word) => word.replace(/'([^']*)'|"([^"]*)"/g, (_, one, two) => one ?? two));
}

test('every example of a command is one that the program takes', async () => {
  expect(await objection('mcp-gateway list --no-such-option')).toContain('no-such-option');
  const lines = commands
    .flatMap((command) => [command, ...command.commands])
    // Help is printed, which is no objection.
    .filter((command) => command.name() !== 'help')
    .flatMap(examplesOf)
    .map((line) => line.slice(Math.max(0, line.indexOf('mcp-gateway '))));
  expect(lines.length).toBeGreaterThan(60);
  for (const line of lines) expect([line, await objection(line)]).toEqual([line, '']);
});

test('every command line in the documentation is one that the program takes', async () => {
  const pages = [
    'README.md',
    ...readdirSync('docs', { recursive: true, encoding: 'utf8' }).map((name) => join('docs', name)),
  ];
  const lines = pages
    .filter((name) => name.endsWith('.md') && name !== file)
    .flatMap((name) =>
      [...readFileSync(name, 'utf8').matchAll(/^```sh\n([\s\S]*?)^```/gm)].flatMap(([, block = '']) =>
        block.replace(/\\\n\s*/g, '').split('\n'),
      ),
    )
    .filter((line) => /^(npx )?mcp-gateway /.test(line))
    .map((line) => line.replace(/^npx /, ''));
  expect(lines.length).toBeGreaterThan(10);
  for (const line of lines) expect([line, await objection(line)]).toEqual([line, '']);
});

/** What a shortened command line names that does not exist: a command, a verb or an option; nothing when all of it does. */
function unknownIn(program: Command, line: string): string {
  const given = words(line.replace(/<[^<>]*>|\[[^[\]]*\]|\.\.\.|…/g, 'x')).slice(1);
  let command = program;
  for (let name = given[0]; name !== undefined && !name.startsWith('-'); name = given[0]) {
    const next = command.commands.find((one) => one.name() === name || one.aliases().includes(name));
    if (!next && command.commands.length > 0 && command.registeredArguments.length === 0) return name;
    if (!next) break;
    command = next;
    given.shift();
  }
  const known = [...program.options, ...command.options].flatMap(({ long, short }) => [long, short]);
  return given
    .filter((word) => /^--?[a-z]/.test(word) && !['--help', '-h'].includes(word))
    .filter((word) => !known.includes(word.split('=')[0]))
    .join(' ');
}

test('every command that a page or a message names exists, with the options given', () => {
  const program = build();
  expect(unknownIn(program, 'mcp-gateway frobnicate')).toBe('frobnicate');
  expect(unknownIn(program, 'mcp-gateway server lst')).toBe('lst');
  expect(unknownIn(program, 'mcp-gateway server list --nothing')).toBe('--nothing');
  expect(unknownIn(program, 'mcp-gateway server get <path> --json')).toBe('');
  const list = (folder: string, ending: RegExp): string[] =>
    readdirSync(folder, { recursive: true, encoding: 'utf8' })
      .map((name) => join(folder, name))
      .filter((name) => ending.test(name) && !/\.test\.tsx?$/.test(name));
  const files = [
    ...['README.md', 'CHANGELOG.md', 'CONTRIBUTING.md', 'SECURITY.md', '.env.example'],
    // The worked example of a first change adds a command; test/contribute.test.ts runs it.
    ...list('docs', /\.md$/).filter(
      (name) => !name.endsWith('first-change.md') && !name.includes('.vitepress'),
    ),
    ...list('deploy', /\.(ya?ml|service|md|txt)$/),
    ...list('src', /\.tsx?$/),
  ];
  const named =
    /(?:(?<=^|[`"'(]|\$ )mcp-gateway|run (?:-s )?cli --)((?: (?:--?)?[a-z][\w-]*(?:=\S+)?(?![\w*-])| \/[\w/.-]+| <[\w -]+>| \[[\w -]+\]| [A-Z_0-9]+\b| "[^"\n]*")+)/gm;
  const lines = files.flatMap((name) =>
    [...readFileSync(name, 'utf8').matchAll(named)]
      .map(([, rest = '']) => rest)
      .filter((rest) => /^ [a-z]/.test(rest) && rest !== ' audience')
      .map((rest) => ({ name, line: `mcp-gateway${rest}` })),
  );
  expect(lines.length).toBeGreaterThan(600);
  expect(lines.filter(({ line }) => unknownIn(program, line) !== '')).toEqual([]);
});
