import { Argument, type Command } from 'commander';
import { type AddCommands, addCommand } from '../command.ts';
import { isShown } from '../nouns/arrange.ts';
import { bash, fish, type Word, zsh } from '../output/completion-scripts.ts';

const shells = { bash, zsh, fish } as const;

/** `completion`. */
export const addCompletionCommand: AddCommands = (program, on) => {
  const command = addCommand(program, 'completion', {
    summary: 'Print the completion script for your shell',
    examples: [
      'mcp-gateway completion bash > ~/.local/share/bash-completion/completions/mcp-gateway',
      'mcp-gateway completion zsh > "$' + '{fpath[1]}/_mcp-gateway"',
      'mcp-gateway completion fish > ~/.config/fish/completions/mcp-gateway.fish',
    ],
  }).addArgument(new Argument('<shell>', 'the shell').choices(Object.keys(shells)));
  command.action(
    on(async ({ output }) => {
      const script = shells[command.args[0] as keyof typeof shells](program.name(), wordsOf(program));
      output.result({ script }, () => script.trimEnd());
    }),
  );
};

function wordsOf(program: Command): Word[] {
  return program.commands.map(wordOf);
}

function wordOf(command: Command): Word {
  return {
    name: command.name(),
    summary: command.description(),
    options: command.options
      .filter((option) => !option.hidden)
      .map(({ long, short, description, argChoices = [], required, optional }) => ({
        ...{ name: long ?? short ?? '', summary: description, values: argChoices },
        takesValue: required || optional,
      })),
    values: command.registeredArguments.flatMap((argument) => argument.argChoices ?? []),
    verbs: command.commands.map(wordOf),
    isMain: isShown(command) || command.name() === 'help',
  };
}
