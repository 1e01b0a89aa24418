// The secret that hashes and seals stored data: a keyring, of which the first key seals and all open, so that a new
// key can be distributed everywhere before it is used. It seals nothing itself.

import { createSecretKey, hkdfSync, randomBytes, type KeyObject } from 'node:crypto'
import { CountersignError } from '../runtime/errors.ts'

/** One key of the ring. A `KeyObject` never prints its bytes. */
export interface StateKey {
  /** Identifies a key of the ring; derived from the key, so it need not be assigned. */
  readonly id: string
  readonly secret: KeyObject
}

/** A keyring with at least one key. */
export type StateSecret = readonly [StateKey, ...StateKey[]]

/** AES-256, and SHA-256. */
const LEAST_BYTES = 32
const ID_BYTES = 4

// At least 32 bytes: 43 characters.
const LINE = /^[A-Za-z0-9_-]{43,}$/

/** A new key as a line of a keyring file. */
export const newStateKeyLine = (): string => randomBytes(LEAST_BYTES).toString('base64url')

/**
 * Reads a keyring: a key per line, base64url without padding; empty lines and lines that begin with `#` are ignored.
 *
 * @param source where the text came from, for messages
 * @throws CountersignError `configuration-invalid`; the message never quotes a line
 */
export const parseStateSecret = (source: string, text: string): StateSecret => {
  const keys = text.split(/\r?\n/).flatMap((line, index): StateKey[] => {
    const content = line.trim()
    if (content === '' || content.startsWith('#')) return []
    if (LINE.test(content)) return [keyFrom(Buffer.from(content, 'base64url'))]
    throw invalid(
      `${source}:${index + 1} is not a key: 43 characters of base64url or more (32 bytes)`,
    )
  })
  const [first, ...others] = keys
  if (first === undefined) {
    throw invalid(`${source} holds no key; \`countersign keys grant\` makes one`)
  }
  if (new Set(keys.map(({ id }) => id)).size !== keys.length) {
    throw invalid(`${source} holds a key twice`)
  }
  return [first, ...others]
}

/**
 * A key for one purpose, derived from a secret (HKDF with SHA-256, RFC 5869), which reveals no key for another
 * purpose.
 */
export const deriveKey = (secret: KeyObject, purpose: string): KeyObject =>
  createSecretKey(derive(secret, purpose, LEAST_BYTES))

const derive = (secret: KeyObject, purpose: string, bytes: number): Buffer =>
  Buffer.from(hkdfSync('sha256', secret, '', `countersign state: ${purpose}`, bytes))

const keyFrom = (bytes: Buffer): StateKey => {
  const secret = createSecretKey(bytes)
  return { id: derive(secret, 'id', ID_BYTES).toString('hex'), secret }
}

const invalid = (message: string) => new CountersignError('configuration-invalid', message)
