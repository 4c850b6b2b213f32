/** A command as shells complete it. */
export interface Word {
  readonly name: string;
  readonly summary: string;
  readonly options: readonly {
    readonly name: string;
    readonly summary: string;
    /** What it may be; empty when that is open. */
    readonly values: readonly string[];
  }[];
  /** What its argument may be; empty when it has none. */
  readonly values: readonly string[];
}

/** A completion script for bash; values that are open complete as file names. */
export function bash(program: string, words: readonly Word[]): string {
  const cases = words
    .map(({ name, options, values }) => {
      const all = [...values, ...options.map((option) => option.name)];
      return `    ${name}) words='${all.join(' ')}' ;;`;
    })
    .join('\n');
  const choices = choicesOf(words)
    .map(([command, option, values]) => `    '${command} ${option}') words='${values.join(' ')}' ;;`)
    .join('\n');
  return `# bash completion for ${program}
_${identifier(program)}() {
  local current=\${COMP_WORDS[COMP_CWORD]} command='' word words
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    case $word in ${words.map(({ name }) => name).join('|')}) command=$word; break ;; esac
  done
  case $command in
    '') words='${words.map(({ name }) => name).join(' ')}' ;;
${cases}
  esac
  case "$command \${COMP_WORDS[COMP_CWORD-1]}" in
${choices}
  esac
  COMPREPLY=($(compgen -W "$words" -- "$current"))
}
complete -o default -F _${identifier(program)} ${program}
`;
}

/** A completion script for zsh. */
export function zsh(program: string, words: readonly Word[]): string {
  const commands = words.map(({ name, summary }) => `    ${quoted(`${name}:${summary}`)}`).join('\n');
  const cases = words
    .map(({ name, options }) => {
      const described = options.map((option) => quoted(`${option.name}:${option.summary}`)).join(' ');
      return `    ${name}) described=(${described}) ;;`;
    })
    .join('\n');
  const choices = [
    ...choicesOf(words),
    ...words.map(({ name, values }) => [name, name, values] as const).filter(([, , values]) => values.length),
  ]
    .map(([command, before, values]) => `  ${quoted(`${command} ${before}`)} ${quoted(values.join(' '))}`)
    .join('\n');
  return `#compdef ${program}
local -a commands described
local -A choices
commands=(
${commands}
)
choices=(
${choices}
)
local command=\${words[(r)(${words.map(({ name }) => name).join('|')})]}
local place="$command $words[CURRENT-1]"
if [[ -z $command || $command == $words[CURRENT] ]]; then
  _describe command commands
elif (( \${+choices[$place]} )); then
  compadd -- \${=choices[$place]}
elif [[ $words[CURRENT] == -* ]]; then
  case $command in
${cases}
  esac
  _describe option described
else
  _files
fi
`;
}

/** A completion script for fish. */
export function fish(program: string, words: readonly Word[]): string {
  const lines = words.flatMap(({ name, summary, options, values }) => {
    const after = `complete -c ${program} -n '__fish_seen_subcommand_from ${name}'`;
    return [
      `complete -c ${program} -n __fish_use_subcommand -f -a ${name} -d ${quoted(summary)}`,
      ...(values.length > 0 ? [`${after} -f -a ${quoted(values.join(' '))}`] : []),
      ...options.map((option) => {
        const choices = option.values.length > 0 ? ` -x -a ${quoted(option.values.join(' '))}` : '';
        return `${after} -l ${option.name.slice(2)}${choices} -d ${quoted(option.summary)}`;
      }),
    ];
  });
  return `# fish completion for ${program}\n${lines.join('\n')}\n`;
}

/** Command, option and values of every option whose values are known. */
function choicesOf(words: readonly Word[]): (readonly [string, string, readonly string[]])[] {
  return words.flatMap(({ name, options }) =>
    options
      .filter((option) => option.values.length > 0)
      .map((option) => [name, option.name, option.values] as const),
  );
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

function identifier(program: string): string {
  return program.replace(/\W/g, '_');
}
