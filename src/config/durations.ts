// Durations of the configuration within bounds that several sections share.

import { durationSchema } from './values.ts'

/** A duration that is not zero. */
export const positiveDuration = (fallback: string) =>
  durationSchema
    .prefault(fallback)
    .refine((milliseconds) => milliseconds > 0, 'must be longer than nothing')

/** How long a login or a session may last: a minute or longer. */
export const loginPeriod = (fallback: string) =>
  durationSchema
    .prefault(fallback)
    .refine((milliseconds) => milliseconds >= 60_000, 'must be 1m or longer')

/** A duration from a second to a day. */
export const upToADay = (fallback: string) =>
  durationSchema
    .prefault(fallback)
    .refine(
      (milliseconds) => milliseconds >= 1_000 && milliseconds <= 86_400_000,
      'must be 1s to 24h',
    )
