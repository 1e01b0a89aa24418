// The layout of text output: blocks, rows and tables, safe for a terminal.

import { printable } from './printable.ts'

/** A row: a label and a value. Rows without a value are omitted. */
export type Row = readonly [label: string, value: string | undefined]

/** `1 rule`, `3 rules`. */
export const counted = (count: number, noun: string): string =>
  `${count} ${noun}${count === 1 ? '' : 's'}`

/** The parts that are present, joined. */
export const joined = (parts: readonly (string | undefined)[], separator = ' '): string =>
  parts.filter((part) => part !== undefined && part !== '').join(separator)

/** Lines with aligned labels. */
export const rowsAsLines = (
  rows: readonly Row[],
  { indent, width }: { readonly indent: number; readonly width: number },
): readonly string[] =>
  rows.flatMap(([label, value]) =>
    value === undefined || value === ''
      ? []
      : [`${' '.repeat(indent)}${label.padEnd(width)}${value}`],
  )

/** Lines with aligned columns; the first row has the titles. */
export const tableAsLines = (rows: readonly (readonly string[])[]): readonly string[] => {
  const widths = (rows[0] ?? []).map((_, column) =>
    Math.max(...rows.map((row) => row[column]?.length ?? 0)),
  )
  return rows.map((row) => row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  '))
}

/** Text of lines, with a line feed at its end and without trailing blanks or control characters. */
export const linesAsText = (lines: readonly string[]): string =>
  lines.map((line) => `${printable(line).trimEnd()}\n`).join('')

/** Text of blocks that an empty line separates; empty blocks are omitted. */
export const blocksAsText = (blocks: readonly (readonly string[])[]): string =>
  blocks
    .filter((lines) => lines.length > 0)
    .map(linesAsText)
    .join('\n')
