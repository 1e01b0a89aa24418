// The id of a login, which the session, its grants and its audit events carry.

import { randomBytes } from 'node:crypto'

// 128 bits, base64url.
const BYTES = 16

/** An id for a login. It grants no access. */
export const newLoginId = (): string => randomBytes(BYTES).toString('base64url')

/** The login of a stored session or grant; `undefined` without one. */
export const loginOf = (stored: object | undefined): string | undefined => {
  const login: unknown = stored !== undefined && 'login' in stored ? stored.login : undefined
  return typeof login === 'string' ? login : undefined
}
