// The `envoy` section of the configuration: what only `countersign envoy generate` and `up` read.

import * as z from 'zod'
import { addressesSchema } from './addresses-schema.ts'
import { rateLimitsSchema } from './rate-limit-schema.ts'
import { addressSchema, durationSchema, nameSchema, pathSchema } from '../config/values.ts'
import { upstreamSchema } from './upstream-schema.ts'

const DEFAULT_ADMIN = 'unix:run/envoy-admin.sock'

const redirect = z
  .strictObject({
    address: addressSchema.describe('`HOST:PORT` for HTTP without TLS, such as `0.0.0.0:80`.'),
    port: z
      .int()
      .min(1)
      .max(65_535)
      .optional()
      .describe('The port in the URL of the redirect. Default: that of the listener.'),
  })
  .describe('Redirects from HTTP to HTTPS (308), for hosts of the routes; other hosts get 404.')

/** Envoy's side of mutual TLS with one of Countersign's listeners. */
const clientTls = (server: string) =>
  z.strictObject({
    certificate: pathSchema.describe('PEM file: the client certificate that Envoy presents.'),
    key: pathSchema.describe('PEM file: its key, read by Envoy.'),
    ca: pathSchema.describe(`PEM file: the CA that signed the certificate of ${server}.`),
    serverName: z
      .string()
      .min(1)
      .optional()
      .describe(`The name in the certificate of ${server}. Default: the host of its address.`),
  })

/** The `envoy` section. */
export const envoySchema = z
  .strictObject({
    nodeId: nameSchema.default('countersign').describe('Envoy’s node id.'),
    listener: z
      .strictObject({
        address: addressSchema.describe('`HOST:PORT` that callers connect to.'),
        certificate: pathSchema.describe('PEM file: the server certificate chain.'),
        key: pathSchema.describe('PEM file: its key, read by Envoy.'),
        clientCa: pathSchema
          .optional()
          .describe(
            'PEM file: the CA whose client certificates are accepted. Callers need not have one.',
          ),
        trustedHops: z
          .int()
          .min(0)
          .max(16)
          .default(0)
          .describe(
            'How many proxies in front of Envoy append to X-Forwarded-For (Envoy’s xff_num_trusted_hops).',
          ),
        maxConnections: z
          .int()
          .min(1)
          .default(10_000)
          .describe(
            'Downstream connections that one Envoy accepts. From 70 % on, the idle timeout shrinks: at 90 % it is 2 s instead of 15 minutes. Envoy has no limit for one address: on the internet, set one in front of it (a load balancer, `ct count` of nftables).',
          ),
        streamIdleTimeout: durationSchema
          .prefault('1h')
          .describe(
            'How long a request or upgraded connection may stay silent (watches, exec, logs -f).',
          ),
        redirect: redirect.optional(),
      })
      .describe('The public listener.'),
    admin: addressSchema
      .optional()
      .describe(
        `Envoy’s administration interface. Never publish it. Default: \`${DEFAULT_ADMIN}\`; with \`countersign up\` a socket of its own for each run.`,
      ),
    authzTimeout: durationSchema
      .prefault('5s')
      .describe('How long Envoy waits for a decision before it refuses with 503.'),
    authzAddress: addressesSchema
      .optional()
      .describe(
        'Where Envoy reaches authz, if not at `listen.authz`: `unix:PATH` or `HOST:PORT`. With `workers`, one address is that of worker 0, from which those of the other workers follow; a list has the address of each.',
      ),
    authzTls: clientTls('authz')
      .optional()
      .describe('Envoy’s side of `listen.authz.tls`; both or neither.'),
    issuerAddress: addressesSchema
      .optional()
      .describe(
        'Where Envoy reaches the issuer, if not at `listen.issuer`: `unix:PATH` or `HOST:PORT`, or a list, as for `authzAddress`.',
      ),
    issuerTls: clientTls('the issuer')
      .optional()
      .describe('Envoy’s side of `listen.issuer.tls`; both or neither.'),
    signerAddress: addressSchema
      .refine(({ kind }) => kind === 'unix', 'must be "unix:PATH": the signer has no network')
      .optional()
      .describe('Where Envoy reaches the signer; needed where a route forwards a certificate.'),
    rateLimits: rateLimitsSchema,
    accessLog: pathSchema
      .optional()
      .describe(
        'File that Envoy appends a JSON line to for each connection and request that it refuses by itself, with the reason. Default: Envoy’s standard output.',
      ),
    maxHeapBytes: z
      .int()
      .min(67_108_864)
      .default(1_073_741_824)
      .describe(
        'Envoy sheds load as its heap nears this size. An identity with a certificate of its own takes some 80 KB.',
      ),
    upstreams: z.record(nameSchema, upstreamSchema).describe('Upstreams by name.'),
  })
  .transform(({ admin, ...envoy }) => ({
    ...envoy,
    admin: admin ?? addressSchema.parse(DEFAULT_ADMIN),
    /** Whether the configuration leaves it to `up` where Envoy's administration interface is. */
    adminIsDefault: admin === undefined,
  }))
  .describe('What `countersign envoy generate` needs to write the whole Envoy configuration.')

/** The parsed `envoy` section. */
export type EnvoyConfig = z.output<typeof envoySchema>
