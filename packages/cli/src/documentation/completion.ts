import { commonOptions } from '../program/common-options.ts';
import { flagName, type Options } from '../program/options.ts';
import type { DescribedCommand } from './described.ts';

export const shells = ['bash', 'zsh', 'fish'] as const;
export type Shell = (typeof shells)[number];

/** A script that completes commands, options and their choices; made from the command table, so it asks nothing at run time. */
export function completionScript(shell: Shell, commands: readonly DescribedCommand[]): string {
  switch (shell) {
    case 'bash':
      return bashScript(commands);
    case 'zsh':
      return `#compdef kannuki\nautoload -U +X bashcompinit && bashcompinit\n${bashScript(commands)}`;
    case 'fish':
      return fishScript(commands);
  }
}

function bashScript(commands: readonly DescribedCommand[]): string {
  const branches = [
    ...groupsOf(commands).map(([path, words]) => `    ${quote(path)}) words=${quote(words.join(' '))} ;;`),
    ...commands.map(({ entry, options }) => `    ${quote(entry.path)}) words=${quote(flagsOf(options).join(' '))} ;;`),
  ];
  const choice = (prefix: string, [flag, words]: [string, readonly string[]]): string =>
    `    ${prefix}${quote(flag)}) words=${quote(words.join(' '))} ;;`;
  const choices = [
    ...choicesOf(commonOptions).map((row) => choice("*' '", row)),
    ...commands.flatMap(({ entry, command }) =>
      choicesOf(command.options).map((row) => choice(quote(`${entry.path} `), row)),
    ),
  ];
  const paths = [...groupsOf(commands).map(([path]) => path), ...commands.map(({ entry }) => entry.path)];
  const known = paths
    .filter((path) => path !== '')
    .map(quote)
    .join('|');
  return `# Completion of kannuki for bash; made by \`kannuki completion bash\`.
_kannuki() {
  local current="\${COMP_WORDS[COMP_CWORD]}" previous="\${COMP_WORDS[COMP_CWORD-1]}" path='' words='' index
  for ((index = 1; index < COMP_CWORD; index++)); do
    case "\${path:+$path }\${COMP_WORDS[index]}" in
    ${known}) path="\${path:+$path }\${COMP_WORDS[index]}" ;;
    esac
  done
  case "$path" in
${branches.join('\n')}
  esac
  case "$path $previous" in
${choices.join('\n')}
  esac
  COMPREPLY=()
  while IFS='' read -r index; do COMPREPLY+=("$index"); done < <(compgen -W "$words" -- "$current")
  if [ "\${#COMPREPLY[@]}" -eq 0 ] && [ "\${current#-}" = "$current" ]; then
    while IFS='' read -r index; do COMPREPLY+=("$index"); done < <(compgen -f -- "$current")
  fi
}
complete -o filenames -F _kannuki kannuki ./kannuki
`;
}

function fishScript(commands: readonly DescribedCommand[]): string {
  const lines = [
    '# Completion of kannuki for fish; made by `kannuki completion fish`.',
    'function __kannuki_at',
    "  set -l words (string match -v -- '-*' (commandline -opc)[2..])",
    '  set -l wanted (string split -n " " -- $argv[1])',
    '  test (count $words) -ge (count $wanted); or return 1',
    '  test "$words[1..(count $wanted)]" = "$wanted"; or test (count $wanted) -eq 0',
    'end',
    'function __kannuki_below',
    '  __kannuki_at $argv[1]; or return 1',
    "  set -l words (string match -v -- '-*' (commandline -opc)[2..])",
    '  test (count $words) -eq (count (string split -n " " -- $argv[1]))',
    'end',
  ];
  for (const [path, words] of groupsOf(commands)) {
    lines.push(`complete -c kannuki -f -n ${quote(`__kannuki_below "${path}"`)} -a ${quote(words.join(' '))}`);
  }
  for (const { entry, options } of commands) {
    const at = quote(`__kannuki_at "${entry.path}"`);
    for (const [name, option] of Object.entries(options)) {
      const short = option.short === undefined ? '' : ` -s ${option.short}`;
      const value =
        option.kind === 'flag'
          ? ''
          : option.choices === undefined
            ? ' -r'
            : ` -x -a ${quote(option.choices.join(' '))}`;
      lines.push(
        `complete -c kannuki -n ${at} -l ${flagName(name).slice(2)}${short}${value} -d ${quote(option.help.en)}`,
      );
    }
  }
  return `${lines.join('\n')}\n`;
}

/** What may follow each beginning of a command: `''` → `support disk …`, `'support'` → `check images sizes`. */
function groupsOf(commands: readonly DescribedCommand[]): [string, string[]][] {
  const next = new Map<string, Set<string>>();
  for (const { entry } of commands) {
    const words = entry.path.split(' ');
    for (const [index, word] of words.entries()) {
      const path = words.slice(0, index).join(' ');
      next.set(path, (next.get(path) ?? new Set()).add(word));
    }
  }
  return [...next].map(([path, words]) => [path, [...words]]);
}

function flagsOf(options: Options): string[] {
  return [...Object.keys(options).map(flagName), '--help'];
}

/** Options that have choices, as the word before them stands on the command line, e.g. `--volume-type`. */
function choicesOf(options: Options): [string, readonly string[]][] {
  return Object.entries(options).flatMap(([name, { choices, short }]): [string, readonly string[]][] => {
    if (choices === undefined) return [];
    const long: [string, readonly string[]] = [flagName(name), choices];
    return short === undefined ? [long] : [long, [`-${short}`, choices]];
  });
}

/** One word for a POSIX shell and for fish. */
function quote(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "'\\''")}'`;
}
