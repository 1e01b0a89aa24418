// The password verifiers of an authenticator: a users file, an LDAP directory, RADIUS servers.

import { z } from 'zod'
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
