// `certificate` of an authenticator: client certificates, and their location in a request.

import * as z from 'zod'
import { purposeSchema } from '../../x509/schema.ts'
import { revocationSchema } from '../../pki/revocation-schema.ts'
import { durationSchema, pathSchema } from '../../config/values.ts'

/** The locations of a certificate in a request. */
const SOURCES = ['connection', 'x-forwarded-client-cert', 'client-cert'] as const

/** The `certificate` section. */
export const clientCertificateSchema = z
  .strictObject({
    trust: pathSchema.describe(
      'PEM file: the CAs (trust anchors) whose certificates are accepted. Each must be a CA certificate; it need not be self-signed.',
    ),
    intermediates: pathSchema
      .optional()
      .describe(
        'PEM file: intermediate CAs, which are not trust anchors. `from: connection` needs them where callers’ certificates are not signed by a CA of `trust`, since Envoy sends the leaf certificate only.',
      ),
    from: z
      .enum(SOURCES)
      .default('connection')
      .describe(
        [
          'Where the certificate is read from.',
          '`connection`: the certificate of the TLS connection to Envoy, which Envoy sends with the check (`include_peer_certificate: true` of ext_authz); callers cannot forge it.',
          '`x-forwarded-client-cert`: the header of that name, with `Cert`, and `Chain` for intermediates. A client that can set this header can take any identity: the connection manager that calls Countersign must have `forward_client_cert_details: SANITIZE_SET` (as Istio’s ingress gateway has, with `Cert`), or receive the header from a proxy in front, over a listener that only this proxy can reach. `FORWARD_ONLY` and `ALWAYS_FORWARD_ONLY` forward what callers send; `APPEND_FORWARD` does so for callers with a certificate.',
          '`client-cert`: `Client-Cert` and `Client-Cert-Chain` (RFC 9440), which Envoy neither sets nor removes: for a TLS-terminating proxy in front that removes these headers from requests, over a listener that only this proxy can reach.',
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
    cacheTtl: durationSchema
      .prefault('5m')
      .describe(
        'How long a verified certificate is cached at most; never beyond its expiry, nor beyond the validity of its revocation status. `0s`: no caching.',
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
