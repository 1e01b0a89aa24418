// What is looked for: one id at first, whatever it is the id of, and then what was found to belong to
// its request.

const FINGERPRINT = /^(?:[0-9a-f]{2}:){31}[0-9a-f]{2}$/i
const HEXADECIMAL = /^[0-9a-f]{40,64}$/i
const CREDENTIAL = /^(?:JTI|X509SHA256)=/

/** The id as logs have it: `JTI=…` and `X509SHA256=…` are read, and so is `AB:CD:…` of OpenSSL. */
export const normalId = (id: string): string => {
  const value = id.trim().replace(CREDENTIAL, '')
  if (FINGERPRINT.test(value)) return value.replaceAll(':', '').toLowerCase()
  return HEXADECIMAL.test(value) ? value.toLowerCase() : value
}

// What JSON may write in another way (`\u003c`, `\/`) is not looked for in the bytes.
const PLAIN = /^[\w.:+=~-]+$/

/** Finds the lines that are worth parsing, by the bytes of the ids. */
export class SearchTerms {
  readonly #needles = new Map<string, Buffer>()
  #all = false

  /** How many ids there are. */
  get size(): number {
    return this.#needles.size
  }

  add(...ids: readonly string[]): void {
    for (const id of ids) {
      if (id === '') continue
      if (!PLAIN.test(id)) this.#all = true
      this.#needles.set(id, Buffer.from(id))
    }
  }

  has(id: string | undefined): boolean {
    return id !== undefined && this.#needles.has(id)
  }

  /** Whether a line could name one of the ids. */
  isIn(line: Buffer): boolean {
    if (this.#all) return true
    for (const needle of this.#needles.values()) if (line.includes(needle)) return true
    return false
  }
}
