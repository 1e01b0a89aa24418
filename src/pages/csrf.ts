// Tokens against forged forms (CSRF): a keyed hash of what the page belongs to. Nothing is stored, and no cookie is compared
// with a field, since a neighbouring host can plant a cookie.

import { createHmac, timingSafeEqual } from 'node:crypto'

/** What a form belongs to, and ends with. */
export interface FormOwner {
  /** A pending login, or a session. A token of one is invalid for the other. */
  readonly kind: 'interaction' | 'session'
  /** Its id, which is secret. */
  readonly id: string
}

const SHORTEST_KEY = 32

/** SHA-256, base64url. */
const TOKEN = /^[A-Za-z0-9_-]{43}$/

const mac = (key: Uint8Array, { kind, id }: FormOwner): Buffer => {
  if (key.byteLength < SHORTEST_KEY) throw new TypeError(`a key of ${key.byteLength} bytes`)
  if (id === '') throw new TypeError('a form that belongs to nothing')
  return createHmac('sha256', key).update(`countersign form\0${kind}\0${id}`).digest()
}

/**
 * The token for the forms of one owner.
 *
 * @param key at least 32 bytes, the same in every replica
 * @throws TypeError for a shorter key, and for an owner without an id: bugs
 */
export const csrfToken = (key: Uint8Array, owner: FormOwner): string =>
  mac(key, owner).toString('base64url')

/** Whether that is the owner's token, in the same time whatever it is. Throws as {@link csrfToken} does. */
export const isCsrfToken = (key: Uint8Array, owner: FormOwner, token: unknown): boolean => {
  const wanted = mac(key, owner)
  if (typeof token !== 'string' || !TOKEN.test(token)) return false
  return timingSafeEqual(wanted, Buffer.from(token, 'base64url'))
}
