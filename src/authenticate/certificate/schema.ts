// `certificate` of an authenticator: client certificates, and where they stand in a request.

import { z } from 'zod'
import { purposeSchema } from '../../x509/schema.ts'
import { revocationSchema } from '../../pki/revocation-schema.ts'
import { durationSchema, pathSchema } from '../../config/values.ts'

/** Where a certificate can stand in a request. */
const SOURCES = ['connection', 'x-forwarded-client-cert', 'client-cert'] as const

/** The `certificate` section. */
export const clientCertificateSchema = z
  .strictObject({
    trust: pathSchema.describe(
      'PEM file: the CAs (trust anchors) whose certificates are accepted. Each has to be a CA’s; they need not be self-signed.',
    ),
    intermediates: pathSchema
      .optional()
      .describe(
        'PEM file: CAs between those and the callers’ certificates, trusted for nothing by themselves. `from: connection` needs them where callers’ certificates are not signed by `trust` itself, since Envoy tells the caller’s own certificate alone.',
      ),
    from: z
      .enum(SOURCES)
      .default('connection')
      .describe(
        [
          'Where the certificate stands.',
          '`connection`: it is that of the TLS connection to Envoy, which Envoy tells beside the request (`include_peer_certificate: true` of ext_authz); no caller can forge it.',
          '`x-forwarded-client-cert`: the header of that name, with `Cert` in it, and `Chain` for intermediates. Whoever writes this header is whoever they like: the connection manager that asks Countersign must have `forward_client_cert_details: SANITIZE_SET` (as Istio’s ingress gateway has, with `Cert`), or get it from a proxy in front over a listener that nobody else reaches. `FORWARD_ONLY` and `ALWAYS_FORWARD_ONLY` pass on what callers send; `APPEND_FORWARD` passes it on to callers with a certificate.',
          '`client-cert`: `Client-Cert` and `Client-Cert-Chain` (RFC 9440), which Envoy neither writes nor removes: for a TLS-terminating proxy in front that removes what callers send, over a listener that nobody else reaches.',
        ].join(' '),
      ),
    element: z
      .enum(['only', 'last'])
      .default('only')
      .describe(
        'Of `x-forwarded-client-cert`: `only` refuses a header with more than one element. `last`: the one that the nearest proxy appended, where there are several in a row (`APPEND_FORWARD`). Envoy writes URIs and DNS names as they are, and a comma in one could be the certificate of another: a header with either of them before the last element is refused, so let every proxy write `cert` and `chain` alone (`set_current_client_cert_details`, without `uri` and `dns`). Where that proxy shows a certificate of its own, the last element is about the proxy: let Envoy forward only (`FORWARD_ONLY`), and take `only`.',
      ),
    purposes: z
      .array(purposeSchema)
      .prefault(['clientAuth'])
      .describe(
        'Extended key usages, by name (`clientAuth`, `smartcardLogon`, …) or OID: the certificate has to have one of them, and so has every CA above it that has any. An empty list takes every certificate, also one without.',
      ),
    revocation: revocationSchema.optional(),
    remember: durationSchema
      .prefault('5m')
      .describe(
        'How long a proven certificate is remembered at most; never past its end, nor past what is known of its revocation. `0s`: not.',
      ),
  })
  .refine(
    ({ from, element }) => element === 'only' || from === 'x-forwarded-client-cert',
    'has an "element", which is of "from: x-forwarded-client-cert"',
  )
  .describe(
    'Client certificates: validated against `trust` (RFC 5280), whatever Envoy has validated. RSA keys from 2048 bits, P-256, P-384, P-521, Ed25519 and Ed448; signatures with SHA-256 and better. Without `identity` the user is the CN, or the whole subject (RFC 4514) where there is not exactly one, and the groups are all O, as in Kubernetes.',
  )

/** The parsed `certificate`. */
export type ClientCertificateConfig = z.output<typeof clientCertificateSchema>
