// The configuration file as a schema: one source for the types, the defaults, the published JSON
// Schema and docs/reference/countersign-yaml/. It says what a value may look like; whether names refer
// to something that exists is decided in `parse.ts`.

import * as z from 'zod'
import { logSchema } from '../config/log-schema.ts'
import { tracingSchema } from '../config/tracing-schema.ts'
import { apiServerSchema } from '../clients/kubernetes/api-server-schema.ts'
import { auditSchema } from '../audit/schema.ts'
import { authenticatorSchema } from '../authenticate/schema.ts'
import { envoySchema } from './envoy-schema.ts'
import { forwardSchema } from '../transform/schema.ts'
import { issuerSchema } from './issuer-schema.ts'
import { openapiSchema } from '../request/openapi-schema.ts'
import { credentialCacheSchema } from '../authenticate/credential-cache-schema.ts'
import { limitsSchema } from '../request/limits-schema.ts'
import { DEFAULT_GRPC_SERVER, GRPC_SERVERS } from '../runtime/grpc/grpc-server.ts'
import { policyTestsSchema } from './policy-tests-schema.ts'
import { authorizeSchema } from '../authorize/schema.ts'
import { workersSchema } from './workers-schema.ts'
import { stateSchema } from '../state/schema.ts'
import {
  addressSchema,
  hostPatternSchema,
  nameSchema,
  pathSchema,
  secretSchema,
  versionSchema,
  type Address,
} from '../config/values.ts'

// Envoy's user reaches the socket through its group.
const DEFAULT_SOCKET_MODE = '0660'

const tlsFiles = {
  certificate: pathSchema.describe('PEM file: the certificate chain that authz presents.'),
  key: secretSchema.describe('The private key of that certificate, PEM.'),
  clientCa: pathSchema.describe(
    'PEM file: the CA whose client certificates (Envoy’s) are accepted.',
  ),
}

const tls = z.strictObject(tlsFiles).describe('Mutual TLS between Envoy and authz.')

const issuerTls = z
  .strictObject({
    ...tlsFiles,
    clientNames: z
      .array(z.string().min(1))
      .min(1)
      .optional()
      .describe(
        'DNS names or URIs of which the client certificate must have one (subjectAltName). Absent: any certificate of `clientCa`.',
      ),
  })
  .describe(
    'Mutual TLS between Envoy and the issuer. The caller’s address and certificate, as Envoy sends them, are trusted over it and over a UNIX socket; never over a TCP address without it.',
  )

const listener = z
  .strictObject({
    address: addressSchema.describe('`unix:PATH` or `HOST:PORT`.'),
    tls: tls.optional(),
    plaintext: z
      .boolean()
      .default(false)
      .describe(
        'Accept a TCP address that is not loopback without TLS. Callers’ passwords and tokens then cross that network in the clear, unless something else (a service mesh) encrypts it.',
      ),
    mode: z
      .string()
      .regex(/^0?[0-7]{3}$/, 'must be an octal file mode such as "0660"')
      .default(DEFAULT_SOCKET_MODE)
      .describe('File mode of a UNIX socket. Envoy’s user needs write permission.'),
    server: z
      .enum(GRPC_SERVERS)
      .default(DEFAULT_GRPC_SERVER)
      .describe(
        'The implementation of gRPC: `built-in` is Countersign’s own; `grpc-js` is the library of that name, the reference implementation, at many times the CPU time for each call.',
      ),
  })
  .describe('A listener written out in full.')

/** The keys of a listener that can speak HTTP in the clear. */
const httpListenerKeys = (exposure: string) => ({
  address: addressSchema.describe('`unix:PATH` or `HOST:PORT`.'),
  plaintext: z.boolean().default(false).describe(exposure),
  mode: z
    .string()
    .regex(/^0?[0-7]{3}$/, 'must be an octal file mode such as "0660"')
    .default(DEFAULT_SOCKET_MODE)
    .describe('File mode of a UNIX socket. Clients need write permission.'),
})

const adminListener = z
  .strictObject(
    httpListenerKeys(
      'Accept a TCP address that is not loopback, as Kubernetes probes need it. Every client that can connect can read the metrics, which contain names of routes, authenticators and issuers.',
    ),
  )
  .describe('A listener written out in full.')

// For the user of authz alone.
const DEBUG_MODE = '0600'

const socketSchema = addressSchema.refine(
  ({ kind }) => kind === 'unix',
  'must be "unix:PATH": what it tells has names of users',
)

const debugListener = z
  .strictObject({
    address: socketSchema.describe('`unix:PATH`.'),
    mode: z
      .string()
      .regex(/^0?[0-7]{3}$/, 'must be an octal file mode such as "0660"')
      .default(DEBUG_MODE)
      .describe('File mode of the socket. Operators need write permission.'),
  })
  .transform((written) => ({ ...written, plaintext: false }))
  .describe('A socket with a mode of its own.')

const issuerListener = z
  .strictObject({
    ...httpListenerKeys(
      'Accept a TCP address that is not loopback without `tls`, for key sets alone: the key set is public, but the network must protect it from changes. Passwords entered at the login page would cross it in the clear.',
    ),
    tls: issuerTls.optional(),
  })
  .describe('A listener written out in full.')

/** The listener of an address alone: the defaults of everything else. */
const listenerAt = (address: Address): HttpListenerConfig => ({
  address,
  plaintext: false,
  mode: DEFAULT_SOCKET_MODE,
})

