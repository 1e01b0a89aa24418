// A token in the header for the upstream.

import type { Transformation } from '../transformer.ts'
import type { HeldToken } from './token-cache.ts'

/** `Authorization: Bearer …` (RFC 6750 §2.1). */
export const bearerHeader = ({ token, id }: Pick<HeldToken, 'token' | 'id'>): Transformation => ({
  outcome: 'transformed',
  forwarding: {
    setHeaders: [['authorization', `Bearer ${token}`]],
    repeatedHeaders: [],
    ...(id === undefined ? {} : { tokenIds: [id] }),
  },
})
