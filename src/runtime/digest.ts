// Digests of settings: names of generations and of shared resources.

import { createHash } from 'node:crypto'

/**
 * A short text that differs where the value does: SHA-256 of its JSON, base64url. What JSON leaves out
 * (functions, `undefined` members) makes no difference.
 */
export const digestOf = (value: unknown): string =>
  createHash('sha256').update(JSON.stringify(value)).digest('base64url')
