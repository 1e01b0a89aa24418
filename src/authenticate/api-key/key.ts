// The form of an API key: `csk_` + id + `_` + secret + checksum. The prefix lets scanners find leaked
// keys, the checksum lets them (and us) tell one from a look-alike without asking anybody.
//
// Scanners may look for `csk_[a-z0-9-]{1,63}_[0-9A-Za-z]{49}`.

import { hash, randomInt } from 'node:crypto'
import { crc32 } from 'node:zlib'

/** A key taken apart. */
export interface ApiKey {
  /** Its public part: names the key in files, logs and audit. */
  readonly id: string
  /** SHA-256 of the whole key. */
  readonly digest: Buffer
}

const PREFIX = 'csk_'
// Letters and digits only: nothing in a key has to be escaped anywhere.
const ALPHABET = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'
// 62^43 > 2^256: no key is guessed. 62^6 > 2^32: room for a CRC-32.
const SECRET_LENGTH = 43
const CHECKSUM_LENGTH = 6
// Of letters alone: YAML takes some ids of digits for numbers.
const LETTERS = 'abcdefghijklmnopqrstuvwxyz'
const ID_LENGTH = 10

/** What an id has to look like. */
export const ID = /^[a-z0-9][a-z0-9-]{0,62}$/
const KEY = /^csk_([a-z0-9][a-z0-9-]{0,62})_[0-9A-Za-z]{49}$/
const HASH = /^sha256:[0-9a-f]{64}$/

/** Reads a key; `undefined` where the text is none, be it for a slip of the pen. */
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

/** An id for a key that nobody named. */
export const newKeyId = (): string => randomText(LETTERS, ID_LENGTH)

/**
 * How a key is kept: `sha256:` and its digest in hexadecimal. A fast hash is enough for a key of 256
 * random bits, since there is nothing to guess: a password has so few that only a hash which costs
 * memory and time keeps a thief of the file from trying them all. Nor does it need a salt, since no
 * two keys are alike.
 */
export const hashOf = (key: string): string => `sha256:${digestOf(key).toString('hex')}`

/** The digest in a stored hash; `undefined` where it is none. */
export const readKeyHash = (text: string): Buffer | undefined =>
  HASH.test(text) ? Buffer.from(text.slice('sha256:'.length), 'hex') : undefined

const digestOf = (key: string): Buffer => hash('sha256', key, 'buffer')

const randomText = (alphabet: string, length: number): string =>
  Array.from({ length }, () => alphabet.charAt(randomInt(alphabet.length))).join('')

const checksumOf = (body: string): string => {
  let rest = crc32(body)
  let digits = ''
  for (let place = 0; place < CHECKSUM_LENGTH; place++) {
    digits = ALPHABET.charAt(rest % ALPHABET.length) + digits
    rest = Math.floor(rest / ALPHABET.length)
  }
  return digits
}
