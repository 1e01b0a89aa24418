// Certificates that are refused whatever their status at the issuer, listed by the operator: for the
// minutes before a CRL is out, and for issuers that publish none.

import { createHash } from 'node:crypto'
import { CountersignError } from '../runtime/errors.ts'
import { readCertificate } from '../x509/certificate.ts'
import { decodeName, formatName } from '../x509/name.ts'
import { attributeOid } from '../x509/oid.ts'
import { serialText } from './issued.ts'

/** The content of a line: `serial HEX`, `serial HEX issuer NAME`, `sha256 HEX`, `subject NAME`. */
const LINE = /^(?:serial +(\S+)(?: +issuer +(\S.*))?|sha256 +(\S+)|subject +(\S.*))$/
const HEX = /^(?:[0-9a-f]+|[0-9a-f]{2}(?::[0-9a-f]{2})+)$/i
const DIGEST = /^[0-9a-f]{64}$/

// RFC 4514 as names are written here: types by their usual names, nothing around "," and "=".
const RELATIVE = /([^=,]*)=((?:[^\\,+]|\\.)*)(?:,|$)/gsy

/** A list of denied certificates. */
export class DenyList {
  readonly #serials = new Set<string>()
  readonly #digests = new Set<string>()
  readonly #subjects = new Set<string>()

  /** Whether it holds nothing. */
  get isEmpty(): boolean {
    return this.#serials.size + this.#digests.size + this.#subjects.size === 0
  }

  /**
   * Adds one entry.
   *
   * @throws CountersignError `configuration-invalid`: an entry that can match nothing is refused,
   *   since otherwise its author would not notice
   */
  add(line: string): void {
    const [, serial, issuer, digest, subject] = LINE.exec(line.trim()) ?? []
    if (serial !== undefined) {
      const hex = hexOf(serial).replace(/^(?:00)+(?=..)/, '')
      this.#serials.add(issuer === undefined ? hex : `${hex} ${nameOf(issuer)}`)
    } else if (digest !== undefined) {
      const hex = hexOf(digest)
      if (!DIGEST.test(hex)) throw invalid('a SHA-256 fingerprint has 64 hexadecimal digits')
      this.#digests.add(hex)
    } else if (subject !== undefined) this.#subjects.add(nameOf(subject))
    else {
      throw invalid(
        `${JSON.stringify(line)} is not one of "serial HEX", "serial HEX issuer NAME", "sha256 HEX" and "subject NAME"`,
      )
    }
  }

  /**
   * Adds the entries of a file, one a line; empty lines and those that begin with "#" are skipped.
   *
   * @throws CountersignError `configuration-invalid` with the number of the line
   */
  addLines(name: string, text: string): void {
    for (const [index, line] of text.split(/\r?\n/).entries()) {
      if (/^\s*(#|$)/.test(line)) continue
      try {
        this.add(line)
      } catch (cause) {
        if (!(cause instanceof CountersignError)) throw cause
        throw invalid(`${name}, line ${index + 1}: ${cause.message}`)
      }
    }
  }

  /**
   * Whether a certificate is on it.
   *
   * @throws CountersignError `malformed-certificate` when its names cannot be compared
   */
  denies(der: Buffer): boolean {
    if (this.isEmpty) return false
    if (this.#digests.has(createHash('sha256').update(der).digest('hex'))) return true
    if (this.#serials.size + this.#subjects.size === 0) return false
    const { serialNumber, issuer, subject } = readCertificate(der)
    const serial = serialText(serialNumber)
    return (
      this.#serials.has(serial) ||
      (this.#serials.size > 0 &&
        this.#serials.has(`${serial} ${formatName(decodeName(issuer))}`)) ||
      (this.#subjects.size > 0 && this.#subjects.has(formatName(decodeName(subject))))
    )
  }
}

const invalid = (message: string): CountersignError =>
  new CountersignError('configuration-invalid', message)

/** Digits as they are written: with or without colons, in any case, an even number of them. */
const hexOf = (text: string): string => {
  if (!HEX.test(text)) throw invalid(`${JSON.stringify(text)} is not hexadecimal`)
  const digits = text.replaceAll(':', '').toLowerCase()
  return digits.length % 2 === 0 ? digits : `0${digits}`
}

const nameOf = (text: string): string => {
  const name = text.trim()
  let length = 0
  for (const [whole, type = '', value = ''] of name.matchAll(RELATIVE)) {
    if (attributeOid(type) === undefined) {
      throw invalid(
        `${JSON.stringify(name)} has no attribute ${JSON.stringify(type)}: write names as audit events have them, such as CN=alice,O=example`,
      )
    }
    if (value.startsWith(' ') || value.endsWith(' ')) throw invalid('a value has spaces around it')
    length += whole.length
  }
  if (length !== name.length || name.endsWith(',')) {
    throw invalid(`${JSON.stringify(name)} is not a name of RFC 4514`)
  }
  return name
}
