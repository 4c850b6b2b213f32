import type { Command } from 'commander';
import { nounFormOf, nouns } from './nouns.ts';

/** Commands of the registry whose setup guide we follow, about what is not here. */
const elsewhere =
  /^(?:skill|peer|federation|anthropic|ans|agentcore)-|^(?:server-|agent-)?(?:rate|rating|rescan|security-scan)$/;

/** Ends the command line with what was probably meant by words that are no command; exit code 2. */
export function unknownWord(parent: Command, words: readonly string[]): void {
  const [first = ''] = words;
  const within = parent.parent ? ` ${parent.name()}` : '';
  const isElsewhere = !parent.parent && elsewhere.test(first);
  const near = parent.parent ? nearVerb(parent.name(), first) : nearCommand(parent, words);
  const meant = isElsewhere ? undefined : near;
  const lines = [
    `error: unknown command 'mcp-gateway${within} ${first}'`,
    ...(isElsewhere
      ? ['This registry has nothing of that kind; see docs/deploy/from-another-registry.md.']
      : []),
    ...(meant === undefined ? [] : [`Did you mean \`mcp-gateway ${meant}\`?`]),
    ...(parent.parent
      ? [`${parent.name()} has: ${parent.commands.map((command) => command.name()).join(', ')}.`]
      : []),
  ];
  parent.error(lines.join('\n'), { code: 'commander.unknownCommand' });
}

/** The verb of a noun that a word means or resembles. */
function nearVerb(noun: string, word: string): string | undefined {
  const verb = verbOf(noun, word) ?? nearest(word, Object.keys(nouns[noun]?.verbs ?? {}));
  return verb === undefined ? undefined : `${noun} ${verb}`;
}

/** What words such as `servers-list`, `delete server` or `sever` mean. */
function nearCommand(program: Command, words: readonly string[]): string | undefined {
  const parts = words
    .slice(0, 2)
    .filter((word) => !word.startsWith('-') && !word.startsWith('/'))
    .flatMap((word) => word.toLowerCase().split(/[-_:.]/));
  const noun = parts.map(nounOf).find((found) => found !== undefined);
  if (noun !== undefined) {
    const verbs = parts.filter((part) => nounOf(part) !== noun);
    const verb = verbs.map((part) => verbOf(noun, part)).find((found) => found !== undefined);
    if (verb !== undefined) return `${noun} ${verb}`;
    const near = verbs.map((part) => nearest(part, Object.keys(nouns[noun]?.verbs ?? {})));
    return [noun, near.find((found) => found !== undefined)].filter(Boolean).join(' ');
  }
  const [first = '', second] = words;
  const names = program.commands.flatMap((command) => [command.name(), ...command.aliases()]);
  const found = nearest(first, names);
  if (found === undefined) return undefined;
  if (!Object.hasOwn(nouns, found)) return nounFormOf(found) ?? found;
  return (second && nearVerb(found, second)) || found;
}

/** Words that people have for the nouns. */
const otherNouns: Readonly<Record<string, string>> = {
  mcp: 'server',
  service: 'server',
  m2m: 'app',
  application: 'app',
  role: 'scope',
  permission: 'scope',
  log: 'audit',
  event: 'audit',
  person: 'user',
  people: 'user',
  account: 'user',
};

function nounOf(word: string): string | undefined {
  const single = word.replace(/s$/, '');
  for (const one of [word, single]) {
    if (Object.hasOwn(nouns, one)) return one;
    if (Object.hasOwn(otherNouns, one)) return otherNouns[one];
  }
  return undefined;
}

/** Words that people have for the verbs; the first that the noun has is meant. */
const otherVerbs: Readonly<Record<string, readonly string[]>> = {
  new: ['create', 'register'],
  add: ['create', 'register'],
  make: ['create', 'register'],
  create: ['register'],
  register: ['create'],
  destroy: ['remove', 'revoke'],
  unregister: ['remove'],
  delete: ['remove', 'revoke'],
  view: ['get'],
  info: ['get'],
  describe: ['get'],
  change: ['update'],
  set: ['update', 'credential'],
  on: ['enable'],
  start: ['enable'],
  off: ['disable'],
  stop: ['disable'],
  status: ['health', 'list'],
  ping: ['health'],
  all: ['list'],
};

function verbOf(noun: string, word: string): string | undefined {
  const verbs = nouns[noun]?.verbs ?? {};
  if (Object.hasOwn(verbs, word)) return word;
  const alias = Object.entries(verbs).find(([, { also }]) => also?.includes(word));
  return alias?.[0] ?? otherVerbs[word]?.find((verb) => Object.hasOwn(verbs, verb));
}

/** The word that is nearest, if no more than a third of it is written differently, or it begins so. */
function nearest(word: string, among: readonly string[]): string | undefined {
  let best: { found: string; distance: number } | undefined;
  for (const found of among) {
    const distance = word.length > 2 && found.startsWith(word) ? 0.5 : editDistance(word, found);
    const most = Math.max(1, Math.floor(Math.max(word.length, found.length) / 3));
    if (distance <= most && distance < (best?.distance ?? Number.POSITIVE_INFINITY))
      best = { found, distance };
  }
  return best?.found;
}

/** Optimal string alignment distance: insertions, deletions, replacements and swaps of neighbours. */
function editDistance(a: string, b: string): number {
  let [before, last] = [[] as number[], Array.from({ length: b.length + 1 }, (_, at) => at)];
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const cost = a[i - 1] === b[j - 1] ? 0 : 1;
      let least = Math.min((last[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1, (last[j - 1] ?? 0) + cost);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1])
        least = Math.min(least, (before[j - 2] ?? 0) + 1);
      row.push(least);
    }
    [before, last] = [last, row];
  }
  return last[b.length] ?? 0;
}
