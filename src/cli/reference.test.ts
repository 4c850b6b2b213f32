import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
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
