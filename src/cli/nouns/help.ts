import type { Command } from 'commander';
import { addGlobalOptions, introduce } from '../command.ts';
import { isNoun, isShown } from './arrange.ts';
import { helpGroups, nounFormOf, nouns, shownAlone } from './nouns.ts';
import { unknownWord } from './suggest.ts';

/** Sets up the grouped help of the program, the help of each noun, and the command `help`. */
export function addHelp(program: Command, out: (text: string) => void): void {
  program.helpCommand(false);
  program.configureHelp({ formatHelp: () => groupedHelp() });
  for (const noun of program.commands.filter(isNoun))
    noun.configureHelp({ formatHelp: () => nounHelp(noun) });
  for (const command of program.commands)
    for (const one of [command, ...command.commands]) {
      const words = [...(one.parent?.parent ? [one.parent.name()] : []), one.name()].join(' ');
      one.showHelpAfterError(`Run \`mcp-gateway ${words} --help\` for usage.`);
      // A plain help again below a noun, whose own one is inherited.
      if (one !== command) one.configureHelp({});
    }
  const help = program
    .command('help')
    .configureHelp({})
    .description('Show help for a command, or with --all every command and alias')
    .argument('[words...]', 'such as server list')
    .option('--all', 'list every command and alias')
    .action((words: string[], { all }: { all?: boolean }) => {
      if (all) return out(everyCommand(program));
      let command = program;
      for (const word of words) {
        const next = command.commands.find((one) => one.name() === word || one.aliases().includes(word));
        if (!next) return unknownWord(command, [word]);
        command = next;
      }
      command.outputHelp();
    });
  introduce(help, ['mcp-gateway help server list', 'mcp-gateway help --all']);
  addGlobalOptions(help);
}

function groupedHelp(): string {
  const rows = Object.entries(helpGroups).map(([group, summary]) => {
    const within = Object.entries(nouns).filter(([, noun]) => noun.group === group);
    const alone = Object.keys(shownAlone).filter((name) => shownAlone[name] === group);
    return [group, [...within.map(([name]) => name), ...alone].join(', '), summary] as const;
  });
  const width = Math.max(...rows.map(([, words]) => words.length));
  const lines = rows.map(
    ([group, words, summary]) => `  ${group.padEnd(7)}  ${words.padEnd(width)}  ${summary}`,
  );
  return `Usage: mcp-gateway <noun> <verb> [name] [options]

${lines.join('\n')}

Try \`mcp-gateway start --evaluation\`, then \`mcp-gateway auth login\` and \`mcp-gateway server list\`.
Every command takes -o table|wide|json|name, --registry-url, --token-file and --debug.
More: \`mcp-gateway help server\`, \`mcp-gateway help server list\`, \`mcp-gateway help --all\`.
`;
}

function nounHelp(noun: Command): string {
  const verbs = noun.commands.map((verb) => {
    const argument = verb.registeredArguments.map((one) => ` <${one.name()}>`).join('');
    return [`${verb.name()}${argument}`, verb.description()] as const;
  });
  const width = Math.max(...verbs.map(([name]) => name.length));
  const name = noun.name();
  return `Usage: mcp-gateway ${name} <verb> [options]

${verbs.map(([verb, summary]) => `  ${verb.padEnd(width)}  ${summary}`).join('\n')}

Every verb takes --json, -o, --registry-url, --token-file and --debug. More: \`mcp-gateway ${name} ${noun.commands[0]?.name()} --help\`.
`;
}

function everyCommand(program: Command): string {
  const byNoun = program.commands
    .filter(isNoun)
    .flatMap((noun) => noun.commands.map((verb) => [`${noun.name()} ${verb.name()}`, verb.description()]));
  const alone = program.commands
    .filter((command) => isShown(command) && !isNoun(command))
    .map((command) => [command.name(), command.description()]);
  const old = program.commands
    .filter((command) => !isShown(command) && nounFormOf(command.name()))
    .map((command) => [command.name(), `the same as ${nounFormOf(command.name())}`]);
  const rest = program.commands
    .filter((command) => !isShown(command) && !nounFormOf(command.name()))
    .map((command) => [command.name(), command.description()]);
  const width = Math.max(...[...byNoun, ...old].map(([name = '']) => name.length));
  const lines = (rows: (string | undefined)[][]): string =>
    rows.map(([name = '', text = '']) => `  ${name.padEnd(width)}  ${text}`).join('\n');
  return `Commands:\n${lines([...byNoun, ...alone, ...rest])}\n\nNames of earlier versions, kept as aliases:\n${lines(old)}\n`;
}
