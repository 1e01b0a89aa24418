// Keys that the authenticators have in common that call a server for each token.

import * as z from 'zod'
import { durationSchema } from '../../config/values.ts'

const count = (fallback: number) => z.int().min(1).default(fallback)

/** Limits on requests to a server, and the cache of its answers: keys of both sections. */
export const tokenServerKeys = {
  cacheTtl: durationSchema
    .prefault('30s')
    .describe(
      'How long an answer is cached at most; never beyond the token’s expiry. A revocation takes effect after at most this time. `0s`: no caching.',
    ),
  timeout: durationSchema.prefault('5s').describe('For one answer.'),
  failureThreshold: count(5).describe(
    'The circuit breaker opens after this many failures of the server: no connection, or different tokens without an answer.',
  ),
  coolDown: durationSchema
    .prefault('5s')
    .describe(
      'How long the circuit stays open before a few requests try the server again. A token without an answer is not sent again for the same time.',
    ),
  concurrency: count(256).describe(
    'Requests at a time; further ones wait. A quarter is reserved for tokens that were valid before.',
  ),
  perCaller: z
    .strictObject({
      concurrency: count(20).describe('Requests in progress or waiting.'),
      perSecond: count(50).describe('Requests a second, and as many at once.'),
    })
    .prefault({})
    .describe(
      'The budget of one caller; beyond it, 429 `rate-limited`. A caller is a source address (an IPv6 /64) while its tokens are not known to be valid; for `apiServer` and token exchange, the user. Raise it where many users share an address, as behind a proxy.',
    ),
} as const
