// The values of the chart about certificates that cert-manager makes.

import { z } from 'zod'
import { name } from './common.ts'

const issuerRef = (kind: 'Issuer' | 'ClusterIssuer') =>
  z
    .strictObject({
      name: name.or(z.literal('')).default('').describe('Its name. Empty: the CA of the chart.'),
      kind: z
        .string()
        .min(1)
        .default(kind)
        .describe('Issuer, ClusterIssuer, or one of another group.'),
      group: z.string().min(1).default('cert-manager.io').describe('Its API group.'),
    })
    .prefault({})

/** A time in the form that cert-manager takes: Go's. */
const duration = (fallback: string) =>
  z
    .string()
    .regex(/^[1-9][0-9]*(h|m)([1-9][0-9]*m)?$/, 'must be hours or minutes, such as 2160h')
    .default(fallback)

const lifetime = {
  duration: duration('2160h').describe('How long a certificate is valid.'),
  renewBefore: duration('720h').describe('How long before its end it is renewed.'),
}

/** `certManager`. */
export const certManagerSchema = z
  .strictObject({
    enabled: z
      .boolean()
      .default(false)
      .describe(
        'Whether cert-manager makes the Secrets of TLS: `authz.tls.secret`, `envoy.authzTls.secret` and `envoy.tls.secret`.',
      ),
    internal: z
      .strictObject({
        issuerRef: issuerRef('Issuer').describe(
          'The issuer, which must write ca.crt. A client with any certificate of its CA may call authz: share it with nothing else.',
        ),
        ...lifetime,
      })
      .prefault({})
      .describe('The certificates of authz and Envoy for each other.'),
    edge: z
      .strictObject({
        enabled: z
          .boolean()
          .default(true)
          .describe('Whether it makes `envoy.tls.secret`, which callers see.'),
        issuerRef: issuerRef('ClusterIssuer').describe('The issuer, which callers trust.'),
        dnsNames: z
          .array(z.string().min(1))
          .default([])
          .describe('Its names. Empty: the hosts of `config.routes` and `config.issuer.url`.'),
        ...lifetime,
      })
      .prefault({})
      .describe('The certificate of Envoy for callers.'),
  })
  .prefault({})
  .describe('Certificates by cert-manager, which must be installed.')
