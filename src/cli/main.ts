import { spawn } from 'node:child_process';
import { setTimeout as after } from 'node:timers/promises';
import { type Command, CommanderError } from 'commander';
import { openApi } from './api.ts';
import type { Action, GlobalOptions, On, Run } from './command.ts';
import { meaningOf } from './nouns/arrange.ts';
import { inFlags } from './nouns/flags.ts';
import { type Meaning, nounFormOf, nouns } from './nouns/nouns.ts';
import { DryRun, dryRunning, showDryRun } from './output/dry-run.ts';
import { openOutput } from './output/output.ts';
import { buildProgram } from './program.ts';
import { findToken } from './sign-in/signed-in-token.ts';
import type { FoundToken } from './sign-in/token-file.ts';
import type { Clock, Terminal, World } from './terminal.ts';
import { asTrouble, misuse, Trouble } from './trouble.ts';

/** The time of this machine. */
export const systemClock: Clock = {
  now: Date.now,
  async pause(ms, signal) {
    // An aborted pause is over, which is all that its caller wants to know.
    await after(ms, undefined, signal ? { signal } : {}).catch(() => undefined);
  },
};

/** Does work with a signal that SIGINT and SIGTERM abort; a second one ends the process as it would without. */
export async function untilInterrupted<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const ending = new AbortController();
  const end = (): void => ending.abort();
  process.once('SIGINT', end).once('SIGTERM', end);
  try {
    return await work(ending.signal);
  } finally {
    process.off('SIGINT', end).off('SIGTERM', end);
  }
}

/** Opens a URL in the browser of whoever sits there, as well as can be: whoever sees nothing has the address. */
export function openUrl(url: string): void {
  const [command = 'xdg-open', ...before] =
    process.platform === 'darwin'
      ? ['open']
      : process.platform === 'win32'
        ? ['rundll32', 'url.dll,FileProtocolHandler']
        : ['xdg-open'];
  const child = spawn(command, [...before, url], { detached: true, stdio: 'ignore' });
  child.once('error', () => undefined);
  child.unref();
}

/** The address that is used when none is given. */
const defaultUrl = 'http://localhost:8080';

/**
 * Runs one command line (without the program's name) and resolves with the exit code: 0 success, 1 failure, 2 not used as
 * it should be. It never ends the process itself; `start` resolves when the server has stopped.
 */
