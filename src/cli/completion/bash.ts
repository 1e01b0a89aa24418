// Completion for bash.

import { alternatives, quoted, type Place } from './place.ts'

/** The script. Where it has no word, bash completes files. */
export const bashScript = (places: readonly Place[]): string => `# bash completion for countersign
_countersign() {
  local current=\${COMP_WORDS[COMP_CWORD]} path= words= i
  for ((i = 1; i < COMP_CWORD; i++)); do
    case "$path \${COMP_WORDS[i]}" in
      ${alternatives(places)}) path="$path \${COMP_WORDS[i]}" ;;
    esac
  done
  case "$path" in
${places.map(lineOf).join('\n')}
  esac
  COMPREPLY=($(compgen -W "$words" -- "$current"))
}
complete -o default -F _countersign countersign`

const lineOf = ({ path, words, options }: Place): string =>
  `    ${quoted(path)}) words=${quoted([...words.map(({ name }) => name), ...options.map(({ long }) => long)].join(' '))} ;;`
