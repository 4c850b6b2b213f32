/** A command as shells complete it. */
export interface Word {
  readonly name: string;
  readonly summary: string;
  readonly options: readonly { readonly name: string; readonly summary: string }[];
}

/** A completion script for bash; option values complete as file names. */
export function bash(program: string, words: readonly Word[]): string {
  const cases = words
    .map(({ name, options }) => `    ${name}) words='${options.map((option) => option.name).join(' ')}' ;;`)
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
  return `#compdef ${program}
local -a commands described
commands=(
${commands}
)
local command=\${words[(r)(${words.map(({ name }) => name).join('|')})]}
if [[ -z $command || $command == $words[CURRENT] ]]; then
  _describe command commands
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
  const lines = words.flatMap(({ name, summary, options }) => [
    `complete -c ${program} -n __fish_use_subcommand -f -a ${name} -d ${quoted(summary)}`,
    ...options.map(
      (option) =>
        `complete -c ${program} -n '__fish_seen_subcommand_from ${name}' -l ${option.name.slice(2)} -d ${quoted(option.summary)}`,
    ),
  ]);
  return `# fish completion for ${program}\n${lines.join('\n')}\n`;
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

function identifier(program: string): string {
  return program.replace(/\W/g, '_');
}
