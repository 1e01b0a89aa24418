// An issuer that answers as a test says and records its calls.

import type { Issuance, Issued, NotIssued, CertificateSource } from '../../src/ca/issuer.ts'

/** How long the certificates of {@link FakeIssuer} are good for, in milliseconds. */
export const TTL = 600_000

/** The answer of an issuer that knows no such name. */
export const UNKNOWN: NotIssued = { outcome: 'refused', code: 'authority-unknown' }

// As for handles, names of other characters and too many of them are refused by their form.
const FORM = /^[\w.-]{1,6000}$/

/** Makes a new "certificate" for every name unless a test says otherwise. */
export class FakeIssuer implements CertificateSource {
  /** The names that were requested, oldest first. */
  readonly requests: string[] = []
  /** The calls of {@link isCurrent}, as `name@version`. */
  readonly compared: string[] = []
  /** What is answered from now on. */
  answer: (name: string) => Issuance | Promise<Issuance> = (name) => this.certificate(name)
  /** What {@link isCurrent} says from now on: it is so for the last certificate of the name. */
  current: (name: string, version: string) => boolean = (name, version) =>
    this.#versions.get(name) === version
  /** When the refusal of a name by its form is recorded: at once, unless a test says otherwise. */
  recorded: Promise<Issuance> = Promise.resolve({ outcome: 'refused', code: 'handle-malformed' })
  readonly #versions = new Map<string, string>()

  async issue(name: string): Promise<Issuance> {
    this.requests.push(name)
    return await this.answer(name)
  }

  refuseForm(name: string): Promise<Issuance> | undefined {
    return FORM.test(name) ? undefined : this.recorded
  }

  isCurrent(name: string, version: string): boolean {
    this.compared.push(`${name}@${version}`)
    return this.current(name, version)
  }

  /** A certificate for the name, numbered by how many names were requested. */
  certificate(name: string, ttl = TTL): Issued {
    const number = this.requests.length
    this.#versions.set(name, `v${number}`)
    return {
      outcome: 'issued',
      certificateChain: Buffer.from(`chain ${number} of ${name}`),
      privateKey: Buffer.from(`key ${number} of ${name}`),
      version: `v${number}`,
      ttl,
    }
  }
}
