// `introspection` of an authenticator: tokens that their issuer is asked about.

import { z } from 'zod'
import { compileCondition } from '../../expression/cel.ts'
import { tokenClientSchema } from '../../clients/token-endpoint/client-schema.ts'
import { tokenServerKeys } from '../../clients/token-endpoint/server-schema.ts'
import { durationSchema, pathSchema, realmSchema } from '../../config/values.ts'

/** A CEL condition about the answer. */
const answerCondition = z.string().transform((source, context) => {
  const compilation = compileCondition(source, 'claims')
  if (compilation.ok) return compilation.expression
  context.addIssue({ code: 'custom', message: compilation.message })
  return z.NEVER
})

/** The `introspection` section. */
export const introspectionSchema = z
  .strictObject({
    realm: realmSchema,
    issuer: z
      .string()
      .min(1)
      .describe('Whose tokens they are: `iss`, where an answer has one, character by character.'),
    endpoint: z
      .string()
      .optional()
      .describe('The introspection endpoint. Default: OpenID Connect discovery at the issuer.'),
    ca: pathSchema
      .optional()
      .describe('PEM file: the CAs of the endpoint’s certificate. Default: Node’s own.'),
    client: tokenClientSchema.describe('How we prove who we are to the endpoint (RFC 7662 §2.1).'),
    tokens: z
      .enum(['opaque', 'any'])
      .default('opaque')
      .describe(
        '`opaque`: tokens that are no signed JWTs; those are passed on. `any`: JWTs of the issuer too.',
      ),
    audiences: z
      .array(z.string().min(1))
      .min(1)
      .describe('At least one of them has to stand in `aud`: an endpoint answers for all.'),
    audienceMissing: z
      .enum(['refuse', 'accept'])
      .default('refuse')
      .describe(
        'An answer without `aud`. `accept` only where the endpoint answers no client but the one that a token is for.',
      ),
    subject: z
      .enum(['sub', 'username', 'client_id'])
      .default('sub')
      .describe(
        'What names the user, who is called `<issuer>#<subject>` as for `bearer`, unless `identity` says otherwise.',
      ),
    skew: durationSchema
      .prefault('30s')
      .describe('How far the issuer’s clock and ours may be apart.'),
    require: answerCondition
      .optional()
      .describe('CEL about `claims`, the answer, that has to be true.'),
    ...tokenServerKeys,
  })
  .describe(
    'Bearer tokens that only their issuer can judge, which is asked about each (RFC 7662). After a `bearer` authenticator, which passes them on.',
  )

/** The parsed `introspection`. */
export type IntrospectionConfig = z.output<typeof introspectionSchema>
