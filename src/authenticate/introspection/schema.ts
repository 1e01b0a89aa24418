// `introspection` of an authenticator: tokens that their issuer introspects (RFC 7662).

import * as z from 'zod'
import { claimsCondition } from '../../config/expressions.ts'
import { tokenClientSchema } from '../../clients/token-endpoint/client-schema.ts'
import { tokenServerKeys } from '../../clients/token-endpoint/server-schema.ts'
import { durationSchema, pathSchema, realmSchema } from '../../config/values.ts'

/** The `introspection` section. */
export const introspectionSchema = z
  .strictObject({
    realm: realmSchema,
    issuer: z
      .string()
      .min(1)
      .describe('The issuer of the tokens: compared with `iss` of an answer, where it has one.'),
    endpoint: z
      .string()
      .optional()
      .describe('The introspection endpoint. Default: OpenID Connect discovery at the issuer.'),
    ca: pathSchema
      .optional()
      .describe('PEM file: the CAs of the endpoint’s certificate. Default: Node’s own.'),
    client: tokenClientSchema.describe(
      'How Countersign authenticates at the endpoint (RFC 7662 §2.1).',
    ),
    tokens: z
      .enum(['opaque', 'any'])
      .default('opaque')
      .describe(
        '`opaque`: only tokens that are not signed JWTs; JWTs are left to the next authenticator. `any`: JWTs of the issuer too.',
      ),
    audiences: z
      .array(z.string().min(1))
      .min(1)
      .describe(
        '`aud` must contain at least one of them: an endpoint answers for tokens of every audience.',
      ),
    audienceMissing: z
      .enum(['refuse', 'accept'])
      .default('refuse')
      .describe(
        'What happens with an answer without `aud`. Use `accept` only where the endpoint answers no client except the one that a token is issued for.',
      ),
    subject: z
      .enum(['sub', 'username', 'client_id'])
      .default('sub')
      .describe(
        'The field that names the user. The user name is `<issuer>#<subject>` as for `bearer`, unless `identity` says otherwise.',
      ),
    skew: durationSchema
      .prefault('30s')
      .describe('The accepted clock skew between the issuer and this machine.'),
    require: claimsCondition
      .optional()
      .describe('A CEL condition about `claims`, the answer, that must be true.'),
    ...tokenServerKeys,
  })
  .describe(
    'Opaque bearer tokens, verified by token introspection at their issuer (RFC 7662). Put it after a `bearer` authenticator, which leaves them to it.',
  )

/** The parsed `introspection`. */
export type IntrospectionConfig = z.output<typeof introspectionSchema>
