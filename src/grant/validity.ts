// When a certificate begins and ends. Time is cut into slots, so that the requests of one identity
// ask for the same certificate, byte for byte: a new one is a new connection to the upstream.

import { createHash } from 'node:crypto'

/** A certificate's span of life; seconds since the epoch. */
export interface Validity {
  readonly notBefore: number
  readonly notAfter: number
  /** The end of the slot: from then on another certificate is asked for. */
  readonly renewAt: number
}

/** The configured lengths, in milliseconds. */
export interface Lifetime {
  readonly lifetime: number
  readonly backdate: number
}

/**
 * The slot that `now` is in. A slot is half a lifetime, so a certificate is in use for its first
 * half only, and a connection that was opened at the very end of it still has the other half.
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
  const second = Math.floor(now / 1_000)
  const offset = offsetOf(subject) % slot
  const start = Math.floor((second + offset) / slot) * slot - offset
  const end = Math.floor(expires / 1_000)
  if (end <= second) return undefined
  return {
    notBefore: start - Math.floor(backdate / 1_000),
    notAfter: Math.min(start + Math.floor(lifetime / 1_000), end),
    renewAt: Math.min(start + slot, end),
  }
}

const offsetOf = (subject: Buffer): number =>
  createHash('sha256').update(subject).digest().readUInt32BE()
