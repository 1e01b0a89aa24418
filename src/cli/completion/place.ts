// What is possible at a place of a command line, for the scripts of each shell.

/** The words after a command. */
export interface Place {
  /** The commands before, each with a space before it; empty at the beginning. */
  readonly path: string
  readonly words: readonly { readonly name: string; readonly about: string }[]
  readonly options: readonly {
    /** With its hyphens. */
    readonly long: string
    readonly short: string | undefined
    readonly takesValue: boolean
    readonly about: string
  }[]
}

/** The text as one word of a POSIX shell. */
export const quoted = (text: string): string => `'${text.replaceAll("'", String.raw`'\''`)}'`

/** The commands before the cursor, as an alternation of `case` (POSIX). */
export const alternatives = (places: readonly Place[]): string =>
  places
    .filter(({ path }) => path !== '')
    .map(({ path }) => quoted(path))
    .join('|')
