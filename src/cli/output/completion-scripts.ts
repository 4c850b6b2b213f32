/** A command as shells complete it. */
export interface Word {
  readonly name: string;
  readonly summary: string;
  readonly options: readonly {
    readonly name: string;
    readonly summary: string;
    /** Whether a value follows it. */
    readonly takesValue: boolean;
    /** What it may be; empty when that is open. */
    readonly values: readonly string[];
  }[];
  /** What its argument may be; empty when it has none. */
  readonly values: readonly string[];
  /** The verbs of a noun; empty for every other command. */
  readonly verbs: readonly Word[];
  /** Whether it is offered before anything is typed; earlier names complete only where nothing else fits. */
  readonly isMain: boolean;
}

/** A command or a verb by the words that are typed for it, such as `server list`. */
interface Line {
  readonly words: string;
  readonly word: Word;
}

function linesOf(words: readonly Word[]): Line[] {
  return words.flatMap((word) => [
    { words: word.name, word },
    ...word.verbs.map((verb) => ({ words: `${word.name} ${verb.name}`, word: verb })),
  ]);
}

/** What can follow the words of a command: its verbs, or else the values of its argument and its options. */
function afterwards({ verbs, values, options }: Word): string[] {
  return [...verbs.map(({ name }) => name), ...values, ...options.map(({ name }) => name)];
}

function namesOf(words: readonly Word[], isMain: boolean): string {
  return words
    .filter((word) => word.isMain === isMain)
    .map(({ name }) => name)
    .join(' ');
}

/** The options of which a value follows, as the walk over a line must skip it. */
function valued(words: readonly Word[]): string[] {
  const all = linesOf(words).flatMap(({ word }) => word.options);
  return [...new Set(all.filter(({ takesValue }) => takesValue).map(({ name }) => name))];
}

/** Command, option and values of every option whose values are known. */
function choicesOf(words: readonly Word[]): (readonly [string, string, readonly string[]])[] {
  return linesOf(words).flatMap(({ words: typed, word }) =>
    word.options
      .filter((option) => option.values.length > 0)
      .map((option) => [typed, option.name, option.values] as const),
  );
}

/** A completion script for bash; values that are open complete as file names. */
export function bash(program: string, words: readonly Word[]): string {
  const nouns = words.filter(({ verbs }) => verbs.length > 0).map(({ name }) => name);
  const cases = linesOf(words).map(
    ({ words: typed, word }) => `    '${typed}') words='${afterwards(word).join(' ')}' ;;`,
  );
  const choices = choicesOf(words).map(
    ([typed, option, values]) => `    '${typed} ${option}') words='${values.join(' ')}' ;;`,
  );
  return `# bash completion for ${program}
_${identifier(program)}() {
  local current=\${COMP_WORDS[COMP_CWORD]} previous=\${COMP_WORDS[COMP_CWORD-1]} command='' skip='' word words=''
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    if [[ -n $skip ]]; then skip=''; continue; fi
    case $word in
      ${valued(words).join('|')}) skip=1; continue ;;
      -*) continue ;;
    esac
    case $command in
      '') command=$word ;;
      ${nouns.join('|')}) command="$command $word" ;;
      *) break ;;
    esac
  done
  case $command in
    '') words='${namesOf(words, true)}' ;;
${cases.join('\n')}
  esac
  case $previous in ${valued(words).join('|')}) words='' ;; esac
  case "$command $previous" in
${choices.join('\n')}
  esac
  COMPREPLY=($(compgen -W "$words" -- "$current"))
  if [[ -z $command && \${#COMPREPLY[@]} -eq 0 ]]; then
    COMPREPLY=($(compgen -W '${namesOf(words, false)}' -- "$current"))
  fi
}
complete -o default -F _${identifier(program)} ${program}
`;
}

