import { Command } from 'commander';
import about from '../../package.json' with { type: 'json' };
import { addGlobalOptions, introduce, type On } from './command.ts';
import { addAllCommands } from './commands/index.ts';

/** Where commander writes help and usage errors. */
export interface Writers {
  out(text: string): void;
  err(text: string): void;
}

/** Builds the command line; it throws a CommanderError instead of ending the process. */
export function buildProgram(on: On, { out, err }: Writers): Command {
  const program = new Command('mcp-gateway')
    .description('Run the MCP gateway and registry, and manage what is in it.')
    .version(about.version, '-V, --version', 'print the version')
    .helpOption('-h, --help', 'show help, also for a command')
    .exitOverride()
    .configureOutput({ writeOut: out, writeErr: err })
    .showHelpAfterError('Run it with --help to see what it takes.')
    // Global options also stand on every command, so what follows a command's name is the command's: `--version 2` can be.
    .enablePositionalOptions();
  introduce(program, [
    'mcp-gateway start --evaluation',
    'mcp-gateway token --output .token',
    'mcp-gateway --token-file .token list',
  ]);
  addAllCommands(program, on);
  for (const command of [program, ...program.commands]) addGlobalOptions(command);
  return program;
}
