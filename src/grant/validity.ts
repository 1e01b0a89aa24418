// When a certificate begins and ends. Time is cut into slots, so that the requests of one identity
// ask for the same certificate, byte for byte: a new one is a new connection to the upstream. So is the end
// of a credential, since one account may have tokens of thousands of expiries.

import { createHash } from 'node:crypto'

/** A certificate's span of life; seconds since the epoch. */
export interface Validity {
  readonly notBefore: number
  readonly notAfter: number
  /** The end of the slot: from then on requests need another certificate. */
  readonly renewAt: number
}

/** The configured lengths, in milliseconds. */
export interface Lifetime {
  readonly lifetime: number
  readonly backdate: number
}

// A certificate that ends with its credential ends up to this part of a lifetime sooner.
const PARTS = 16
const LEAST_STEP = 10

/**
 * The slot that `now` is in. A slot is half a lifetime, so a certificate is in use for its first
 * half only, and a connection that was opened at the very end of it still has the other half.
 *
 * Where the credential ends before the certificate would, the certificate ends sooner than the credential,
 * never later: at most a 16th of the lifetime (10 s at least). The rest of the credential's time is served by
 * certificates that end at 16ths of that, and in the last seconds by one that ends with the credential. So
 * credentials of one identity need some 16 certificates at a time for each of these steps, whatever their
 * number.
 *
 * @param now milliseconds since the epoch
 * @param expires when the credential ends, in milliseconds since the epoch; infinite when it does not say
 * @param subject what the certificate is for: identities renew at times of their own, not all at once
 * @returns `undefined` when the credential ends within the second
 */
export const validityAt = (
  now: number,
  { lifetime, backdate }: Lifetime,
  expires: number,
  subject: Buffer,
): Validity | undefined => {
  const slot = Math.floor(lifetime / 2_000)
  const whole = Math.floor(lifetime / 1_000)
  const second = Math.floor(now / 1_000)
  const spread = spreadOf(subject)
  const offset = spread % slot
  const start = Math.floor((second + offset) / slot) * slot - offset
  const end = Math.floor(expires / 1_000)
  if (end <= second) return undefined
  const notAfter = end < start + whole ? roundedEnd(end, second, whole, spread) : start + whole
  return {
    notBefore: start - Math.floor(backdate / 1_000),
    notAfter,
    renewAt: Math.min(start + slot, notAfter),
  }
}

/** The last point of the coarsest grid that lies after now and not after the end; or the end. */
const roundedEnd = (end: number, now: number, lifetime: number, spread: number): number => {
  let step = lifetime
  do {
    step = Math.max(LEAST_STEP, Math.floor(step / PARTS))
    const rounded = Math.floor((end + spread) / step) * step - spread
    if (rounded > now) return rounded
  } while (step > LEAST_STEP)
  return end
}

const spreadOf = (subject: Buffer): number =>
  createHash('sha256').update(subject).digest().readUInt32BE()
