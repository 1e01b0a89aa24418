// Positions in JSON text that has been parsed already: repeated names, and where paths begin. The YAML
// parser could answer both, but takes seconds for a config dump of ten megabytes.

import { visit, type JSONPath } from 'jsonc-parser'
import type { Path } from './setting.ts'

/**
 * The members whose name their object already has.
 *
 * @param text valid JSON
 * @param canonical yields one name for all spellings of a field
 */
export const repeatedMembers = (
  text: string,
  canonical: (name: string, path: () => Path) => string,
): readonly Path[] => {
  const repeated: Path[] = []
  const objects: Set<string>[] = []
  visit(text, {
    onObjectBegin() {
      objects.push(new Set())
    },
    onObjectEnd() {
      objects.pop()
    },
    onObjectProperty(name, _offset, _length, _line, _column, path) {
      const names = objects.at(-1)
      const key = canonical(name, path)
      if (names?.has(key) === true) repeated.push([...path(), name])
      names?.add(key)
    },
  })
  return repeated
}

/** The offset at which each path begins; of a path that leads nowhere, the offset of its parent. */
export const offsetsIn = (text: string, paths: readonly Path[]): readonly number[] => {
  const ancestors = paths.flatMap((path) => path.map((_, index) => keyOf(path.slice(0, index))))
  const wanted = new Set([...paths.map(keyOf), ...ancestors])
  const offsets = new Map([[keyOf([]), 0]])
  const mark = (path: JSONPath, offset: number): void => {
    const key = keyOf(path)
    if (wanted.has(key)) offsets.set(key, offset)
  }
  // A member begins at its name, an element at its value. Of repeated members the last one counts.
  const value = (offset: number, path: JSONPath): boolean => {
    if (typeof path.at(-1) === 'number') mark(path, offset)
    return wanted.has(keyOf(path)) // what no path leads into need not be visited
  }
  visit(text, {
    onObjectBegin: (offset, _length, _line, _column, path) => value(offset, path()),
    onArrayBegin: (offset, _length, _line, _column, path) => value(offset, path()),
    onLiteralValue(_value, offset, _length, _line, _column, path) {
      value(offset, path())
    },
    onObjectProperty(name, offset, _length, _line, _column, path) {
      mark([...path(), name], offset)
    },
    // Without them jsonc-parser 3.3.1 never resumes after what was not visited.
    onObjectEnd() {},
    onArrayEnd() {},
  })
  return paths.map((path) => {
    const lengths = Array.from({ length: path.length + 1 }, (_, index) => path.length - index)
    const found = lengths.map((length) => offsets.get(keyOf(path.slice(0, length))))
    return found.find((offset) => offset !== undefined) ?? 0
  })
}

const keyOf = (path: Path): string => JSON.stringify(path)
