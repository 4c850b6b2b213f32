import type { Command } from 'commander';
import about from '../../package.json' with { type: 'json' };
import { addGlobalOptions, type On, Recorded } from './command.ts';
import { addAllCommands } from './commands/index.ts';
import { arrange } from './nouns/arrange.ts';
import { addHelp } from './nouns/help.ts';
import { unknownWord } from './nouns/suggest.ts';

/** Where commander writes help and usage errors. */
export interface Writers {
  out(text: string): void;
  err(text: string): void;
}

/** A message of commander about a value that is not one of the allowed, in fewer words. */
function inOurWords(text: string): string {
  return text
    .replace(/option '(-[^' ,]*)[^']*' argument '([^']*)' is invalid\./, "$1 cannot be '$2'.")
    .replace(/command-argument value '([^']*)' is invalid for argument '([^']*)'\./, "<$2> cannot be '$1'.")
    .replace(/Allowed choices are (.*)\.$/m, 'Use one of: $1.');
}

/** Builds the command line; it throws a CommanderError instead of ending the process. */
export function buildProgram(on: On, { out, err }: Writers): Command {
  const program = new Recorded('mcp-gateway')
    .description('Run the MCP gateway and registry, and manage what is in it.')
    .version(about.version, '-V, --version', 'print the version')
    .helpOption('-h, --help', 'show help, also for a command')
    .exitOverride()
    .configureOutput({
      // An empty default says nothing.
      writeOut: (text) => out(text.replace(/\s+\(default:\s+(?:\[\]|"")\)/g, '')),
      writeErr: err,
      outputError: (text, write) => write(inOurWords(text)),
    })
    .showHelpAfterError('Run `mcp-gateway --help` for usage.')
    // Global options also stand on every command, so what follows a command's name is the command's: `--version 2` can be.
    .enablePositionalOptions();
  addAllCommands(program, on);
  for (const command of [program, ...program.commands]) addGlobalOptions(command);
  arrange(program);
  addHelp(program, out);
  program.on('command:*', (words: string[]) => unknownWord(program, words));
  return program;
}
