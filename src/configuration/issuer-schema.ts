// `issuer`: the issuer of tokens, and its keys.

import * as z from 'zod'
import { clientsSchema, resourcesSchema } from './client-schema.ts'
import { loginSchema } from '../logins/schema.ts'
import { themeSchema } from '../pages/theme-schema.ts'
import { durationSchema, isConfidential, pathSchema } from '../config/values.ts'

const complaint = (text: string): string | undefined => {
  const url = URL.parse(text)
  if (url === null) return 'must be a URL'
  if (!isConfidential(url)) {
    return 'must begin with https:// (http:// is for loopback addresses only)'
  }
  if (url.search !== '' || url.hash !== '' || url.username !== '' || url.password !== '') {
    return 'must have no query, fragment or credentials (OpenID Connect Discovery §2)'
  }
  return undefined
}

/** The `issuer` section. */
export const issuerSchema = z
  .strictObject({
    url: z
      .string()
      .superRefine((text, context) => {
        const message = complaint(text)
        if (message !== undefined) context.addIssue({ code: 'custom', message })
      })
      .describe(
        'The issuer identifier: `iss` of the tokens, and the base of `/.well-known/openid-configuration`. Publish it through Envoy (`envoy generate` does).',
      ),
    keys: pathSchema.describe(
      'The folder of the signing keys, made and rotated by `countersign keys signing`. Every replica needs the same keys.',
    ),
    maxAge: durationSchema
      .prefault('5m')
      .refine((milliseconds) => milliseconds <= 1_800_000, 'must be at most 30m')
      .describe(
        'For how long upstreams may cache the key set (`cache-control: max-age`). A new key must be published for longer than that before it signs, and a revoked key is accepted for up to this time: kube-apiserver does not read it again earlier.',
      ),
    clients: clientsSchema,
    resources: resourcesSchema,
    login: loginSchema.optional(),
    theme: themeSchema,
  })
  .describe(
    'Countersign as an issuer of tokens: required where a route mints one. With `clients` it is an authorization server too (OAuth 2.0, OpenID Connect).',
  )
