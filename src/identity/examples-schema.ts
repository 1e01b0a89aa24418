// `identity.examples`: the expected identity for example credentials. A running service ignores them;
// `countersign test` evaluates them with the same mapping.

import * as z from 'zod'
import { pathSchema } from '../config/values.ts'

/** Why a proven credential yields no identity. */
export const IDENTITY_REFUSALS = [
  'identity-reserved',
  'identity-unrepresentable',
  'identity-unmapped',
  'identity-too-large',
] as const

const names = z.array(z.string())
const values = z.record(z.string(), z.array(z.string()))

const account = z
  .strictObject({
    user: z.string().describe('The verified user name.'),
    uid: z.string().optional().describe('Its stable identifier.'),
    groups: names.default([]).describe('Its groups.'),
    extra: values.default({}).describe('Its further values.'),
  })
  .describe('An account, as a password verifier returns it.')

/** A certificate as examples and tests write it. */
export const certificateFieldsSchema = z
  .strictObject({
    subject: values.default({}).describe('Attributes by short name or OID.'),
    subjectName: z.string().default('').describe('RFC 4514.'),
    issuerName: z.string().default('').describe('RFC 4514.'),
    dns: names.default([]).describe('Alternative names: DNS.'),
    uris: names.default([]).describe('Alternative names: URI.'),
    emails: names.default([]).describe('Alternative names: e-mail.'),
    ips: names.default([]).describe('Alternative names: IP address.'),
    upns: names.default([]).describe('Alternative names: user principal name.'),
    serial: z.string().default('').describe('Lower-case hexadecimal.'),
    fingerprint: z.string().default('').describe('SHA-256, lower-case hexadecimal.'),
    purposes: names.default([]).describe('Extended key usages, OIDs.'),
    policies: names.default([]).describe('Certificate policies, OIDs.'),
    extensions: z.record(z.string(), z.string()).default({}).describe('By OID: DER in base64.'),
  })
  .describe('A certificate by its fields; those left out are empty.')

const GIVEN = ['account', 'claims', 'certificate'] as const

const want = z
  .strictObject({
    user: z.string().describe('The name.'),
    uid: z.string().optional().describe('The stable identifier.'),
    groups: names.optional().describe('The groups, in this order.'),
    extra: values.optional().describe('All further values.'),
  })
  .describe('The resulting identity. Absent fields are not compared.')

/** One example. */
export const exampleSchema = z
  .strictObject({
    name: z.string().min(1).optional().describe('The name of the example.'),
    account: account.optional(),
    claims: z
      .record(z.string(), z.unknown())
      .optional()
      .describe('The claims of a token, those that the expressions read.'),
    certificate: z
      .union([pathSchema, certificateFieldsSchema])
      .optional()
      .describe('A client certificate: a PEM file, or its fields.'),
    want: want.optional(),
    refused: z
      .enum(IDENTITY_REFUSALS)
      .optional()
      .describe('In place of `want`: the reason for which there is no identity.'),
  })
  .refine(
    (example) => GIVEN.filter((key) => example[key] !== undefined).length === 1,
    'must have exactly one of "account", "claims" and "certificate"',
  )
  .refine(
    ({ want: wanted, refused }) => (wanted === undefined) !== (refused === undefined),
    'must have exactly one of "want" and "refused"',
  )
  .describe('A credential, and the identity that results from it.')

/** One parsed example. */
export type IdentityExample = z.output<typeof exampleSchema>
