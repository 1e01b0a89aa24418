// `apiKey` of an authenticator, and the shape of the file with its keys.

import * as z from 'zod'
import { accountKeys } from '../../identity/schema.ts'
import { pathSchema, realmSchema } from '../../config/values.ts'

const header = z
  .string()
  .regex(
    /^[A-Za-z][A-Za-z0-9-]{0,62}$/,
    'must be the name of a header: letters, digits and "-" (upstreams confuse "_" with "-")',
  )
  .transform((name) => name.toLowerCase())

const location = z
  .strictObject({
    header: header.optional().describe('A header, such as `x-api-key`.'),
    scheme: z
      .string()
      .regex(/^[A-Za-z][A-Za-z0-9-]{0,31}$/, 'must be a word such as "ApiKey" or "Token"')
      .refine(
        (scheme) => !['basic', 'bearer', 'negotiate', 'digest'].includes(scheme.toLowerCase()),
        'is the scheme of another kind of credential',
      )
      .optional()
      .describe('The authentication scheme before the key in `Authorization` (RFC 9110 §11.4).'),
    query: z
      .string()
      .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/, 'must be letters, digits, ".", "_" or "-"')
      .optional()
      .describe(
        'A query parameter. Less safe than a header: URLs are kept in browser histories and in the access logs of proxies in front of Envoy.',
      ),
  })
  .refine(
    (value) => (value.header === undefined) !== (value.query === undefined),
    'must have exactly one of "header", "query"',
  )
  .refine(
    (value) => (value.header === 'authorization') === (value.scheme !== undefined),
    'must have "scheme" if the header is "authorization", and only then',
  )

/** The `apiKey` section. */
export const apiKeySchema = z
  .strictObject({
    realm: realmSchema,
    file: pathSchema.describe(
      'YAML file with the keys; `countersign keys api` makes them. Changes take effect at once.',
    ),
    locations: z
      .array(location)
      .min(1)
      .refine(
        (locations) =>
          new Set(locations.map((one) => one.header ?? `?${one.query}`)).size === locations.length,
        'must not name a place twice',
      )
      .default([{ header: 'x-api-key' }])
      .describe('Where a key is read from. The key is removed before the request is forwarded.'),
  })
  .describe('API keys, from a file.')

/** The parsed `apiKey`. */
export type ApiKeyConfig = z.output<typeof apiKeySchema>

const key = z.strictObject({
  hash: z.string().min(1).describe('`sha256:` and the SHA-256 of the key, in hexadecimal.'),
  user: z.string().min(1).describe('Whose key it is.'),
  ...accountKeys,
  expires: z
    .string()
    .datetime({ offset: true, message: 'must be a time such as "2030-12-31T23:59:59Z" (RFC 3339)' })
    .transform((time) => Date.parse(time))
    .optional()
    .describe('When it ends (RFC 3339). Default: never.'),
  disabled: z.boolean().default(false).describe('Refuses the key as if it were not there.'),
})

/** The keys of a file, by id. */
export const apiKeysSchema = z.record(z.string().min(1), key)

/** The shape of a file of API keys. */
export const apiKeyFileSchema = z.strictObject({
  // `keys:` without a value: the last key was revoked, which must take effect.
  keys: apiKeysSchema.nullable().transform((keys) => keys ?? {}),
})
