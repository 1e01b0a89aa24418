// `forward.certificate` of a route: the contents of the certificate for the upstream.

import * as z from 'zod'
import { compileText } from '../expression/cel.ts'
import { DerReader } from '../x509/der.ts'
import { KEY_USAGES, type KeyUsage } from '../x509/extensions.ts'
import { ATTRIBUTES, attributeOid, EXTENSIONS } from '../x509/oid.ts'
import { oidSchema, purposeSchema } from '../x509/schema.ts'
import { durationSchema, nameSchema, VALUE_TYPES, writtenOutName } from '../config/values.ts'

/** A CEL expression about `identity` that yields text. */
const expression = z
  .string()
  .transform((source, context) => {
    const compilation = compileText(source, 'identity')
    if (compilation.ok) return compilation.expression
    context.addIssue({ code: 'custom', message: compilation.message })
    return z.NEVER
  })
  .register(VALUE_TYPES, { type: 'expression' })

/** An attribute of a distinguished name, by short name or OID. */
const attributeSchema = z
  .string()
  .refine(
    (name) => attributeOid(name) !== undefined,
    `must be one of ${Object.keys(ATTRIBUTES).join(', ')}, or an OID`,
  )

const AUTHORITY_USAGES: ReadonlySet<KeyUsage> = new Set(['keyCertSign', 'cRLSign'])

/** Key usages of an end entity: those of a CA are never issued. */
export const keyUsageSchema = z.enum(KEY_USAGES.filter((usage) => !AUTHORITY_USAGES.has(usage)))

// They have fields of their own, or are the signer's to write.
const OWN_EXTENSIONS: ReadonlySet<string> = new Set(Object.values(EXTENSIONS))

const furtherExtension = oidSchema.refine(
  (oid) => !OWN_EXTENSIONS.has(oid),
  'has a field of its own, or is the signer’s to write',
)

function isDer(base64: string): boolean {
  try {
    const reader = new DerReader(Buffer.from(base64, 'base64'))
    reader.next()
    return !reader.more
  } catch {
    return false
  }
}

const extension = z
  .strictObject({
    critical: z
      .boolean()
      .default(false)
      .describe('Whether a verifier that does not know the extension must refuse the certificate.'),
    utf8String: expression.optional().describe('CEL for its one text, written as a UTF8String.'),
    der: z
      .base64()
      .refine(isDer, 'must be one element of DER')
      .optional()
      .describe('Its value as base64 of DER, the inside of the OCTET STRING.'),
  })
  .refine(
    ({ utf8String, der }) => (utf8String === undefined) !== (der === undefined),
    'must have exactly one of "utf8String" and "der"',
  )
  .describe('A further extension.')

const fields = {
  subject: z
    .record(attributeSchema, expression)
    .optional()
    .describe(
      'The subject, attribute by attribute in this order (`CN`, `O`, `OU`, `UID`, … or an OID): CEL about `identity` (`user`, `uid`, `groups`, `extra`, `method`, `authenticator`) that yields a string or a list; a list becomes one attribute per element, as Kubernetes reads groups from `O`.',
    ),
  subjectAltName: z
    .strictObject({
      dns: expression.optional().describe('CEL for DNS names.'),
      uri: expression.optional().describe('CEL for URIs, such as a SPIFFE ID.'),
      email: expression.optional().describe('CEL for mailboxes (RFC 822).'),
      ip: expression.optional().describe('CEL for IP addresses.'),
      upn: expression.optional().describe('CEL for Microsoft user principal names.'),
    })
    .prefault({})
    .describe('Alternative names.'),
  keyUsage: z
    .array(keyUsageSchema)
    .min(1)
    .default(['digitalSignature'])
    .describe('Key usage (RFC 5280 §4.2.1.3).'),
  extendedKeyUsage: z
    .array(purposeSchema)
    .min(1)
    .prefault(['clientAuth'])
    .describe('Extended key usage, by name (`clientAuth`, `emailProtection`, …) or OID.'),
  basicConstraints: z
    .boolean()
    .default(true)
    .describe('Whether the certificate has basicConstraints with `cA` false.'),
  policies: z.array(oidSchema).default([]).describe('Certificate policies, OIDs.'),
  extensions: z
    .record(furtherExtension, extension)
    .default({})
    .describe('Further extensions by OID.'),
}

const template = z.strictObject(fields)

const COPY = z.enum(['copy', 'drop', 'override'])

const field = (name: string) =>
  COPY.default('copy').describe(
    `\`copy\` it from the caller’s certificate, \`drop\` it, or \`override\` it with \`${name}\` above.`,
  )

const delegate = z
  .strictObject({
    subject: z
      .enum(['copy', 'override'])
      .default('copy')
      .describe('`copy` the caller’s subject, or `override` it with `subject` above.'),
    subjectAltName: field('subjectAltName'),
    keyUsage: field('keyUsage'),
    extendedKeyUsage: field('extendedKeyUsage'),
    basicConstraints: field('basicConstraints'),
    policies: COPY.default('drop').describe('As above; the default is `drop`.'),
    extensions: z
      .array(furtherExtension)
      .default([])
      .describe(
        'OIDs of further extensions that are copied, where the caller’s certificate has them.',
      ),
    fallback: template
      .optional()
      .describe(
        'The certificate for callers whose identity was proven without a client certificate. Absent: such requests are refused.',
      ),
  })
  .describe(
    'Copies the client certificate that an authenticator of the route proved, byte for byte, as F5’s C3D does. Needs a `certificate` authenticator; a certificate that was only presented in the TLS handshake is never copied. It never outlives that certificate.',
  )

/** `forward.certificate`. */
export const certificateSchema = z
  .strictObject({
    ca: nameSchema.describe('The signing CA, by its name in `signer.yaml`.'),
    ...fields,
    lifetime: durationSchema
      .prefault('1h')
      .refine(
        (milliseconds) =>
          milliseconds >= SHORTEST_LIFETIME_MS && milliseconds <= LONGEST_LIFETIME_MS,
        'must be 10s to 8760h',
      )
      .describe(
        'The lifetime of a certificate; it never outlives the caller’s credential. A new one is made at half of it.',
      ),
    backdate: durationSchema
      .prefault('5m')
      .refine((milliseconds) => milliseconds <= LONGEST_BACKDATE_MS, 'must be at most 24h')
      .describe('How far notBefore lies in the past, for clocks that differ.'),
    allowReserved: z
      .array(writtenOutName)
      .default([])
      .describe(
        'Reserved names (`system:…`) that the certificate may carry although they are neither the user nor one of the groups. Write each one out.',
      ),
    delegate: delegate.optional(),
  })
  .describe(
    'A short-lived client certificate for exactly this identity, minted by `countersign signer` and presented by Envoy.',
  )

const SHORTEST_LIFETIME_MS = 10_000
const LONGEST_LIFETIME_MS = 8_760 * 3_600_000 // a year, as C3D has it
const LONGEST_BACKDATE_MS = 24 * 3_600_000

/** The contents of a certificate, as configured. */
export type TemplateConfig = z.output<typeof template>
/** The parsed `forward.certificate`. */
export type CertificateConfig = z.output<typeof certificateSchema>
