// The form of an API key: `csk_` + id + `_` + secret + checksum. Secret scanners find leaked keys by the prefix, and
// distinguish them from similar text by the checksum, without a request.
//
// The pattern for scanners: `csk_[a-z0-9-]{1,63}_[0-9A-Za-z]{49}`.

import { hash, randomInt } from 'node:crypto'
import { nodeZlib } from '../../runtime/lazy-modules.ts'

/** A parsed key. */
export interface ApiKey {
  /** Its public part: identifies the key in files, logs and audit. */
  readonly id: string
  /** SHA-256 of the whole key. */
  readonly digest: Buffer
}

const PREFIX = 'csk_'
// Letters and digits only, which need no escaping anywhere.
const ALPHABET = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'
// 62^43 > 2^256, so that no key can be guessed. 62^6 > 2^32, the size of a CRC-32.
const SECRET_LENGTH = 43
const CHECKSUM_LENGTH = 6
// Letters only: YAML parses some ids of digits as numbers.
const LETTERS = 'abcdefghijklmnopqrstuvwxyz'
const ID_LENGTH = 10

/** The form of an id. */
export const ID = /^[a-z0-9][a-z0-9-]{0,62}$/
const KEY = /^csk_([a-z0-9][a-z0-9-]{0,62})_[0-9A-Za-z]{49}$/
const HASH = /^sha256:[0-9a-f]{64}$/

/** Reads a key; `undefined` where the text is not a key, or has a typing error. */
export const readApiKey = (text: string): ApiKey | undefined => {
  const id = KEY.exec(text)?.[1]
  if (id === undefined || !text.endsWith(checksumOf(text.slice(0, -CHECKSUM_LENGTH)))) {
    return undefined
  }
  return { id, digest: digestOf(text) }
}

/** A new key, from the system's random numbers. */
export const newApiKey = (id: string): string => {
  const body = `${PREFIX}${id}_${randomText(ALPHABET, SECRET_LENGTH)}`
  return body + checksumOf(body)
}

/** An id for a key without a configured one. */
export const newKeyId = (): string => randomText(LETTERS, ID_LENGTH)

/**
 * The stored form of a key: `sha256:` and its digest in hexadecimal. A fast hash is enough for 256 random bits, which
 * cannot be guessed; a password has so few that its hash must cost memory and time. Nor is a salt needed, since all
 * keys differ.
 */
export const hashOf = (key: string): string => `sha256:${digestOf(key).toString('hex')}`

/** The digest in a stored hash; `undefined` where the text is not one. */
export const readKeyHash = (text: string): Buffer | undefined =>
  HASH.test(text) ? Buffer.from(text.slice('sha256:'.length), 'hex') : undefined

const digestOf = (key: string): Buffer => hash('sha256', key, 'buffer')

const randomText = (alphabet: string, length: number): string =>
  Array.from({ length }, () => alphabet.charAt(randomInt(alphabet.length))).join('')

const checksumOf = (body: string): string => {
  let rest = nodeZlib().crc32(body)
  let digits = ''
  for (let place = 0; place < CHECKSUM_LENGTH; place++) {
    digits = ALPHABET.charAt(rest % ALPHABET.length) + digits
    rest = Math.floor(rest / ALPHABET.length)
  }
  return digits
}
