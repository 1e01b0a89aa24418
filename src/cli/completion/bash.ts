// Completion for bash.

import { alternatives, quoted, valueCases, type Place } from './place.ts'

/**
 * The script. bash splits words at "=" (COMP_WORDBREAKS), so that an option may be two words before its value. Where the
 * function has no word, bash completes files.
 */
export const bashScript = (places: readonly Place[]): string => `# bash completion for countersign
_countersign() {
  local current=\${COMP_WORDS[COMP_CWORD]} previous=\${COMP_WORDS[COMP_CWORD-1]} path= words= i
  for ((i = 1; i < COMP_CWORD; i++)); do
    case "$path \${COMP_WORDS[i]}" in
      ${alternatives(places)}) path="$path \${COMP_WORDS[i]}" ;;
    esac
  done
  if [ "$current" = '=' ]; then current=''
  elif [ "$previous" = '=' ]; then previous=\${COMP_WORDS[COMP_CWORD-2]}
  fi
  case "$path $previous" in
${valueCases(places)
  .map(({ pattern, choices }) => `    ${pattern}) words=${quoted(choices.join(' '))} ;;`)
  .join('\n')}
    *)
      case "$path" in
${places.map(lineOf).join('\n')}
      esac ;;
  esac
  COMPREPLY=()
  [ -z "$words" ] || COMPREPLY=($(compgen -W "$words" -- "$current"))
}
complete -o default -F _countersign countersign`

const lineOf = ({ path, words, options }: Place): string =>
  `        ${quoted(path)}) words=${quoted([...words.map(({ name }) => name), ...options.map(({ long }) => long)].join(' '))} ;;`
