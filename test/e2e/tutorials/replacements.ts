// What differs between a page and a run of it: ports, and secrets that a step has printed.

/** Names of a page, each with its value in this run. */
export class Replacements {
  readonly #values: Map<string, string>

  constructor(values: ReadonlyMap<string, string>) {
    this.#values = new Map(values)
  }

  /** @param name as the page writes it */
  set(name: string, value: string): void {
    this.#values.set(name, value)
  }

  /** The value of a name; throws where there is none yet. */
  get(name: string): string {
    const value = this.#values.get(name)
    if (value === undefined) throw new Error(`nothing has given ${name} a value`)
    return value
  }

  /** A text of the page with the values of this run. */
  here(text: string): string {
    return replaceAll(text, this.#values)
  }

  /** A text of this run as the page writes it. */
  asWritten(text: string): string {
    return replaceAll(text, new Map([...this.#values].map(([name, value]) => [value, name])))
  }
}

/** All at once: one value may contain the name of another, such as port 38443 the port 8443. */
const replaceAll = (text: string, values: ReadonlyMap<string, string>): string => {
  const names = [...values.keys()]
    .toSorted((one, other) => other.length - one.length) // of two that begin alike, the longer
    .map((name) => name.replaceAll(/[^\w]/g, '\\$&'))
  if (names.length === 0) return text
  return text.replaceAll(new RegExp(names.join('|'), 'g'), (name) => values.get(name) ?? name)
}