const listen = z
  .strictObject({
    authz: z
      .union([
        addressSchema.transform((address): ListenerConfig => ({
          address,
          plaintext: false,
          mode: DEFAULT_SOCKET_MODE,
          server: DEFAULT_GRPC_SERVER,
        })),
        listener,
      ])
      .describe('Where Envoy reaches the ext_authz service (gRPC) and `grpc.health.v1`.'),
    issuer: z
      .union([
        addressSchema.transform((address): IssuerListenerConfig => listenerAt(address)),
        issuerListener,
      ])
      .optional()
      .describe(
        'The listener of the issuer (HTTP): key set, discovery document, login page. Publish it through Envoy. A UNIX socket, or a TCP address with `tls`. Required with `issuer`.',
      ),
    admin: z
      .union([addressSchema.transform(listenerAt), adminListener])
      .optional()
      .describe(
        'Where `/livez`, `/readyz` and `/metrics` (Prometheus) are read, over HTTP. Never publish it. Absent: nowhere.',
      ),
    debug: z
      .union([
        socketSchema.transform((address) => ({ ...listenerAt(address), mode: DEBUG_MODE })),
        debugListener,
      ])
      .optional()
      .describe(
        'A UNIX socket over which `countersign debug` follows checks on the running process, with names of users. Absent: nowhere.',
      ),
  })
  .describe('Where Countersign listens.')

const all = z
  .strictObject({
    all: z
      .array(nameSchema)
      .min(2)
      .describe('Each of them must verify its credential. The identity is that of the first.'),
    sameUser: z.boolean().default(false).describe('Refuse unless all of them name the same user.'),
  })
  .describe('Several credentials at once.')

const route = z
  .strictObject({
    name: nameSchema.describe(
      'Names the route in audit events and in Envoy’s `countersign.route` context extension.',
    ),
    match: z
      .strictObject({
        hosts: z
          .array(hostPatternSchema)
          .min(1)
          .default(['*'])
          .describe('Host names without port; `*.example.org` matches every name below it.'),
        paths: z
          .array(z.string().startsWith('/', 'must start with "/"'))
          .min(1)
          .default(['/**'])
          .describe('Path globs, as in rules.'),
        ambiguousPaths: z
          .enum(['refuse', 'allow'])
          .default('refuse')
          .describe(
            'What happens to a path of this route that some servers would treat as one of another route of the host: in capitals, with path parameters (`/admin;x/`), with a slash at the end, or in another Unicode form. `refuse`: 400, `ambiguous-path`. `allow`: it takes this route, for upstreams that distinguish such paths. A path that, decoded, belongs to an earlier route while Envoy chose this one is always refused.',
          ),
      })
      .prefault({})
      .describe('Which requests match this route. The first route that matches is used.'),
    kind: z
      .enum(['http', 'kubernetes'])
      .default('http')
      .describe(
        'What is published. `kubernetes`: an API server; requests are parsed as it parses them, rules can name verbs and resources, and refusals are Status objects.',
      ),
    upstream: nameSchema
      .optional()
      .describe(
        'The entry of `envoy.upstreams` that serves the route. Default: the one with the route’s own name.',
      ),
    authenticate: z
      .array(z.union([nameSchema, all]))
      .min(1)
      .describe('Authenticators in order; the first whose kind of credential is present decides.'),
    authorize: authorizeSchema,
    openapi: openapiSchema.optional(),
    apiServer: apiServerSchema.optional(),
    forward: forwardSchema.prefault({}),
    onAuditFailure: z
      .enum(['deny', 'allow'])
      .default('deny')
      .describe('What happens to a permitted request whose audit event cannot be written.'),
  })
  .describe('A route: one published service.')

/** The configuration file, `countersign.yaml`. */
export const configSchema = z
  .strictObject({
    version: versionSchema,
    listen,
    workers: workersSchema,
    authenticators: z
      .record(nameSchema, authenticatorSchema)
      .describe('The authenticators, by name.'),
    routes: z.array(route).min(1).describe('The routes.'),
    certificateGrants: z
      .strictObject({
        keyring: secretSchema.describe(
          'The keys that seal certificate grants: one per line, made by `countersign keys grant`. The first seals, all open; the signer needs the same keyring.',
        ),
      })
      .optional()
      .describe(
        'The keys of certificate grants, which authz and the signer share; required where a route forwards a certificate.',
      ),
    issuer: issuerSchema.optional(),
    limits: limitsSchema,
    credentialCache: credentialCacheSchema,
    audit: auditSchema,
    state: stateSchema,
    log: logSchema,
    tracing: tracingSchema.optional(),
    envoy: envoySchema.optional(),
    tests: policyTestsSchema,
  })
  .describe('Countersign configuration.')

/** A parsed configuration: defaults filled in, durations in milliseconds, deeply frozen. */
export type Config = z.output<typeof configSchema>
/** One entry of `routes`. */
export type RouteConfig = z.output<typeof route>
/** `listen.authz`, written out in full. */
export type ListenerConfig = z.output<typeof listener>
/** `listen.admin`, written out in full. */
type HttpListenerConfig = z.output<typeof adminListener>
/** `listen.issuer`, written out in full. */
export type IssuerListenerConfig = z.output<typeof issuerListener>
