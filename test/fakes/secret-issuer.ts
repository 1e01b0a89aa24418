// An issuer that answers as it is told and keeps what it was asked.

import type { Issuance, Issued, Refused, SecretIssuer } from '../../src/sds/secret-issuer.ts'

/** How long the certificates of {@link FakeIssuer} are good for, in milliseconds. */
export const TTL = 600_000

/** The answer of an issuer that knows no such name. */
export const UNKNOWN: Refused = { outcome: 'refused', code: 'unknown' }

/** Makes a new "certificate" for every name unless it is told otherwise. */
export class FakeIssuer implements SecretIssuer {
  /** The names that were asked for, oldest first. */
  readonly asked: string[] = []
  /** What {@link isCurrent} was asked, as `name@version`. */
  readonly compared: string[] = []
  /** What is answered from now on. */
  answer: (name: string) => Issuance | Promise<Issuance> = (name) => this.certificate(name)
  /** What {@link isCurrent} says from now on. */
  current: (name: string, version: string) => boolean = () => false

  async issue(name: string): Promise<Issuance> {
    this.asked.push(name)
    return await this.answer(name)
  }

  isCurrent(name: string, version: string): boolean {
    this.compared.push(`${name}@${version}`)
    return this.current(name, version)
  }

  /** A certificate for the name, numbered by how many names were asked for. */
  certificate(name: string, ttl = TTL): Issued {
    const number = this.asked.length
    return {
      outcome: 'issued',
      certificateChain: Buffer.from(`chain ${number} of ${name}`),
      privateKey: Buffer.from(`key ${number} of ${name}`),
      version: `v${number}`,
      ttl,
    }
  }
}
