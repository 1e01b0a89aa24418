// Long texts, line by line.

/** So many lines, each made from its index. */
export const linesOf = (count: number, line: (index: number) => string): string =>
  Array.from({ length: count }, (_, index) => `${line(index)}\n`).join('')
