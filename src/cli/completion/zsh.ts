// Completion for zsh.

import { alternatives, quoted, valueCases, type Place } from './place.ts'

/** The script, a function for `fpath`. */
export const zshScript = (places: readonly Place[]): string => `#compdef countersign
local place='' word previous="\${words[CURRENT-1]}"
local -a found
for word in "\${(@)words[2,CURRENT-1]}"; do
  case "$place $word" in
    (${alternatives(places)}) place="$place $word" ;;
  esac
done
if [[ "$PREFIX" == --*=* ]]; then
  previous="\${PREFIX%%=*}"
  compset -P '*='
fi
case "$place $previous" in
${valueCases(places)
  .map(({ pattern, choices }) => `  (${pattern}) ${completionOf(choices)}; return ;;`)
  .join('\n')}
esac
case "$place" in
${places.map(lineOf).join('\n')}
esac
_describe countersign found || _files`

const completionOf = (choices: readonly string[]): string =>
  choices.length === 0 ? '_files' : `compadd -- ${choices.map(quoted).join(' ')}`

// A colon ends the word (zshcompsys(1), _describe).
const lineOf = ({ path, words, options }: Place): string => {
  const entries = [
    ...words.map(({ name, about }) => (about === '' ? name : `${name}:${about}`)),
    ...options.map(({ long, about }) => `${long}:${about}`),
  ]
  return `  (${quoted(path)}) found=(${entries.map(quoted).join(' ')}) ;;`
}
