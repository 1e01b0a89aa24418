// What the authenticators have in common that ask a server about each token.

import { z } from 'zod'
import { durationSchema } from '../../config/values.ts'

const count = (fallback: number) => z.int().min(1).default(fallback)

/** How much a server is asked, and what is remembered of its answers: keys of both sections. */
export const tokenServerKeys = {
  remember: durationSchema
    .prefault('30s')
    .describe(
      'How long an answer is remembered at most; never past the token’s end. So late a revocation may be noticed. `0s`: not.',
    ),
  timeout: durationSchema.prefault('5s').describe('For one answer.'),
  failures: count(5).describe(
    'The server is left alone after so many failures that say something of it: no connection, or different tokens without an answer.',
  ),
  coolDown: durationSchema
    .prefault('5s')
    .describe(
      'For so long; then a few requests try it. A token without an answer is not asked about again for as long.',
    ),
  concurrency: count(256).describe(
    'Questions at a time; others wait. A quarter is kept for tokens that were good before.',
  ),
  perCaller: z
    .strictObject({
      concurrency: count(20).describe('Questions that are open or wait.'),
      perSecond: count(50).describe('Questions a second, and as many at once.'),
    })
    .prefault({})
    .describe(
      'What one caller may ask; beyond that, 429 `rate-limited`. A caller is a source address (an IPv6 /64) while it shows tokens that are not known to be good; for `apiServer` and token exchange, the user. Raise it where many users share an address, as behind a proxy.',
    ),
} as const
