// `issuer`: who we are as an issuer of tokens, and what signs them.

import { z } from 'zod'
import { clientsSchema, resourcesSchema } from './client-schema.ts'
import { loginSchema } from '../logins/schema.ts'
import { lookSchema } from '../pages/theme-schema.ts'
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
        '`iss` of our tokens, character by character, and where upstreams find `/.well-known/openid-configuration`. Publish it through Envoy (`envoy generate` does).',
      ),
    keys: pathSchema.describe(
      'The folder of the signing keys, made and rotated by `countersign keys signing`. Every replica has the same one.',
    ),
    maxAge: durationSchema
      .prefault('5m')
      .refine((milliseconds) => milliseconds <= 1_800_000, 'must be at most 30m')
      .describe(
        'For how long upstreams may keep the key set (`cache-control: max-age`). kube-apiserver reads it again no earlier, so a new key has to be published for longer than that before it signs, and a revoked one is believed for so long.',
      ),
    clients: clientsSchema,
    resources: resourcesSchema,
    login: loginSchema.optional(),
    look: lookSchema,
  })
  .describe(
    'Us as an issuer of tokens: needed where a route mints one. With `clients` an authorization server too (OAuth 2.0, OpenID Connect).',
  )
