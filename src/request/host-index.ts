// Finds what is configured for a host, among any number of host patterns, without looking at each of them.

/**
 * Entries by their host patterns: a name, `*.example.org` (every name below it), or `*`. Looking up takes time that grows
 * with the labels of the host and with the entries that match it, not with the entries that there are.
 */
export class HostIndex<T> {
  readonly #byName = new Map<string, Placed<T>[]>()
  /** By the suffix that begins with a dot. */
  readonly #bySuffix = new Map<string, Placed<T>[]>()
  readonly #forAll: Placed<T>[] = []
  /** Suffixes of other lengths need not be looked for. */
  readonly #suffixLengths = new Set<number>()

  /** @param entries in the order in which they are looked at */
  constructor(entries: readonly { readonly hosts: readonly string[]; readonly value: T }[]) {
    for (const [place, { hosts, value }] of entries.entries()) {
      for (const pattern of new Set(hosts)) this.#add(pattern, { place, value })
    }
  }

  #add(pattern: string, entry: Placed<T>): void {
    if (pattern === '*') this.#forAll.push(entry)
    else if (pattern.startsWith('*.')) {
      const suffix = pattern.slice(1)
      this.#suffixLengths.add(suffix.length)
      append(this.#bySuffix, suffix, entry)
    } else append(this.#byName, pattern, entry)
  }

  /** The first entry, in their order, whose patterns match the host and which is accepted. */
  first(host: string, accepts: (value: T) => boolean): T | undefined {
    let found: Placed<T> | undefined
    const look = (entries: readonly Placed<T>[] | undefined): void => {
      if (entries === undefined) return
      for (const entry of entries) {
        if (found !== undefined && entry.place >= found.place) return
        if (accepts(entry.value)) found = entry
      }
    }
    look(this.#byName.get(host))
    for (const length of this.#suffixLengths) {
      if (length < host.length) look(this.#bySuffix.get(host.slice(-length)))
    }
    look(this.#forAll)
    return found?.value
  }
}

interface Placed<T> {
  readonly place: number
  readonly value: T
}

const append = <T>(index: Map<string, Placed<T>[]>, key: string, entry: Placed<T>): void => {
  const entries = index.get(key)
  if (entries === undefined) index.set(key, [entry])
  else entries.push(entry)
}
