// An upstream of the `envoy` section: where it is, and how Envoy connects to it.

import * as z from 'zod'
import { durationSchema, pathSchema } from '../config/values.ts'
import { addressesSchema } from './addresses-schema.ts'

const healthCheck = z
  .strictObject({
    path: z
      .string()
      .regex(/^\/[\x21-\x7e]*$/, 'must begin with "/" and be printable ASCII')
      .optional()
      .describe('The path that must answer 200. Default: a TCP connection is enough.'),
    interval: durationSchema.prefault('10s').describe('Between two checks of one address.'),
    timeout: durationSchema.prefault('5s').describe('How long an answer may take.'),
  })
  .describe(
    'Envoy checks every address, and sends no requests to one that failed three times, until it has succeeded twice. Not for upstreams that receive a certificate for each identity: a check has no identity.',
  )

/** An upstream. */
export const upstreamSchema = z
  .strictObject({
    address: addressesSchema.describe(
      '`HOST:PORT` or `unix:PATH`, or a list of addresses that share the requests.',
    ),
    ca: pathSchema
      .optional()
      .describe(
        'PEM file: the CA that signed the upstream’s server certificate. Without it, Envoy speaks HTTP without TLS, to addresses of this machine only, unless `plaintext` is set.',
      ),
    plaintext: z
      .boolean()
      .default(false)
      .describe(
        'HTTP without TLS over a network. Everyone on the way can read requests and credentials, and can send requests with forged ones: set it only where a service mesh or a tunnel encrypts the connection.',
      ),
    serverName: z
      .string()
      .min(1)
      .optional()
      .describe(
        'The DNS name in the upstream’s certificate, also sent as SNI. Default: the host of `address`.',
      ),
    certificate: pathSchema
      .optional()
      .describe(
        'PEM file: the client certificate that Envoy presents (the front-proxy certificate).',
      ),
    key: pathSchema.optional().describe('PEM file: the key of that certificate, read by Envoy.'),
    protocol: z
      .enum(['http1', 'http2'])
      .default('http1')
      .describe(
        'The HTTP version that Envoy speaks to it. Only `http1` carries WebSocket and SPDY upgrades (kubectl exec).',
      ),
    connectTimeout: durationSchema.prefault('5s').describe('TCP and TLS handshake together.'),
    maxConnections: z
      .int()
      .min(1)
      .optional()
      .describe(
        'Connections from one Envoy to this upstream. Default: 1024, or 16384 for routes that forward a certificate, since there every identity has its own.',
      ),
    healthCheck: healthCheck.optional(),
  })
  .describe('An upstream.')

/** A parsed upstream. */
export type Upstream = z.output<typeof upstreamSchema>
