// The `radius` section of a password verifier: the servers, and which attributes of a reply become the identity.

import * as z from 'zod'
import { radiusKeys } from '../../../clients/radius/schema.ts'
import type { Resolved } from '../../../config/references.ts'

const attributeSource = z
  .strictObject({
    attribute: z
      .union([
        z.enum(['Class', 'Filter-Id', 'User-Name', 'Reply-Message']),
        z.int().min(1).max(255),
        z.strictObject({
          vendor: z.int().min(1).describe('Enterprise number, such as 9 for Cisco.'),
          type: z.int().min(1).max(255).describe('The vendor’s own number of the attribute.'),
        }),
      ])
      .describe('An attribute by name or number, or a vendor’s.'),
    pattern: z
      .string()
      .transform((source, context) => {
        try {
          return new RegExp(source, 'gu')
        } catch {
          context.addIssue({ code: 'custom', message: 'must be a regular expression' })
          return z.NEVER
        }
      })
      .optional()
      .describe(
        'The values to use, as a regular expression; the group name is its first capture group, or the whole match.',
      ),
    prefix: z.string().optional().describe('Put in front of each value.'),
  })
  .describe('Where values come from.')

/** The `radius` section. */
export const radiusSchema = z
  .strictObject({
    ...radiusKeys,
    user: z
      .enum(['as-typed', 'lower-case', 'from-reply'])
      .default('as-typed')
      .describe('The user’s name: as typed, in lower case, or `User-Name` of the reply.'),
    groups: z.array(attributeSource).default([]).describe('Reply attributes that are groups.'),
    onReject: z
      .enum(['wrong-password', 'unknown-user'])
      .default('wrong-password')
      .describe(
        'How an Access-Reject is interpreted; with `unknown-user` the next verifier is called.',
      ),
  })
  .describe('RADIUS servers.')

/** The parsed `radius`. */
export type RadiusConfig = z.output<typeof radiusSchema>

/** The parsed `radius` with the contents of files and secrets: what the verifier takes. Times are milliseconds. */
export type RadiusSettings = Resolved<RadiusConfig>
/** Where values come from. */
export type AttributeSource = RadiusSettings['groups'][number]
