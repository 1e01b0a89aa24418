// `bruteForceProtection` of `basic`: what failed attempts cost.

import * as z from 'zod'
import { positiveDuration } from '../../config/durations.ts'
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

const pace = ({ attempts, lockAfter, lockFor, forget, most }: PaceDefaults) =>
  z
    .strictObject({
      attempts: z
        .int()
        .min(1)
        .max(most)
        .default(attempts)
        .describe('Failures in a row before waits begin.'),
      backOff: positiveDuration('1s').describe(
        'The wait after that many failures, doubled with each further one.',
      ),
      lockAfter: z
        .int()
        .min(1)
        .max(most)
        .default(lockAfter)
        .describe('The number of failures at which the lock-out begins.'),
      lockFor: positiveDuration(lockFor).describe(
        'The duration of the lock-out, and the longest wait.',
      ),
      decay: positiveDuration(forget).describe('The count decreases by one in each such interval.'),
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
  }).describe('Failures of one user from one address. A success resets them.'),
  user: pace({
    attempts: 20,
    lockAfter: 30,
    lockFor: '1h',
    forget: '1h',
    most: MOST_FOR_USER,
  }).describe(
    'Failures of one user from all addresses. Only unfamiliar addresses wait for it. A success resets the failures from its own address.',
  ),
  source: pace({
    attempts: 30,
    lockAfter: 36,
    lockFor: '15m',
    forget: '2m',
    most: MOST_FOR_SOURCE,
  }).describe(
    'Failures from one address, of all users. A success does not reset them; users who are familiar there do not wait for them.',
  ),
  familiar: durationSchema
    .prefault('30d')
    .describe(
      'How long an address is familiar after a successful login of the user from it. Failures from elsewhere do not lock the user out there. `0s`: no address is familiar.',
    ),
  repeats: z
    .strictObject({
      cacheTtl: durationSchema
        .prefault('30s')
        .describe(
          'How long the refusal of a password is cached. A password that was tried before it was set may not work for this time.',
        ),
      countInterval: durationSchema
        .prefault('1h')
        .describe('The same wrong password counts as one failure within this time.'),
    })
    .refine(
      ({ cacheTtl, countInterval }) => cacheTtl <= countInterval,
      'must have "cacheTtl" no longer than "countInterval"',
    )
    .prefault({})
    .describe('Repeats of the same wrong password, as from a misconfigured client.'),
  ipv6Prefix: z
    .int()
    .min(32)
    .max(128)
    .default(64)
    .describe('The prefix length by which IPv6 addresses count as one.'),
})

/** The `bruteForceProtection` section. */
export const guardSchema = z
  .union([z.literal(false), rules])
  .prefault({})
  .describe(
    'Brute-force protection: failed attempts are counted, and after too many the answer is 429 with `Retry-After`, whatever the password. Callers are distinguished by the address that Envoy trusts: behind a load balancer set `envoy.listener.trustedHops`, or one caller locks out all. `false` turns it off.',
  )