export async function main(argv: readonly string[], world: World, given = ofThisProcess()): Promise<number> {
  const terminal = asTyped(given);
  let exitCode = 0;
  const on: On =
    (action) =>
    async (...args) => {
      // commander calls with the arguments, the options and, last, the command.
      const command = args.at(-1) as Command;
      exitCode = await perform(action, command, world, terminal);
    };
  const writers = {
    out: (text: string): void => void terminal.stdout.write(isByNpm(terminal) ? inCheckout(text) : text),
    err: (text: string): void => void terminal.stderr.write(text),
  };
  try {
    const words = argv.length === 1 && argv[0] === 'version' ? ['--version'] : [...argv];
    await buildProgram(on, writers).parseAsync(words, { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    return error.exitCode === 0 ? 0 : 2;
  }
  return exitCode;
}

/** Whether the command was started by `npm run cli`, in a checkout, where there is no command `mcp-gateway`. */
function isByNpm({ env }: Terminal): boolean {
  return env.npm_lifecycle_event === 'cli';
}

/** Text with commands as they are typed in a checkout. Results of commands are left as they are. */
function inCheckout(text: string): string {
  return text.replace(
    /(\x60|^Usage: |^ {2,}|[Ee]xample: |with: )mcp-gateway (?=[a-z<])/gm,
    '$1npm run -s cli -- ',
  );
}

/** The terminal, with commands in what is said on standard error as they have to be typed there. */
function asTyped(terminal: Terminal): Terminal {
  if (!isByNpm(terminal)) return terminal;
  const { stderr } = terminal;
  const write = (text: string): unknown => stderr.write(inCheckout(text));
  return { ...terminal, stderr: Object.assign(Object.create(stderr), { write }) };
}

async function perform<O>(
  action: Action<O>,
  command: Command,
  world: World,
  given: Terminal,
): Promise<number> {
  // A command's own values win: its noun may be a command as well, such as `token`, whose defaults are no wish of anyone.
  const options = { ...command.optsWithGlobals(), ...command.opts() } as O & GlobalOptions;
  const meaning = meaningOf(command);
  const terminal: Terminal = { ...given, assumesYes: options.yes === true || isDryRun(options, meaning) };
  const form = options.json ? 'json' : (options.o ?? 'table');
  const output = openOutput(terminal, { form, debug: options.debug ?? false, meaning });
  try {
    const registryUrl = checkedUrl(options.registryUrl ?? (terminal.env.REGISTRY_URL || defaultUrl));
    const credential = async (): Promise<FoundToken> => {
      const found = await findToken(options.tokenFile, registryUrl, terminal, output);
      output.debug(`using the token from ${found.source}`);
      return found;
    };
    const run: Run = {
      ...{ terminal, world, output, registryUrl, credential },
      async api(found) {
        const { token } = found ?? (await credential());
        const api = await openApi(registryUrl, () => ({ authorization: `Bearer ${token}` }), output.debug);
        return isDryRun(options, meaning) ? dryRunning(api) : api;
      },
    };
    return (await action(run, options)) ?? 0;
  } catch (error) {
    if (error instanceof DryRun) return showDryRun(error, output);
    const trouble = withPlaceToLook(inFlags(asTrouble(error), command), command);
    if (options.ignoreMissing && trouble.about.status === 404) {
      output.note(`${trouble.message} Nothing was changed.`);
      return 0;
    }
    output.trouble(trouble);
    return trouble.about.exitCode ?? 1;
  }
}

/** What does not exist is among what the list of its noun shows. */
function withPlaceToLook(trouble: Trouble, command: Command): Trouble {
  if (trouble.about.code !== 'not_found' || trouble.about.remedy !== undefined) return trouble;
  const noun = listedNoun(command) ?? 'server';
  const what = listed[noun] ?? 'what you can access';
  return new Trouble(trouble.message, {
    ...trouble.about,
    remedy: `Run \`mcp-gateway ${noun} list\` to see ${what}.`,
  });
}

const listed: Readonly<Record<string, string>> = { token: 'your tokens', audit: 'recent events' };

/** The noun of a command, by whichever name it was called, if it has a list. */
function listedNoun(command: Command): string | undefined {
  const noun = command.parent?.parent ? command.parent.name() : nounFormOf(command.name())?.split(' ')[0];
  return noun !== undefined && nouns[noun]?.verbs.list ? noun : undefined;
}

/** Whether changes are only to be shown. Commands with a `--dry-run` of their own see to it themselves. */
function isDryRun({ dryRun }: GlobalOptions, meaning: Meaning | undefined): boolean {
  return dryRun === true && meaning?.showsChanges === true;
}

function checkedUrl(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url?.protocol !== 'http:' && url?.protocol !== 'https:')
    throw misuse(
      `The registry's address '${text}' is not an http:// or https:// URL.`,
      `Give one such as ${defaultUrl} with --registry-url or REGISTRY_URL.`,
    );
  if (url.username || url.password)
    throw misuse(
      "The registry's address contains a user name or password.",
      'Leave it out; pass a token with --token-file.',
    );
  return `${url.origin}${url.pathname.replace(/\/+$/, '')}`;
}

function ofThisProcess(): Terminal {
  const { stdout, stderr, stdin } = process;
  return {
    ...{ stdout, stderr, stdin, env: process.env, cwd: process.cwd() },
    ...{ clock: systemClock, untilInterrupted, openUrl },
  };
}
