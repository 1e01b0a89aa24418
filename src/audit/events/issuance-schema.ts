// The events of the signer.

import * as z from 'zod'
import { KEY_ALGORITHMS } from '../../keys/key-algorithm.ts'
import type { CertificateRefusal } from '../reason.ts'
import { ISSUANCE_REASONS } from '../reasons/certificates.ts'
import { generation, keysOf } from './fields-schema.ts'
import type { Frozen } from './frozen.ts'

const text = z.string()

const handle = text.describe('Digest of the grant: the same in the decision that led to it.')
const authority = text.describe('The CA, by its name in `signer.yaml`.')
const route = text.describe('The route of the decision.')
const authenticator = text.describe('The authenticator that proved the caller.')
const reason = z.enum(keysOf<CertificateRefusal>(ISSUANCE_REASONS)).describe('Why: a reason code.')

/** The signer made a certificate. */
export const certificateIssuedEvent = z
  .strictObject({
    event: z.literal('certificate-issued'),
    handle,
    authority,
    route,
    authenticator,
    serial: text.describe('In hexadecimal.'),
    fingerprint: text.describe(
      'SHA-256 of the DER, in hexadecimal; kube-apiserver logs it as `credential-id`.',
    ),
    subject: text.describe('RFC 4514.'),
    names: z.array(text).describe('Alternative names, as `kind:value`.'),
    notBefore: text.describe('RFC 3339.'),
    notAfter: text.describe('RFC 3339.'),
    keys: z.enum(KEY_ALGORITHMS).describe('The algorithm of its key.'),
    duration: z.number().describe('From the request to the event, in µs.'),
    generation,
  })
  .describe('The signer made a certificate. Written before the certificate leaves the process.')

/** The signer made no certificate. */
export const certificateRefusedEvent = z
  .strictObject({
    event: z.literal('certificate-refused'),
    handle,
    reason,
    authority: authority.optional(),
    route: route.optional(),
    authenticator: authenticator.optional(),
    detail: text.optional().describe('What was refused.'),
    generation,
  })
  .describe(
    'The signer made no certificate. `authority`, `route` and `authenticator` are absent where the grant could not be opened.',
  )

/** The signer refused more certificates than it has events for. */
export const refusalsCountedEvent = z
  .strictObject({
    event: z.literal('certificate-refusals-summary'),
    handle: text
      .optional()
      .describe('The handle whose first refusal was an event. Absent: of handles that had none.'),
    reason,
    count: z.int().describe('How many further refusals.'),
    since: text.describe('When counting began, RFC 3339.'),
  })
  .describe('Further refusals within a minute, which have no event of their own.')

/** The signer made a certificate. */
export type CertificateIssuedEvent = Frozen<z.output<typeof certificateIssuedEvent>>
/** The signer made no certificate. */
export type CertificateRefusedEvent = Frozen<z.output<typeof certificateRefusedEvent>>
/** The signer refused more certificates than it has events for. */
export type RefusalsCountedEvent = Frozen<z.output<typeof refusalsCountedEvent>>
