import type { Command, Option } from 'commander';
import { examplesOf } from './command.ts';
import { isNoun, isShown } from './nouns/arrange.ts';
import { nounFormOf, nouns } from './nouns/nouns.ts';
import { buildProgram } from './program.ts';

/** `docs/reference/cli.md`, from the program itself. */
export function renderReference(): string {
  const silent = { out: () => {}, err: () => {} };
  const program = buildProgram(() => async () => {}, silent);
  const globals = program.options.filter((option) => option.helpGroupHeading !== undefined);
  const byNoun = Object.keys(nouns)
    .flatMap((name) => program.commands.find((command) => command.name() === name) ?? [])
    .map(
      (noun) =>
        `## ${noun.name()}\n\nTo ${nouns[noun.name()]?.summary}.\n\n${noun.commands
          .map((verb) => renderCommand(`${program.name()} ${noun.name()}`, verb))
          .join('\n')}`,
    );
  const others = program.commands
    .filter((command) => !isNoun(command) && (isShown(command) || !nounFormOf(command.name())))
    .map((command) => renderCommand(program.name(), command));
  return `${introduction(program, globals)}
${byNoun.join('\n')}
## Other commands

${others.join('\n')}
${aliases(program)}`;
}

/** The names that the commands had before, and still have. */
function aliases(program: Command): string {
  const rows = program.commands
    .map((command) => [command.name(), nounFormOf(command.name())])
    .filter(([name, form]) => form !== undefined && name !== 'token')
    .map(([name, form]) => `| \`${name}\` | \`${form}\` |\n`);
  return `## Earlier names

Every name of earlier versions, and of the setup guide, keeps working, with the same options. With \`--json\` these commands print lists as the
API returns them; the commands above print \`{"items", "total", "next"}\`.

| earlier name | command |
|---|---|
${rows.join('')}`;
}

function introduction(program: Command, globals: readonly Option[]): string {
  return `# Command line

Generated from the program; \`UPDATE_DOCS=1 npx vitest run src/cli/reference.test.ts\` updates it.

\`${program.name()} <noun> <verb> [name] [options]\`: ${program.description()}
Results go to standard output, everything else to standard error. \`mcp-gateway help server list\` shows help for one command,
\`mcp-gateway help --all\` lists them all.

| exit code | meaning |
|---|---|
| 0 | success; an empty list, and answering a question with no, count as success |
| 1 | it failed; the message says why and what to do |
| 2 | wrong usage: invalid options, no token, or invalid settings |

## Global options

They can be given before or after the command.

${optionTable(globals)}
With \`-o json\` a list is \`{"items", "total", "next"}\`: \`next\` is the value for \`--offset\` or \`--cursor\` of the next page, or null. A failure is one
JSON document too: \`{"error": {"message", "code", "status", "faults", "remedy", "correlation_id"}}\`; only usage errors are plain text.

On a terminal, times are relative and a table that does not fit leaves out its last columns, never the names; \`-o wide\` shows everything.
Commands that ask for confirmation take \`--yes\`; without it they refuse to run where standard input is not a terminal. Commands that
change something take \`--dry-run\`, and commands that remove something take \`--ignore-missing\`.

A token file holds JSON with \`access_token\`, \`tokens.access_token\` or \`token_data.access_token\`, or the bare token.
Colours appear only on a terminal and not when \`NO_COLOR\` is set.
`;
}

function renderCommand(program: string, command: Command): string {
  const own = command.options.filter((option) => option.helpGroupHeading === undefined);
  const usage = command.registeredArguments
    .map((argument) => (argument.required ? ` <${argument.name()}>` : ` [${argument.name()}]`))
    .join('');
  const values = command.registeredArguments
    .map((argument) =>
      argument.argChoices
        ? `\`${argument.name()}\` is one of ${argument.argChoices.join(', ')}.\n\n`
        : `\`${argument.name()}\`: ${argument.description}.\n\n`,
    )
    .join('');
  const examples = examplesOf(command).join('\n');
  return `### ${program} ${command.name()}${usage}

${command.description()}.

${values}${own.length ? `${optionTable(own)}\n` : ''}\`\`\`sh
${examples}
\`\`\`
`;
}

function optionTable(options: readonly Option[]): string {
  const rows = options.map((option) => {
    const notes = [
      ...(option.mandatory ? ['required'] : []),
      ...(option.argChoices ? [option.argChoices.join(' or ')] : []),
      ...(`${option.defaultValue ?? ''}` === '' ? [] : [`default ${option.defaultValue}`]),
    ];
    const text = `${option.description}${notes.length ? ` (${notes.join('; ')})` : ''}`;
    return `| \`${option.flags}\` | ${text.replaceAll('|', '\\|')} |\n`;
  });
  return `| option | what it does |\n|---|---|\n${rows.join('')}`;
}
