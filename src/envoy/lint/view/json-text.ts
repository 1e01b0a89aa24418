// JSON text that has been parsed already, gone through once more for where things stand in it. The
// YAML parser could say as much, but takes seconds for a config dump of ten megabytes.

import type { Path } from './setting.ts'

/** What a walk through JSON text found. */
export interface JsonPlaces {
  /** Where each path that was asked for begins; for one that leads nowhere, where its parent does. */
  readonly offsets: readonly number[]
  /** Members whose name their object has already had, by `sameName`. */
  readonly repeated: readonly Path[]
}

/** A tree of the paths that are asked for. */
interface Wanted {
  readonly below: Map<string | number, Wanted>
  offset?: number
}

/**
 * Finds places in JSON text, which must be valid.
 *
 * @param sameName what is alike in names that mean the same
 */
export const findInJson = (
  text: string,
  paths: readonly Path[],
  sameName: (name: string, path: Path) => string,
): JsonPlaces => {
  const root: Wanted = { below: new Map(), offset: 0 }
  for (const path of paths) {
    let wanted = root
    for (const step of path) {
      const next = wanted.below.get(step) ?? { below: new Map() }
      wanted.below.set(step, next)
      wanted = next
    }
  }
  const walk = new Walk(text, sameName)
  walk.value(root)
  return { offsets: paths.map((path) => offsetOf(root, path)), repeated: walk.repeated }
}

const offsetOf = (root: Wanted, path: Path): number => {
  let wanted: Wanted | undefined = root
  let offset = 0
  for (const step of path) {
    wanted = wanted?.below.get(step)
    offset = wanted?.offset ?? offset
  }
  return offset
}

// Valid text needs no commas and colons to be understood.
const SEPARATORS = /[\s,:]*/y
const SCALAR = /[^\s,:{}[\]"]+/y

class Walk {
  readonly repeated: Path[] = []
  readonly #text: string
  readonly #sameName: (name: string, path: Path) => string
  readonly #path: (string | number)[] = []
  #offset = 0

  constructor(text: string, sameName: (name: string, path: Path) => string) {
    this.#text = text
    this.#sameName = sameName
  }

  value(wanted: Wanted | undefined): void {
    this.#valueOf(this.#next(), wanted)
  }

  #valueOf(token: string, wanted: Wanted | undefined): void {
    if (token === '{') this.#object(wanted)
    else if (token === '[') this.#list(wanted)
  }

  #object(wanted: Wanted | undefined): void {
    const seen = new Set<string>()
    for (let token = this.#next(); token !== '}' && token !== ''; token = this.#next()) {
      const name = token.includes('\\') ? String(JSON.parse(token)) : token.slice(1, -1)
      const same = this.#sameName(name, this.#path)
      if (seen.has(same)) this.repeated.push([...this.#path, name])
      seen.add(same)
      const member = this.#mark(wanted, name, token)
      this.#path.push(name)
      this.value(member)
      this.#path.pop()
    }
  }

  #list(wanted: Wanted | undefined): void {
    let index = 0
    for (let token = this.#next(); token !== ']' && token !== ''; token = this.#next()) {
      const item = this.#mark(wanted, index, token)
      this.#path.push(index)
      this.#valueOf(token, item)
      this.#path.pop()
      index += 1
    }
  }

  /** What is wanted below a step, which begins with the token read last. */
  #mark(wanted: Wanted | undefined, step: string | number, token: string): Wanted | undefined {
    const found = wanted?.below.get(step)
    if (found !== undefined) found.offset = this.#offset - token.length
    return found
  }

  /** The next token; empty at the end. */
  #next(): string {
    const start = this.#after(SEPARATORS, this.#offset)
    const first = this.#text[start]
    if (first === '"') this.#offset = this.#endOfString(start)
    else if (first !== undefined && '{}[]'.includes(first)) this.#offset = start + 1
    else this.#offset = this.#after(SCALAR, start)
    return this.#text.slice(start, this.#offset)
  }

  #after(pattern: RegExp, start: number): number {
    pattern.lastIndex = start
    return pattern.test(this.#text) ? pattern.lastIndex : start
  }

  /** By hand: a pattern with a group for escapes gives up on very many of them. */
  #endOfString(start: number): number {
    let end = this.#text.indexOf('"', start + 1)
    while (this.#isEscaped(end)) end = this.#text.indexOf('"', end + 1)
    return end + 1
  }

  #isEscaped(offset: number): boolean {
    let before = offset - 1
    while (this.#text[before] === '\\') before -= 1
    return (offset - before) % 2 === 0
  }
}
