// How long a login may take until it is answered: as long as the slowest password verifier, which may ask the
// user for a second factor on a telephone. Envoy and the issuer wait for as long.

import type { BasicConfig } from './schema.ts'

/**
 * For one verification of a password, in milliseconds. Longer than Envoy waits for authz by default, so that a
 * slow proof still serves the retry.
 */
export const VERIFICATION_DEADLINE = 10_000

/** For what else a login does: other authenticators that are asked first, records, the audit event. */
const ROOM = 4_000

/**
 * How long the password verifiers of an authenticator may take at the login page, in milliseconds. A RADIUS
 * server can wait for the user, so its `timeout` counts.
 */
export const passwordWait = ({ verify }: Pick<BasicConfig, 'verify'>): number =>
  Math.max(
    VERIFICATION_DEADLINE,
    verify.reduce((sum, { radius }) => sum + (radius?.timeout ?? 0), 0),
  )

/** The sections of the configuration that decide how long a login may take. */
interface LoginWaitConfig {
  readonly issuer?:
    | { readonly login?: { readonly authenticators: readonly string[] } | undefined }
    | undefined
  readonly authenticators: Readonly<Record<string, { readonly basic?: BasicConfig | undefined }>>
}

/** How long one step of a login may take, in milliseconds; at least 14 s. */
export const loginWait = ({ issuer, authenticators }: LoginWaitConfig): number => {
  const waits = (issuer?.login?.authenticators ?? []).map((name) => {
    const basic = authenticators[name]?.basic
    return basic === undefined ? VERIFICATION_DEADLINE : passwordWait(basic)
  })
  return Math.max(VERIFICATION_DEADLINE, ...waits) + ROOM
}
