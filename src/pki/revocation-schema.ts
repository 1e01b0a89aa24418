// `revocation` of a certificate authenticator: how it is found out that a certificate is no longer
// good.

import * as z from 'zod'
import { durationSchema, pathSchema } from '../config/values.ts'

/** Answers and lists are signed, so plain http will do, and is what issuers offer. */
const url = z.string().refine((text) => {
  const parsed = URL.parse(text)
  return (
    parsed !== null &&
    ['http:', 'https:'].includes(parsed.protocol) &&
    parsed.username === '' &&
    parsed.password === '' &&
    parsed.hash === ''
  )
}, 'must begin with http:// or https://, without user, password and fragment')

const hosts = z
  .array(
    z
      .string()
      .regex(/^(\[[0-9a-f:.]+\]|[a-z0-9._-]+)$/, 'must be a host in lower case, without a port'),
  )
  .default([])

const HOSTS =
  'Where set, only these are contacted, whatever their address. Empty: all hosts with public addresses, so that a certificate cannot make Countersign send requests into its own network.'

const ca = pathSchema
  .optional()
  .describe('PEM file: the CAs of servers contacted over https. Default: Node’s own.')

const skew = durationSchema
  .prefault('1m')
  .describe('The accepted clock skew between the issuer and this machine.')

const denied = z
  .strictObject({
    entries: z
      .array(z.string().min(1))
      .default([])
      .describe(
        'Certificates: `serial HEX`, `serial HEX issuer CN=example CA,O=example`, `sha256 HEX` (of the DER), `subject CN=alice,O=example`. Names as audit events have them (RFC 4514).',
      ),
    file: pathSchema
      .optional()
      .describe('A file with such entries, one a line; lines that begin with `#` are comments.'),
  })
  .describe('A deny-list: certificates that are refused anywhere in a path, at once.')

const ocsp = z
  .strictObject({
    urls: z
      .array(url)
      .default([])
      .describe('Responders, contacted in this order until one answers.'),
    aia: z
      .boolean()
      .default(false)
      .describe('Uses the responders that certificates name (authorityInfoAccess), after `urls`.'),
    hosts: hosts.describe(`Hosts that may be contacted because of \`aia\`. ${HOSTS}`),
    ca,
    responders: z
      .array(pathSchema)
      .default([])
      .describe(
        'PEM files: certificates of further trusted responders, in addition to the issuer and the responders that it has certified for OCSP.',
      ),
    hash: z
      .enum(['sha1', 'sha256'])
      .default('sha1')
      .describe(
        'The hash of the issuer in requests; many responders support only `sha1`. It has no influence on security.',
      ),
    nonce: z
      .enum(['required', 'optional', 'none'])
      .default('optional')
      .describe(
        'A nonce (RFC 8954) proves that an answer was made for this request. `optional`: sent, and must match if the answer has one. `none`: not sent.',
      ),
    skew,
    maxAge: durationSchema
      .prefault('5m')
      .describe('How long an answer without nextUpdate is valid.'),
    cacheTtl: durationSchema
      .prefault('1h')
      .describe(
        'How long an answer is cached before a newer one is requested. Without a newer one it is used until its nextUpdate.',
      ),
    timeout: durationSchema.prefault('3s').describe('For one request to one responder.'),
    coolDown: durationSchema
      .prefault('5s')
      .describe(
        'How long a failure is cached, and how long a responder that failed for five certificates is not contacted.',
      ),
  })
  .refine(({ urls, aia }) => urls.length > 0 || aia, 'needs "urls" or "aia: true"')
  .refine(({ hosts: listed, aia }) => listed.length === 0 || aia, 'has "hosts", which "aia" is for')
  .describe('Checks certificates with OCSP (RFC 6960).')

const crl = z
  .strictObject({
    files: z
      .array(pathSchema)
      .default([])
      .describe('CRLs in DER, or in PEM with at most 64 in one file; also delta CRLs.'),
    urls: z
      .array(url)
      .default([])
      .describe('Where CRLs are published, one at each URL (DER, or PEM); deltas as well.'),
    distributionPoints: z
      .boolean()
      .default(false)
      .describe('Fetches the CRLs that certificates point to (cRLDistributionPoints).'),
    hosts: hosts.describe(
      `Hosts that may be contacted because of \`distributionPoints\`. ${HOSTS}`,
    ),
    ca,
    refresh: z
      .strictObject({
        min: durationSchema.prefault('1m').describe('The lower bound.'),
        max: durationSchema.prefault('1h').describe('The upper bound.'),
      })
      .refine(({ min, max }) => min <= max, 'must have "min" no longer than "max"')
      .prefault({})
      .describe(
        'The interval between two fetches: half of the time to nextUpdate, within these bounds.',
      ),
    skew,
    grace: durationSchema
      .prefault('0s')
      .describe('How long a CRL is used after its nextUpdate while there is no newer one.'),
    timeout: durationSchema.prefault('10s').describe('For one fetch.'),
    coolDown: durationSchema.prefault('10s').describe('After a fetch that failed.'),
    maxBytes: z
      .int()
      .min(1_024)
      .max(1_073_741_824)
      .default(67_108_864)
      .describe(
        'The most bytes of one file and of one fetched CRL. A CRL with 1,000,000 entries has some 35 MB in DER.',
      ),
  })
  .refine(
    ({ files, urls, distributionPoints }) => files.length + urls.length > 0 || distributionPoints,
    'needs "files", "urls" or "distributionPoints: true"',
  )
  .refine(
    ({ hosts: listed, distributionPoints }) => listed.length === 0 || distributionPoints,
    'has "hosts", which "distributionPoints" is for',
  )
  .describe('Looks certificates up in CRLs (RFC 5280 §5).')

/** The `revocation` section. */
export const revocationSchema = z
  .strictObject({
    denied: denied.optional(),
    ocsp: ocsp.optional(),
    crl: crl.optional(),
    prefer: z
      .enum(['ocsp', 'crl'])
      .default('ocsp')
      .describe(
        'Which is used first; the other one only where the first has no answer or is unavailable.',
      ),
    chain: z
      .enum(['leaf', 'all'])
      .default('all')
      .describe('Which certificates are checked: the caller’s own, or intermediate CAs too.'),
    unknown: z
      .enum(['deny', 'allow'])
      .default('deny')
      .describe('What happens to certificates with the OCSP status `unknown`.'),
    unavailable: z
      .enum(['deny', 'allow'])
      .default('deny')
      .describe(
        'What happens while the revocation status cannot be determined: 503 (`deny`), or the certificate is accepted. With `allow`, an attacker who can block the responder can use a revoked certificate.',
      ),
  })
  .refine(
    ({ denied: list, ocsp: first, crl: second }) =>
      [list, first, second].some((way) => way !== undefined),
    'must have at least one of "denied", "ocsp" and "crl"',
  )
  .describe('How the revocation of certificates is checked.')

/** The parsed `revocation`. */
export type RevocationConfig = z.output<typeof revocationSchema>
