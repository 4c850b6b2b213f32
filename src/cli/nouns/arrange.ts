import { Argument, type Command, type Option } from 'commander';
import { addGlobalOptions, examplesOf, introduce, Recorded } from '../command.ts';
import { keysOfOthers, type Meaning, type Noun, nouns, shownAlone, type Verb } from './nouns.ts';
import { unknownWord } from './suggest.ts';

const meanings = new WeakMap<Command, Meaning>();

/** What is known of a command, if it stands in the table of nouns. */
export function meaningOf(command: Command): Meaning | undefined {
  return meanings.get(command);
}

/** Whether a command of the program is a noun. */
export function isNoun(command: Command): boolean {
  return Object.hasOwn(nouns, command.name());
}

/** Whether the grouped help shows a command of the program; every other one is an alias, or a command without a noun. */
export function isShown(command: Command): boolean {
  return isNoun(command) || Object.hasOwn(shownAlone, command.name());
}

/** Adds the nouns with their verbs to a program that has all flat commands, and gives those the key as an argument too. */
export function arrange(program: Command): void {
  const flat = new Map(program.commands.map((command) => [command.name(), command]));
  for (const [name, noun] of Object.entries(nouns)) addNoun(program, flat, name, noun);
  for (const { verbs } of Object.values(nouns))
    for (const verb of Object.values(verbs)) {
      const command = flat.get(verb.of);
      const isPreset =
        verb.set !== undefined && Object.values(verbs).some((one) => one.of === verb.of && !one.set);
      if (!command || isPreset || meanings.has(command)) continue;
      const { set: _, ...plain } = verb;
      meanings.set(command, { verb: plain, byNoun: false, ...finish(command, plain) });
    }
  for (const [name, key] of Object.entries(keysOfOthers)) {
    const command = flat.get(name);
    if (command) finish(command, { of: name, key });
  }
}

function addNoun(
  program: Command,
  flat: ReadonlyMap<string, Command>,
  name: string,
  { summary, also, verbs }: Noun,
): void {
  const noun = flat.get(name) ?? program.command(name).description(capital(summary));
  if (also) noun.alias(also);
  noun.helpCommand(false);
  for (const [word, verb] of Object.entries(verbs)) {
    const source = flat.get(verb.of);
    if (!(source instanceof Recorded) || !source.handler)
      throw new Error(`no command '${verb.of}' for ${name} ${word}`);
    const made = noun.command(word).description(verb.summary ?? source.description());
    for (const other of verb.also ?? []) made.alias(other);
    for (const argument of source.registeredArguments) made.addArgument(argument);
    for (const option of source.options) {
      if (option.helpGroupHeading !== undefined) continue;
      if (verb.set && Object.hasOwn(verb.set, option.attributeName())) continue;
      made.addOption(copyOf(option));
    }
    made.action(source.handler as (...args: unknown[]) => Promise<void>);
    introduce(made, examplesInNouns(source, `${name} ${word}`, verb));
    meanings.set(made, { verb, byNoun: true, ...finish(made, verb) });
    addGlobalOptions(made);
  }
  if (noun !== flat.get(name)) {
    introduce(noun, nounExamples(noun));
    addGlobalOptions(noun);
  }
  const unknown = (words: string[]): void => unknownWord(noun, words);
  noun.on('command:*', unknown);
}

/** Gives a command what all of its kind have: the key as an argument, `--yes`, `--ignore-missing` and `--dry-run`. */
function finish(command: Command, verb: Verb): Pick<Meaning, 'showsChanges'> {
  const has = (long: string): boolean => command.options.some((option) => option.long === long);
  const asks = command.options.some(isForceOfQuestion);
  if (asks && !has('--yes')) command.option('-y, --yes', 'do not ask for confirmation');
  const showsChanges = verb.changes === true && !has('--dry-run');
  if (showsChanges) command.option('--dry-run', 'show what would be changed, and change nothing');
  if (asks && verb.key) command.option('--ignore-missing', 'succeed if it does not exist');
  const optionOf = (name: string | undefined) => command.options.find(({ long }) => long === `--${name}`);
  const option = optionOf(verb.key);
  const second = option && optionOf(verb.second);
  if (option) takeArgument(command, option, verb);
  else if (verb.set) preset(command, verb.set);
  if (second) takeArgument(command, second, {}, 1);
  return { showsChanges };
}

function takeArgument(command: Command, option: Option, { set }: Pick<Verb, 'set'>, place = 0): void {
  const needed = option.mandatory;
  const own = copyOf(option);
  own.mandatory = false;
  (command.options as Option[])[command.options.indexOf(option)] = own;
  const name = /<([^>]+)>/.exec(option.flags)?.[1] ?? 'name';
  const argument = new Argument(`[${name}]`, `the same as ${option.long}`);
  command.addArgument(option.argChoices ? argument.choices(option.argChoices) : argument);
  withArguments(command, () => {
    const given = (command.processedArgs as (string | undefined)[])[place];
    const attribute = option.attributeName();
    const byOption = command.getOptionValueSource(attribute) === 'cli';
    if (given !== undefined && byOption)
      command.error(`error: '${given}' and ${option.long} say the same; leave one out`);
    if (given !== undefined) command.setOptionValueWithSource(attribute, given, 'cli');
    else if (needed && !byOption)
      command.error(`error: ${option.long} is missing. For example: ${examplesOf(command)[0] ?? ''}`);
  });
  if (set) preset(command, set);
}

function preset(command: Command, set: Readonly<Record<string, string>>): void {
  withArguments(command, () => {
    for (const [name, value] of Object.entries(set)) command.setOptionValueWithSource(name, value, 'implied');
  });
}

function withArguments(command: Command, before: () => void): void {
  const { handler } = command as Recorded;
  if (handler === undefined) return;
  command.action((...args: unknown[]) => {
    before();
    return handler(...args) as Promise<void>;
  });
}

function isForceOfQuestion({ long, description }: Option): boolean {
  return long === '--force' && /not ask/.test(description);
}

function copyOf(option: Option): Option {
  return Object.assign(Object.create(Object.getPrototypeOf(option)), option);
}

/** The examples of a flat command as they are written by noun and verb. */
function examplesInNouns(source: Command, words: string, { of, key, second, set }: Verb): string[] {
  const pattern = new RegExp(` --${key} ('[^']*'|"[^"]*"|\\S+)`);
  const next = second === undefined ? /$^/ : new RegExp(` --${second}(?= )`);
  const lines = examplesOf(source).map((line) => {
    const [, value] = (key && pattern.exec(line)) || [];
    const rest = value === undefined ? line : line.replace(pattern, '');
    return rest
      .replace(`mcp-gateway ${of}`, `mcp-gateway ${words}${value === undefined ? '' : ` ${value}`}`)
      .replace(next, '')
      .replace(source.options.some(isForceOfQuestion) ? / --force\b/ : /$^/, ' --yes')
      .replace(set ? / --enabled \w+| --no-keycloak/ : /$^/, '');
  });
  return [...new Set(lines)];
}

function nounExamples(noun: Command): string[] {
  return noun.commands.slice(0, 3).map((verb) => examplesOf(verb)[0] ?? '');
}

function capital(text: string): string {
  return `${text[0]?.toUpperCase()}${text.slice(1)}`;
}
