// The signer's configuration file as a schema, `signer.yaml`: its CAs, and what each may
// sign at most. It is the signer's own, so that authz cannot widen it.

import { isIP } from 'node:net'
import * as z from 'zod'
import {
  checkpointsSchema,
  hasFileToRotate,
  NO_FILE_TO_ROTATE,
  rotateSchema,
} from '../audit/file-schema.ts'
import {
  areSeparate,
  hasSpool,
  NO_SPOOL,
  NOT_SEPARATE,
  sinksSchema,
  spoolSchema,
} from '../audit/forward/schema.ts'
import { logSchema } from '../config/log-schema.ts'
import { KEY_ALGORITHMS } from '../keys/key-algorithm.ts'
import { ATTRIBUTES, attributeOid, EXTENSIONS } from '../x509/oid.ts'
import { keyUsageSchema } from '../grant/schema.ts'
import { oidSchema, purposeSchema } from '../x509/schema.ts'
import {
  addressSchema,
  durationSchema,
  nameSchema,
  pathSchema,
  secretSchema,
  versionSchema,
} from '../config/values.ts'

/** Any attribute, as a key of `subject`. */
export const ANY_ATTRIBUTE = '*'

/**
 * Extensions that make the owner of the certificate a CA, or shape the paths below it (RFC 5280
 * §4.2.1): nameConstraints, policyMappings, policyConstraints, inhibitAnyPolicy; RFC 3820: proxyCertInfo.
 */
export const AUTHORITY_EXTENSIONS: ReadonlySet<string> = new Set([
  '2.5.29.30',
  '2.5.29.33',
  '2.5.29.36',
  '2.5.29.54',
  '1.3.6.1.5.5.7.1.14',
])

// They are under limits of their own, or the signer's to write.
const OWN_EXTENSIONS: ReadonlySet<string> = new Set(Object.values(EXTENSIONS))

const DEFAULT_SOCKET_MODE = '0660'

const socketAddress = addressSchema.refine(
  ({ kind }) => kind === 'unix',
  'must be "unix:PATH": private keys leave by it, and no network may see them',
)

const systemId = z.int().min(0).max(4_294_967_294)

const listener = z
  .strictObject({
    address: socketAddress.describe('`unix:PATH`.'),
    mode: z
      .string()
      .regex(
        /^0?[0-7]{2}0$/,
        'must be an octal file mode such as "0660", without permissions for other users',
      )
      .default(DEFAULT_SOCKET_MODE)
      .describe(
        'File mode of the socket. Envoy’s user needs write permission; other users must have none.',
      ),
    owner: systemId.optional().describe('Numeric user id that the socket is given to.'),
    group: systemId.optional().describe('Numeric group id that the socket is given to.'),
  })
  .describe('The listener written out in full.')

const adminAddress = addressSchema.refine(
  ({ kind }) => kind === 'unix',
  'must be "unix:PATH": a process with a CA key must not listen on a network',
)

const adminListener = z
  .strictObject({
    address: adminAddress.describe('`unix:PATH`.'),
    mode: z
      .string()
      .regex(/^0?[0-7]{3}$/, 'must be an octal file mode such as "0660"')
      .default(DEFAULT_SOCKET_MODE)
      .describe('File mode of the socket. Clients need write permission.'),
    owner: systemId.optional().describe('Numeric user id that the socket is given to.'),
    group: systemId.optional().describe('Numeric group id that the socket is given to.'),
  })
  .describe('The listener written out in full.')

const patterns = z.array(z.string().min(1))

const networks = z.array(
  z.string().refine(isAddressOrNetwork, 'must be an IP address or a network such as "10.0.0.0/8"'),
)

function isAddressOrNetwork(text: string): boolean {
  const [address = '', prefix, ...more] = text.split('/')
  const family = isIP(address)
  if (family === 0 || more.length > 0) return false
  return prefix === undefined || (/^\d{1,3}$/.test(prefix) && +prefix <= (family === 4 ? 32 : 128))
}

const subject = z
  .record(
    z
      .string()
      .refine(
        (name) => name === ANY_ATTRIBUTE || attributeOid(name) !== undefined,
        `must be one of ${Object.keys(ATTRIBUTES).join(', ')}, an OID, or "*"`,
      ),
    patterns,
  )
  .default({ CN: ['*'], O: ['*'] })
  .describe(
    'Attributes that a subject may have (`CN`, `O`, … or an OID), with patterns for their values: `*` matches any run of characters. An attribute that is not listed is refused; the attribute `*` matches all that are not.',
  )

const subjectAltName = z
  .strictObject({
    dns: patterns.default([]).describe('Patterns for DNS names. `*` matches dots, too.'),
    uri: patterns.default([]).describe('Patterns for URIs.'),
    email: patterns.default([]).describe('Patterns for mailboxes.'),
    ip: networks.default([]).describe('IP addresses and networks.'),
    upn: patterns.default([]).describe('Patterns for Microsoft user principal names.'),
  })
  .prefault({})
  .describe('Alternative names that a certificate may have. Default: none.')

