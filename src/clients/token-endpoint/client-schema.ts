// Client authentication at an authorization server: the section of everything that calls one.

import * as z from 'zod'
import { durationSchema, pathSchema, secretSchema } from '../../config/values.ts'

const assertion = z
  .strictObject({
    key: secretSchema.describe('The private key: PEM, PKCS#8, not encrypted.'),
    algorithm: z
      .enum(['ES256', 'RS256', 'PS256', 'EdDSA'])
      .describe('The signature algorithm (RFC 7518 §3.1, RFC 8037).'),
    keyId: z.string().min(1).optional().describe('`kid`, where the server requires one.'),
    audience: z
      .enum(['issuer', 'endpoint'])
      .default('issuer')
      .describe('`aud`: the issuer, or the URL of the endpoint.'),
    lifetime: durationSchema
      .prefault('1m')
      .refine((milliseconds) => milliseconds >= 1_000, 'must be at least 1s')
      .describe('The lifetime of each assertion.'),
  })
  .describe('`private_key_jwt`: a signed assertion with each request (RFC 7523).')

/** The `client` section. */
export const tokenClientSchema = z
  .strictObject({
    id: z.string().min(1).describe('Countersign’s client id at the issuer.'),
    secret: secretSchema.optional().describe('Its secret.'),
    method: z
      .enum(['basic', 'post'])
      .default('basic')
      .describe(
        'How the secret is sent: `client_secret_basic`, or `client_secret_post` for servers that support only that.',
      ),
    assertion: assertion.optional(),
    certificate: z
      .strictObject({
        certificate: pathSchema.describe('PEM file: the certificate with its chain.'),
        key: secretSchema.describe('Its private key, PEM.'),
      })
      .optional()
      .describe('The client certificate for the endpoint: mutual TLS (RFC 8705).'),
  })
  .refine(
    ({ secret, assertion: signed }) => secret === undefined || signed === undefined,
    'has both "secret" and "assertion"',
  )
  .refine(
    ({ secret, assertion: signed, certificate }) =>
      [secret, signed, certificate].some((way) => way !== undefined),
    'must have "secret", "assertion" or "certificate"',
  )

/** The parsed `client`. */
export type TokenClientConfig = z.output<typeof tokenClientSchema>
