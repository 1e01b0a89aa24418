// The keyring that authz and the signer share: the keys that seal grants. The first seals and all
// open, so that a new key can be known everywhere before it is used.

import { createHmac, createSecretKey, randomBytes, type KeyObject } from 'node:crypto'
import { CountersignError } from '../runtime/errors.ts'

/** One key of the keyring. A `KeyObject` never prints its bytes. */
export interface GrantKey {
  /** 4 bytes that distinguish the keys of one ring; derived from the key. */
  readonly id: Buffer
  /** 32 bytes, for AES-256-GCM-SIV. */
  readonly secret: KeyObject
  /** When it was made, in milliseconds since the epoch, where the line before it says so. */
  readonly created?: number
}

/** AES-256. */
export const GRANT_KEY_BYTES = 32
const ID_BYTES = 4

const LINE = /^[A-Za-z0-9_-]{43}$/

/** A new key as a line of a keyring file. */
export const newGrantKeyLine = (): string => randomBytes(GRANT_KEY_BYTES).toString('base64url')

const CREATED = /^# created (\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z)$/

/** Whether a line of a keyring says when the key on the next line was made. */
export const isCreationLine = (line: string): boolean => CREATED.test(line.trim())

/**
 * A new key as the two lines of a keyring file: when it was made, as a comment, and the key.
 *
 * @param now milliseconds since the epoch
 */
export const newGrantKeyLines = (now: number): readonly [created: string, key: string] => [
  `# created ${new Date(now).toISOString()}`,
  newGrantKeyLine(),
]

/**
 * Reads a keyring: a key per line, base64url without padding; empty lines and lines that begin with
 * `#` are skipped.
 *
 * @param source where the text came from, for messages
 * @throws CountersignError `grant-keys-invalid`; the message never quotes a line
 */
export const parseGrantKeys = (source: string, text: string): readonly GrantKey[] => {
  const keys = text.split(/\r?\n/).flatMap((line, index, lines): GrantKey[] => {
    const content = line.trim()
    if (content === '' || content.startsWith('#')) return []
    if (!LINE.test(content)) {
      throw invalid(`${source}:${index + 1} is not a key: 43 characters of base64url (32 bytes)`)
    }
    const created = createdIn(lines[index - 1])
    const key = keyFrom(Buffer.from(content, 'base64url'))
    return [created === undefined ? key : { ...key, created }]
  })
  if (keys.length === 0) {
    throw invalid(`${source} holds no key; \`countersign keys grant\` makes one`)
  }
  const ids = new Set(keys.map(({ id }) => id.toString('hex')))
  if (ids.size !== keys.length) throw invalid(`${source} holds a key twice`)
  return keys
}

const createdIn = (line = ''): number | undefined => {
  const time = Date.parse(CREATED.exec(line.trim())?.[1] ?? '')
  return Number.isNaN(time) ? undefined : time
}

const keyFrom = (bytes: Buffer): GrantKey => ({
  id: createHmac('sha256', bytes).update('countersign grant key id').digest().subarray(0, ID_BYTES),
  secret: createSecretKey(bytes),
})

const invalid = (message: string) => new CountersignError('grant-keys-invalid', message)
