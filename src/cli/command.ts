import { Command, InvalidArgumentError, Option } from 'commander';
import type { Api } from '../contract/client.ts';
import { unknownWord } from './nouns/suggest.ts';
import type { Form, Output } from './output/output.ts';
import type { FoundToken } from './sign-in/token-file.ts';
import type { Terminal, World } from './terminal.ts';
import { misuse } from './trouble.ts';

/** What a running command works with. */
export interface Run {
  readonly terminal: Terminal;
  readonly world: World;
  readonly output: Output;
  /** The registry's address, checked, without user name and password. */
  readonly registryUrl: string;
  /** The caller's token and where it is from; throws a trouble when there is none. */
  credential(): Promise<FoundToken>;
  /** The typed client of the registry with the caller's token, or the given one; throws a trouble when there is none. */
  api(found?: FoundToken): Promise<Api>;
}

/** What a command does; the number is the exit code, nothing means 0. */
export type Action<O> = (run: Run, options: O) => Promise<number> | Promise<void>;

/** Turns an action into what commander calls. */
export type On = <O>(action: Action<O>) => (...args: unknown[]) => Promise<void>;

/** Joins the commands of one noun to the program. */
export type AddCommands = (program: Command, on: On) => void;

/** How a command is introduced in help and in the reference. */
export interface Introduction {
  readonly summary: string;
  readonly examples: readonly string[];
}

/** Words that other programs have for options. */
const otherFlags: Readonly<Record<string, readonly string[]>> = {
  '--since': ['--from'],
  '--until': ['--to'],
  '--user': ['--username', '--account'],
  '--search': ['--query'],
  '--query': ['--search'],
  '--filter': ['--query', '--search'],
  '--file': ['--config'],
  '--config': ['--file'],
  '--ttl': ['--expires-in-hours'],
  '--body': ['--patch'],
};

/** What commander itself says of an option that does not exist; its types leave it out. */
const plainCommand = Command.prototype as unknown as { unknownOption(this: Command, flag: string): void };

/** A command that remembers its action, so that another name can have it too. */
export class Recorded extends Command {
  handler?: (...args: unknown[]) => unknown;
  private strange: string | undefined;

  override createCommand(name?: string): Recorded {
    return new Recorded(name);
  }

  override parseOptions(argv: string[]): ReturnType<Command['parseOptions']> {
    const parsed = super.parseOptions(argv);
    this.strange = parsed.unknown.find((word) => word.startsWith('-'));
    // Help for a word that is no command would be that of its parent, as if nothing were wrong.
    const [word] = parsed.operands;
    const isCommand = this.commands.some((one) => one.name() === word || one.aliases().includes(word ?? ''));
    const wantsHelp = parsed.unknown.some((each) => each === '--help' || each === '-h');
    if (word !== undefined && wantsHelp && this.commands.length > 0 && !this.handler && !isCommand)
      unknownWord(this, parsed.operands);
    return parsed;
  }

  /** Said by commander of an option that does not exist; names the one that has another word for it. */
  unknownOption(flag: string): void {
    const [name = flag] = flag.split('=');
    const longs = this.options.flatMap(({ long }) => long ?? []);
    const meant = (otherFlags[name] ?? []).find((long) => longs.includes(long));
    const within = longs.filter((long) => long.slice(2).split('-').includes(name.replace(/^-+/, '')));
    const near = meant ?? (within.length === 1 ? within[0] : undefined);
    if (near === undefined) plainCommand.unknownOption.call(this, flag);
    else
      this.error(`error: unknown option '${name}'\n(Did you mean ${near}?)`, {
        code: 'commander.unknownOption',
      });
  }

  /** Said by commander when a required option is missing: names all that are, with what they take. */
  missingMandatoryOptionValue(): void {
    if (this.strange !== undefined) this.unknownOption(this.strange);
    const missing = this.options.filter(
      (option) => option.mandatory && this.getOptionValue(option.attributeName()) === undefined,
    );
    const named = missing.map(
      ({ long, argChoices }) => `${long}${argChoices ? ` (${argChoices.join(', ')})` : ''}`,
    );
    this.error(
      `error: ${named.join(' and ')} ${named.length === 1 ? 'is' : 'are'} missing. ${exampleOf(this)}`,
    );
  }

