// What is possible at a place of a command line, for the scripts of each shell.

/** The words after a command. */
export interface Place {
  /** The commands before, each with a space before it; empty at the beginning. */
  readonly path: string
  /** The commands, or the values of the first argument. */
  readonly words: readonly { readonly name: string; readonly about: string }[]
  readonly options: readonly PlaceOption[]
}

/** An option of a command. */
export interface PlaceOption {
  /** With its hyphens. */
  readonly long: string
  readonly short: string | undefined
  readonly takesValue: boolean
  /** Its values, where it has a list of them. Another value may be a file. */
  readonly choices: readonly string[]
  readonly about: string
}

/** The text as one word of a POSIX shell. */
export const quoted = (text: string): string => `'${text.replaceAll("'", String.raw`'\''`)}'`

/** The commands before the cursor, as an alternation of `case` (POSIX). */
export const alternatives = (places: readonly Place[]): string =>
  places
    .filter(({ path }) => path !== '')
    .map(({ path }) => quoted(path))
    .join('|')

/** What completes the value of an option: a list of values, or, where it is empty, files. */
export interface ValueCase {
  /** The commands and the option before the cursor, as an alternation of `case`. */
  readonly pattern: string
  readonly choices: readonly string[]
}

/** The cases of all options that take a value; those without a list of values are one case, the last. */
export const valueCases = (places: readonly Place[]): readonly ValueCase[] => {
  const options = places.flatMap(({ path, options: all }) =>
    all.flatMap(({ long, short, takesValue, choices }) => {
      const names = [long, ...(short === undefined ? [] : [short])]
      const pattern = names.map((name) => quoted(`${path} ${name}`)).join('|')
      return takesValue ? [{ pattern, choices }] : []
    }),
  )
  const free = options.filter(({ choices }) => choices.length === 0)
  return [
    ...options.filter(({ choices }) => choices.length > 0),
    { pattern: free.map(({ pattern }) => pattern).join('|'), choices: [] },
  ]
}
