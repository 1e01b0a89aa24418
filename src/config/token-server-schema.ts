// What the authenticators have in common that ask a server about each token.

import { z } from 'zod'
import { durationSchema } from './values.ts'

const count = (fallback: number) => z.int().min(1).default(fallback)

/** How much a server is asked, and what is remembered of its answers: keys of both sections. */
export const tokenServerKeys = {
  remember: durationSchema
    .prefault('30s')
    .describe(
      'How long an answer is remembered at most; never past the token’s end. So late a revocation may be noticed. `0s`: not.',
    ),
  timeout: durationSchema.prefault('5s').describe('For one answer.'),
  failures: count(5).describe('So many failures in a row, and the server is left alone.'),
  coolDown: durationSchema.prefault('5s').describe('For so long; then one request tries it.'),
  concurrency: count(256).describe(
    'How many tokens it is asked about at a time; more fail at once.',
  ),
} as const
