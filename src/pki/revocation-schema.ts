// `revocation` of a certificate authenticator: how it is found out that a certificate is no longer
// good.

import { z } from 'zod'
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
  'Where there are any, no others are asked, and these may have any address. Empty: all hosts with public addresses, so that no certificate can make Countersign ask something on its own network.'

const ca = pathSchema
  .optional()
  .describe('PEM file: the CAs of servers asked over https. Default: Node’s own.')

const skew = durationSchema
  .prefault('1m')
  .describe('How far the issuer’s clock and ours may be apart.')

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
  .describe(
    'Certificates that are refused, anywhere in a path, as soon as it is written down here.',
  )

const ocsp = z
  .strictObject({
    urls: z.array(url).default([]).describe('Responders, asked in this order until one answers.'),
    aia: z
      .boolean()
      .default(false)
      .describe('Asks the responders that certificates name (authorityInfoAccess), after `urls`.'),
    hosts: hosts.describe(`Hosts that may be asked because of \`aia\`. ${HOSTS}`),
    ca,
    responders: z
      .array(pathSchema)
      .default([])
      .describe(
        'PEM files: certificates of responders that are believed, besides the issuer itself and whom it has certified for OCSP.',
      ),
    hash: z
      .enum(['sha1', 'sha256'])
      .default('sha1')
      .describe(
        'How the issuer is named in questions; many responders know only `sha1`. Nothing rests on it.',
      ),
    nonce: z
      .enum(['required', 'optional', 'none'])
      .default('optional')
      .describe(
        'A nonce (RFC 8954) proves that an answer was made for this question. `optional`: sent, and has to be right if it comes back. `none`: not sent.',
      ),
    skew,
    maxAge: durationSchema
      .prefault('5m')
      .describe('How long an answer counts that does not say it (nextUpdate).'),
    remember: durationSchema
      .prefault('1h')
      .describe(
        'How long an answer is used before a newer one is asked for. The old one stays in use to its nextUpdate while there is none.',
      ),
    timeout: durationSchema.prefault('3s').describe('For one question to one responder.'),
    coolDown: durationSchema
      .prefault('5s')
      .describe(
        'How long a failure stands, and a responder is left alone that failed for five certificates.',
      ),
  })
  .refine(({ urls, aia }) => urls.length > 0 || aia, 'needs "urls" or "aia: true"')
  .refine(({ hosts: listed, aia }) => listed.length === 0 || aia, 'has "hosts", which "aia" is for')
  .describe('Asks OCSP responders (RFC 6960).')

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
    hosts: hosts.describe(`Hosts that may be asked because of \`distributionPoints\`. ${HOSTS}`),
    ca,
    refresh: z
      .strictObject({
        least: durationSchema.prefault('1m').describe('At least so long.'),
        most: durationSchema.prefault('1h').describe('At most so long.'),
      })
      .refine(({ least, most }) => least <= most, 'must have "least" no longer than "most"')
      .prefault({})
      .describe('Between two fetches: half of the time to nextUpdate, within these bounds.'),
    skew,
    grace: durationSchema
      .prefault('0s')
      .describe('How long a CRL is used after its nextUpdate while there is no newer one.'),
    timeout: durationSchema.prefault('10s').describe('For one fetch.'),
    coolDown: durationSchema.prefault('10s').describe('After a fetch that failed.'),
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
      .describe('Which is asked first; the other one only where that does not know, or is down.'),
    chain: z
      .enum(['leaf', 'all'])
      .default('all')
      .describe(
        'Which certificates OCSP and CRLs are asked about: the caller’s own, or intermediate CAs too.',
      ),
    unknown: z
      .enum(['deny', 'allow'])
      .default('deny')
      .describe('What becomes of certificates that the issuer’s responder does not know.'),
    unavailable: z
      .enum(['deny', 'allow'])
      .default('deny')
      .describe(
        'What becomes of certificates while nobody can say: 503, or as if they were good. With `allow`, whoever can cut the way to the responder can use a revoked certificate.',
      ),
  })
  .refine(
    ({ denied: list, ocsp: first, crl: second }) =>
      [list, first, second].some((way) => way !== undefined),
    'must have at least one of "denied", "ocsp" and "crl"',
  )
  .describe('How it is found out that certificates have been revoked.')

/** The parsed `revocation`. */
export type RevocationConfig = z.output<typeof revocationSchema>