  /** Said by commander when a required argument is missing. */
  missingArgument(name: string): void {
    const argument = this.registeredArguments.find((one) => one.name() === name);
    const choices = argument?.argChoices ? ` (${argument.argChoices.join(', ')})` : '';
    const what = argument?.description ? `: ${argument.description}` : '';
    this.error(`error: <${name}> is missing${what}${choices}. ${exampleOf(this)}`);
  }

  // biome-ignore lint/suspicious/noExplicitAny: the parameter types of commander itself.
  override action(handler: (this: this, ...args: any[]) => void | Promise<void>): this {
    this.handler = handler;
    return super.action(handler);
  }
}

/** The options that every command takes, before or after its name. */
export interface GlobalOptions {
  registryUrl?: string;
  tokenFile?: string;
  json?: boolean;
  o?: Form;
  yes?: boolean;
  dryRun?: boolean;
  ignoreMissing?: boolean;
  debug?: boolean;
}

const examples = new WeakMap<Command, readonly string[]>();

/** The examples that a command was introduced with. */
export function examplesOf(command: Command): readonly string[] {
  return examples.get(command) ?? [];
}

function exampleOf(command: Command): string {
  const [first] = examplesOf(command);
  return first === undefined ? '' : `For example: ${first}`;
}

/** Gives a command (or the program) the global options, after its own. */
export function addGlobalOptions(command: Command): void {
  const options = [
    new Option(
      '--registry-url <url>',
      'address of the registry (or REGISTRY_URL; default http://localhost:8080)',
    ),
    new Option(
      '--token-file <file>',
      'file with your token (or MCP_GATEWAY_TOKEN_FILE, or the token in MCP_GATEWAY_TOKEN, or else your login)',
    ),
    new Option('-o <form>', 'table, wide (nothing cut), json, or name (only names, one per line)').choices([
      ...['table', 'wide', 'json', 'name'],
    ]),
    new Option('--json', 'the same as -o json'),
    new Option('--debug', 'log the steps to standard error, without secrets'),
  ];
  for (const option of options) command.addOption(option.helpGroup('Global options:'));
}

/** Adds a command with its help and its examples. */
export function addCommand(
  program: Command,
  name: string,
  { summary, examples: shown }: Introduction,
): Command {
  const command = program.command(name).description(summary);
  introduce(command, shown);
  return command;
}

/** Gives a command (or the program) its examples. */
export function introduce(command: Command, shown: readonly string[]): void {
  examples.set(command, shown);
  command.addHelpText('after', `\nExamples:\n${shown.map((line) => `  ${line}`).join('\n')}`);
}

/** A parser for option values that are whole numbers from `least` to `most`. */
export function wholeNumber(least: number, most = Number.MAX_SAFE_INTEGER): (text: string) => number {
  return (text) => {
    const value = /^\d+$/.test(text) ? Number(text) : Number.NaN;
    if (value >= least && value <= most) return value;
    const range = most === Number.MAX_SAFE_INTEGER ? `of at least ${least}` : `from ${least} to ${most}`;
    throw new InvalidArgumentError(`Give a whole number ${range}.`);
  };
}

/** `--enabled true|false` of the toggles. */
export function enabledOption(): Option {
  return new Option('--enabled <state>', 'the state to set').choices(['true', 'false']);
}

/** The state that a toggle is to set; there is no switching over, since a repeated command would undo itself. */
export function wantedState(enabled: string | undefined): boolean {
  if (enabled === undefined)
    throw misuse(
      'The state to set is missing.',
      'Add --enabled true or --enabled false, or use the verbs enable and disable.',
    );
  return enabled === 'true';
}

/** A required option with the path of a server, or of something else. */
export function pathOption(of = 'server', suchAs = '/currenttime'): Option {
  return new Option('--path <path>', `path of the ${of}, such as ${suchAs}`).makeOptionMandatory();
}