const limits = z
  .strictObject({
    lifetime: durationSchema
      .prefault('24h')
      .describe('The longest time from notBefore to notAfter. What authz backdates counts.'),
    subject,
    subjectAltName,
    reserved: z
      .array(
        z
          .string()
          .regex(/^system:[^*]+$/, 'must begin with "system:" and be written out, without "*"'),
      )
      .default([])
      .describe(
        'Names under `system:` that are allowed in `CN` and `O`. All further ones are refused, in any field and any spelling.',
      ),
    keyUsage: z
      .array(keyUsageSchema)
      .min(1)
      .default(['digitalSignature', 'keyEncipherment'])
      .describe(
        'Key usages that a certificate may have. A certificate without the extension may be used for all of them, so it is refused unless all are listed.',
      ),
    extendedKeyUsage: z
      .array(purposeSchema)
      .min(1)
      .prefault(['clientAuth'])
      .describe(
        'Purposes that a certificate may have, by name or OID. A certificate without the extension may be used for any, so it is refused unless `any` is listed.',
      ),
    policies: z
      .array(oidSchema)
      .default([])
      .describe('Certificate policies that a certificate may assert, OIDs.'),
    extensions: z
      .array(
        oidSchema
          .refine((oid) => !OWN_EXTENSIONS.has(oid), 'has a limit of its own')
          .refine((oid) => !AUTHORITY_EXTENSIONS.has(oid), 'belongs to a CA and is never issued'),
      )
      .default([])
      .describe(
        'Further extensions that a certificate may have, OIDs. Their values are authz’s alone to decide.',
      ),
    rate: z
      .strictObject({
        perSecond: z.number().positive().default(200).describe('Certificates a second, lasting.'),
        burst: z.int().min(1).default(2_000).describe('Certificates at once.'),
      })
      .prefault({})
      .describe('How fast certificates are issued.'),
  })
  .prefault({})
  .describe('Limits of what the CA signs, whatever authz requests.')

const authority = z
  .strictObject({
    certificate: pathSchema.describe(
      'PEM file: the CA’s certificate. Each further certificate must have signed the one before it. All that are not self-signed are sent after the leaf.',
    ),
    key: secretSchema.describe(
      'The CA’s private key, PEM. A file is for its owner, and at most for its group to read (mode 0600, 0400, 0640 or 0440).',
    ),
    passphrase: secretSchema.optional().describe('The passphrase of an encrypted key.'),
    keys: z
      .enum(KEY_ALGORITHMS)
      .default('p256')
      .describe('The kind of key that is made for each certificate.'),
    limits,
  })
  .describe('One CA.')

/** The configuration file, `signer.yaml`. */
export const signerSchema = z
  .strictObject({
    version: versionSchema,
    listen: z
      .union([
        socketAddress.transform((address): SignerListenerConfig => ({
          address,
          mode: DEFAULT_SOCKET_MODE,
        })),
        listener,
      ])
      .describe(
        'The socket by which Envoy reaches the secret discovery service (gRPC) and `grpc.health.v1`.',
      ),
    admin: z
      .union([
        adminAddress.transform((address): SignerListenerConfig => ({
          address,
          mode: DEFAULT_SOCKET_MODE,
        })),
        adminListener,
      ])
      .optional()
      .describe(
        'The socket on which `/livez`, `/readyz`, `/metrics` (Prometheus) and `/spans` (`countersign metrics --traces`) are read, over HTTP. Absent: none.',
      ),
    maxStreams: z
      .int()
      .min(1)
      .max(1_000_000)
      .default(5_000)
      .describe(
        'The most streams that Envoy may have open at once: one for each certificate that it holds, which takes some 16 KB of the signer’s memory.',
      ),
    keyring: secretSchema
      .prefault('file:grant.keys')
      .describe(
        'The keys that open certificate grants: the file that `countersign keys grant` made, the same as `certificateGrants.keyring` of authz. Its mode as that of the key of a CA.',
      ),
    authorities: z
      .record(nameSchema, authority)
      .refine((entries) => Object.keys(entries).length > 0, 'must name at least one CA')
      .describe('CAs by name; `forward.certificate.ca` of a route is one of these names.'),
    audit: z
      .strictObject({
        file: pathSchema
          .optional()
          .describe(
            'JSON lines are appended here (reopened on SIGUSR2 and on SIGHUP). Default: standard output.',
          ),
        rotate: rotateSchema.optional(),
        checkpoints: checkpointsSchema.optional(),
        sinks: sinksSchema.optional(),
        spool: spoolSchema,
      })
      .refine(hasFileToRotate, NO_FILE_TO_ROTATE)
      .refine(hasSpool, NO_SPOOL)
      .refine(areSeparate, NOT_SEPARATE)
      .prefault({})
      .describe('Where issuances and refusals are recorded.'),
    log: logSchema,
  })
  .describe('Configuration of the Countersign signer.')

/** A parsed configuration: defaults filled in, durations in milliseconds, deeply frozen. */
export type SignerConfig = z.output<typeof signerSchema>
/** `listen`, written out in full. */
export type SignerListenerConfig = z.output<typeof listener>
/** One entry of `authorities`. */
export type AuthorityConfig = z.output<typeof authority>
/** What a CA may sign. */
export type LimitsConfig = z.output<typeof limits>