/** A completion script for zsh. */
export function zsh(program: string, words: readonly Word[]): string {
  const described = (rows: readonly { readonly name: string; readonly summary: string }[]): string =>
    rows.map(({ name, summary }) => quoted(`${name.replaceAll(':', '\\:')}:${summary}`)).join(' ');
  const nouns = words.filter(({ verbs }) => verbs.length > 0);
  const options = linesOf(words).map(
    ({ words: typed, word }) => `    ${quoted(typed)}) described=(${described(word.options)}) ;;`,
  );
  const verbs = nouns.map(({ name, verbs }) => `    ${name}) described=(${described(verbs)}) ;;`);
  const values = linesOf(words).filter(({ word }) => word.values.length > 0);
  const choices = [
    ...choicesOf(words),
    ...values.map(({ words: typed, word }) => [typed, '', word.values] as const),
  ].map(([typed, before, list]) => `  ${quoted(`${typed} ${before}`.trim())} ${quoted(list.join(' '))}`);
  return `#compdef ${program}
_${identifier(program)}() {
  local command='' skip='' word previous=\${words[CURRENT-1]}
  local -a described
  local -A choices
  choices=(
${choices.join('\n')}
  )
  for word in \${words[2,CURRENT-1]}; do
    if [[ -n $skip ]]; then skip=''; continue; fi
    case $word in
      ${valued(words).join('|')}) skip=1; continue ;;
      -*) continue ;;
    esac
    case $command in
      '') command=$word ;;
      ${nouns.map(({ name }) => name).join('|')}) command="$command $word" ;;
    esac
  done
  if [[ -n $skip && -n \${choices[$command $previous]} ]]; then
    compadd -- \${=choices[$command $previous]}
    return
  fi
  if [[ -n $skip ]]; then _files; return; fi
  case $command in
    '') described=(${described(words.filter(({ isMain }) => isMain))})
      _describe command described || compadd -- ${namesOf(words, false)}
      return ;;
${verbs.join('\n')}
  esac
  if (( \${#described} )); then _describe verb described; return; fi
  if [[ $words[CURRENT] == -* ]]; then
    case $command in
${options.join('\n')}
    esac
    _describe option described
  elif [[ -n \${choices[$command]} ]]; then
    compadd -- \${=choices[$command]}
  else
    _files
  fi
}
if [[ $funcstack[1] == _${identifier(program)} ]]; then
  _${identifier(program)} "$@"
else
  compdef _${identifier(program)} ${program}
fi
`;
}

/** A completion script for fish. */
export function fish(program: string, words: readonly Word[]): string {
  const lines = words.flatMap((word) => {
    const { name, summary, verbs } = word;
    const within = `__fish_seen_subcommand_from ${name}`;
    const names = verbs.map((verb) => verb.name).join(' ');
    return [
      ...(word.isMain
        ? [`complete -c ${program} -n __fish_use_subcommand -f -a ${name} -d ${quoted(summary)}`]
        : []),
      ...verbs.map(
        (verb) =>
          `complete -c ${program} -n '${within}; and not __fish_seen_subcommand_from ${names}' -f -a ${verb.name} -d ${quoted(verb.summary)}`,
      ),
      ...details(program, within, word),
      ...verbs.flatMap((verb) =>
        details(program, `${within}; and __fish_seen_subcommand_from ${verb.name}`, verb),
      ),
    ];
  });
  return `# fish completion for ${program}\n${lines.join('\n')}\n`;
}

function details(program: string, when: string, { values, options }: Word): string[] {
  const after = `complete -c ${program} -n '${when}'`;
  return [
    ...(values.length > 0 ? [`${after} -f -a ${quoted(values.join(' '))}`] : []),
    ...options.map((option) => {
      const name = option.name.startsWith('--') ? `-l ${option.name.slice(2)}` : `-s ${option.name.slice(1)}`;
      const value = option.values.length > 0 ? ` -x -a ${quoted(option.values.join(' '))}` : ' -r';
      return `${after} ${name}${option.takesValue ? value : ''} -d ${quoted(option.summary)}`;
    }),
  ];
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

function identifier(program: string): string {
  return program.replace(/\W/g, '_');
}
