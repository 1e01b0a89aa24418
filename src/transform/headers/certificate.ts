// The proven client certificate of the caller, in headers. Only what an authenticator has proven is
// forwarded: never a certificate that did not authenticate the caller.

import type { ForwardConfig } from '../schema.ts'
import { canBePassedOn } from '../../identity/mapping.ts'
import { encodePem } from '../../x509/pem.ts'
import { percentEncoded } from './values.ts'
import { identityHeaders } from './identity-headers.ts'
import { keepsDerived } from '../../runtime/derived.ts'
import type { HeaderPair, Transformation, Transformer } from '../transformer.ts'

/**
 * - `X-Cert-Subject`: the subject (RFC 4514), UTF-8; left out where the certificate has none.
 * - `X-Cert-Contents`: PEM as nginx 1.31 writes it in `$ssl_client_escaped_cert`, which leaves the
 *   unreserved characters of RFC 3986 alone; or DER in base64.
 * - `Client-Cert`: a byte sequence of DER (RFC 9440 §2.1).
 */
export const certificateHeaders = ({
  contents,
  missing,
}: ForwardConfig['certificateHeaders']): Transformer => ({
  ...identityHeaders(({ certificate, certificateDer }) => {
    if (certificate === undefined || certificateDer === undefined) {
      return missing === 'omit'
        ? withHeaders([])
        : { outcome: 'failed', code: 'certificate-missing' }
    }
    const { subjectName } = certificate
    if (subjectName !== '' && !canBePassedOn(subjectName)) {
      return { outcome: 'failed', code: 'header-unrepresentable', detail: 'x-cert-subject' }
    }
    const base64 = certificateDer.toString('base64')
    return withHeaders([
      ...(subjectName === '' ? [] : [['x-cert-subject', subjectName] as const]),
      ['x-cert-contents', contents === 'der' ? base64 : escapedPem(certificateDer)],
      ['client-cert', `:${base64}:`],
    ])
  }),
  asks: true,
})

const escapedPem = (der: Buffer): string => percentEncoded(encodePem('CERTIFICATE', der))

const withHeaders = (setHeaders: readonly HeaderPair[]): Transformation => ({
  outcome: 'transformed',
  forwarding: { setHeaders: keepsDerived(setHeaders), repeatedHeaders: [] },
})
