// The password verifiers of an authenticator: a users file, an LDAP directory, RADIUS servers;
// and how long a login may take with them. Envoy and the issuer wait as long.

import * as z from 'zod'
import { guardSchema } from './guard-schema.ts'
import { durationSchema, pathSchema, realmSchema } from '../../config/values.ts'
import { ldapSchema } from './ldap/schema.ts'
import { radiusSchema } from './radius/schema.ts'

/** One entry of `basic.verify`. */
const verifier = z
  .strictObject({
    users: z
      .strictObject({
        file: pathSchema.describe(
          'A users file: YAML with groups, uid and extra fields, or htpasswd (any name that does not end in .yaml, .yml or .json). bcrypt and argon2id hashes only.',
        ),
      })
      .optional()
      .describe('A local users file.'),
    ldap: ldapSchema.optional(),
    radius: radiusSchema.optional(),
  })
  .refine(
    (entry) => Object.values(entry).filter((way) => way !== undefined).length === 1,
    'must have exactly one of "users", "ldap" and "radius"',
  )
  .describe('One password verifier.')

/** The `basic` section. */
export const basicSchema = z
  .strictObject({
    realm: realmSchema,
    verify: z
      .array(verifier)
      .min(1)
      .describe(
        'Password verifiers, called in order: the next one where a verifier does not know the user.',
      ),
    cacheTtl: durationSchema
      .prefault('60s')
      .describe(
        'How long a verified password is cached (as a keyed hash, in memory), so that the next request does not compute the password hash again. `0s`: no caching.',
      ),
    bruteForceProtection: guardSchema,
  })
  .describe('HTTP Basic authentication (RFC 7617).')

/** The parsed `basic`. */
export type BasicConfig = z.output<typeof basicSchema>
/** One parsed entry of `basic.verify`. */
export type VerifierConfig = z.output<typeof verifier>

/**
 * The deadline of one verification of a password, in milliseconds. Longer than Envoy waits for authz by default, so
 * that a slow verification still serves the retry.
 */
export const VERIFICATION_DEADLINE = 10_000

/** The remaining work of a login: authenticators that are called before, records, the audit event. */
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
