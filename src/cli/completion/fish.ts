// Completion for fish.

import { type Place } from './place.ts'

// In single quotes, fish reads \\ and \' (fish-language(1)).
const quoted = (text: string): string => `'${text.replaceAll(/[\\']/g, String.raw`\$&`)}'`

/** The script. */
export const fishScript = (places: readonly Place[]): string => `# fish completion for countersign
function __countersign_at
  set -l place ''
  for word in (commandline -opc)[2..]
    if contains -- "$place $word" ${places
      .filter(({ path }) => path !== '')
      .map(({ path }) => quoted(path))
      .join(' ')}
      set place "$place $word"
    end
  end
  test "$place" = "$argv[1]"
end
${places.flatMap(linesOf).join('\n')}`

const linesOf = ({ path, words, options }: Place): readonly string[] => {
  const at = `complete -c countersign -n ${quoted(`__countersign_at ${quoted(path)}`)}`
  return [
    ...words.map(({ name, about }) => `${at} -f -a ${name} -d ${quoted(about)}`),
    ...options.map(({ long, short, takesValue, choices, about }) =>
      [
        at,
        `-l ${long.replace(/^-+/, '')}`,
        ...(short === undefined ? [] : [`-s ${short.replace(/^-/, '')}`]),
        ...(takesValue ? ['-r'] : []),
        ...(choices.length === 0 ? [] : [`-f -a ${quoted(choices.join(' '))}`]),
        `-d ${quoted(about)}`,
      ].join(' '),
    ),
  ]
}
