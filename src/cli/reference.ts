import type { Command, Option } from 'commander';
import { examplesOf } from './command.ts';
import { buildProgram } from './program.ts';

/** `docs/reference/cli.md`, from the program itself. */
export function renderReference(): string {
  const silent = { out: () => {}, err: () => {} };
  const program = buildProgram(() => async () => {}, silent);
  const globals = program.options.filter((option) => option.helpGroupHeading !== undefined);
  const sections = program.commands.map((command) => renderCommand(program.name(), command));
  return `${introduction(program, globals)}\n${sections.join('\n')}`;
}

function introduction(program: Command, globals: readonly Option[]): string {
  return `# Command line

Generated from the program; \`UPDATE_DOCS=1 npx vitest run src/cli/reference.test.ts\` writes it anew.

\`${program.name()} <command> [options]\`: ${program.description()}
Results go to standard output, everything else to standard error.

| exit code | meaning |
|---|---|
| 0 | success, also of an empty list or a question answered with no |
| 1 | it failed; the message says why and what to do |
| 2 | not used as it should be: options, missing token, faulty settings |

## Global options

They stand before or after the command.

${optionTable(globals)}
With \`--json\` a failure is one JSON document too: \`{"error": {"message", "code", "status", "faults", "remedy", "correlation_id"}}\`;
only faults of the command line itself are text.

A token file holds JSON with \`access_token\`, \`tokens.access_token\` or \`token_data.access_token\`, or the bare token.
Colours appear only on a terminal and not when \`NO_COLOR\` is set.
`;
}

function renderCommand(program: string, command: Command): string {
  const own = command.options.filter((option) => option.helpGroupHeading === undefined);
  const usage = command.registeredArguments.map((argument) => ` <${argument.name()}>`).join('');
  const values = command.registeredArguments
    .map((argument) =>
      argument.argChoices
        ? `\`<${argument.name()}>\` is one of ${argument.argChoices.join(', ')}.\n\n`
        : `\`<${argument.name()}>\`: ${argument.description}.\n\n`,
    )
    .join('');
  const examples = examplesOf(command).join('\n');
  return `## ${program} ${command.name()}${usage}

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
      ...(option.defaultValue === undefined ? [] : [`default ${option.defaultValue}`]),
    ];
    const text = `${option.description}${notes.length ? ` (${notes.join('; ')})` : ''}`;
    return `| \`${option.flags}\` | ${text.replaceAll('|', '\\|')} |\n`;
  });
  return `| option | what it does |\n|---|---|\n${rows.join('')}`;
}
