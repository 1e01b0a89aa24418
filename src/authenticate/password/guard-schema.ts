// `guard` of `basic`: what failed attempts cost.

import { z } from 'zod'
import { durationSchema } from '../../config/values.ts'

// NIST SP 800-63B §5.2.2: at most so many consecutive failures on one account.
const MOST_FOR_USER = 100
const MOST_FOR_SOURCE = 10_000

interface PaceDefaults {
  readonly attempts: number
  readonly lockAfter: number
  readonly lockFor: string
  readonly forget: string
  readonly most: number
}

const positive = (fallback: string) =>
  durationSchema
    .prefault(fallback)
    .refine((milliseconds) => milliseconds > 0, 'must be longer than nothing')

const pace = ({ attempts, lockAfter, lockFor, forget, most }: PaceDefaults) =>
  z
    .strictObject({
      attempts: z.int().min(1).max(most).default(attempts).describe('So many may fail in a row.'),
      backOff: positive('1s').describe('To wait after that many, doubled with each one more.'),
      lockAfter: z
        .int()
        .min(1)
        .max(most)
        .default(lockAfter)
        .describe('The lock-out begins after so many.'),
      lockFor: positive(lockFor).describe('How long it lasts; no wait is longer.'),
      forget: positive(forget).describe('Of what is counted, one is forgotten in such a time.'),
    })
    .refine(
      (given) => given.attempts <= given.lockAfter,
      'must have "attempts" no larger than "lockAfter"',
    )
    .prefault({})

const rules = z.strictObject({
  userAndSource: pace({
    attempts: 5,
    lockAfter: 10,
    lockFor: '15m',
    forget: '15m',
    most: MOST_FOR_USER,
  }).describe('Failures of one user from one address. A success ends them.'),
  user: pace({
    attempts: 20,
    lockAfter: 30,
    lockFor: '1h',
    forget: '1h',
    most: MOST_FOR_USER,
  }).describe(
    'Failures of one user from anywhere. Only unfamiliar addresses wait for it. A success ends the failures from its own address.',
  ),
  source: pace({
    attempts: 30,
    lockAfter: 36,
    lockFor: '15m',
    forget: '2m',
    most: MOST_FOR_SOURCE,
  }).describe(
    'Failures from one address, of all users. No success ends them; users to whom it is familiar do not wait for them.',
  ),
  familiar: durationSchema
    .prefault('30d')
    .describe(
      'How long an address is familiar after the user was proven from there. Then nobody elsewhere can make the user wait. `0s`: none is.',
    ),
  repeats: z
    .strictObject({
      answer: durationSchema
        .prefault('30s')
        .describe(
          'A password that was refused is refused again for so long, and nobody is asked: so long a password that was just set may not work, if it was tried before.',
        ),
      once: durationSchema.prefault('1h').describe('It counts only once in such a time.'),
    })
    .refine(({ answer, once }) => answer <= once, 'must have "answer" no longer than "once"')
    .prefault({})
    .describe('The same wrong password again, from a client that was set up wrong.'),
  ipv6Prefix: z
    .int()
    .min(32)
    .max(128)
    .default(64)
    .describe('So many bits of an IPv6 address are one address for all of this.'),
})

/** The `guard` section. */
export const guardSchema = z
  .union([z.literal(false), rules])
  .prefault({})
  .describe(
    'Failed attempts are counted, and whoever fails too often is answered 429 with `Retry-After`, whatever the password. Callers are told apart by the address that Envoy trusts: behind a load balancer set `envoy.listener.trustedHops`, or one caller locks out all. `false` turns it off.',
  )
