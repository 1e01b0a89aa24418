// Completion for zsh.

import { alternatives, quoted, type Place } from './place.ts'

/** The script, a function for `fpath`. */
export const zshScript = (places: readonly Place[]): string => `#compdef countersign
local place='' word
local -a found
for word in "\${(@)words[2,CURRENT-1]}"; do
  case "$place $word" in
    (${alternatives(places)}) place="$place $word" ;;
  esac
done
case "$place" in
${places.map(lineOf).join('\n')}
esac
_describe countersign found || _files`

// A colon ends the word (zshcompsys(1), _describe).
const lineOf = ({ path, words, options }: Place): string => {
  const entries = [
    ...words.map(({ name, about }) => `${name}:${about}`),
    ...options.map(({ long, about }) => `${long}:${about}`),
  ]
  return `  (${quoted(path)}) found=(${entries.map(quoted).join(' ')}) ;;`
}
