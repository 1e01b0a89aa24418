// Further Envoys in front of the authz of a site, each with some changes to the generated bootstrap: as
// other operators configure theirs.

import { readFile } from 'node:fs/promises'
import { parseDocument } from 'yaml'
import { parseConfig } from '../../../src/configuration/parse.ts'
import { renderBootstrap } from '../../../src/envoy/bootstrap.ts'
import { extension } from '../../../src/envoy/message.ts'
import type { Target } from '../../servers/client.ts'
import { startEnvoy } from '../../servers/envoy.ts'
import type { Site } from '../site.ts'

/** A setting and its new value; without one it is taken out. */
export type Edit = readonly [path: readonly (string | number)[], value?: unknown]

/** An Envoy that callers connect to. */
export interface FurtherEnvoy extends AsyncDisposable {
  readonly target: Target
}

const CHAIN = ['static_resources', 'listeners', 0, 'filter_chains', 0] as const
const TLS = [...CHAIN, 'transport_socket', 'typed_config', 'common_tls_context'] as const
const MANAGER = [...CHAIN, 'filters', 0, 'typed_config'] as const
const UPSTREAM = ['static_resources', 'clusters', 1, 'load_assignment', 'endpoints', 0] as const
const UPSTREAM_ADDRESS = [...UPSTREAM, 'lb_endpoints', 0, 'endpoint', 'address'] as const

/** How the listener looks at certificates in the handshake. */
export const VALIDATION = [...TLS, 'validation_context'] as const

/** What Envoy writes into X-Forwarded-Client-Cert, and what it leaves there. */
export const forwarding = (details: string): readonly Edit[] => [
  [[...MANAGER, 'forward_client_cert_details'], details],
  // As Istio’s gateways have it: Subject, Cert, Dns, Uri.
  [
    [...MANAGER, 'set_current_client_cert_details'],
    { subject: true, cert: true, dns: true, uri: true },
  ],
]

/** Nothing of a certificate that Envoy writes without quotes. */
export const WITHOUT_NAMES: readonly Edit[] = [
  [[...MANAGER, 'set_current_client_cert_details'], { subject: true, cert: true }],
]

/** Only the connection manager removes the headers of callers; authz does not receive the certificate. */
export const LIKE_A_GATEWAY: readonly Edit[] = [
  [[...MANAGER, 'early_header_mutation_extensions']],
  [[...MANAGER, 'http_filters', 0, 'typed_config', 'include_peer_certificate'], false],
]

// RFC 9440 §2.1: the DER as a byte sequence of structured fields.
const CLIENT_CERT = `\
function envoy_on_request(handle)
  local connection = handle:streamInfo():downstreamSslConnection()
  if connection == nil or not connection:peerCertificatePresented() then return end
  local pem = connection:urlEncodedPemEncodedPeerCertificate()
  pem = pem:gsub("%%(%x%x)", function(digits) return string.char(tonumber(digits, 16)) end)
  local base64 = pem:gsub("%-%-%-%-%-[A-Z ]+%-%-%-%-%-", ""):gsub("%s", "")
  handle:headers():replace("client-cert", ":" .. base64 .. ":")
end
`

/** A proxy that calls no authz, and names its callers in both headers to the Envoy at the port. */
export const inFrontOf = (port: number): readonly Edit[] => [
  ...forwarding('SANITIZE_SET'),
  [
    [...MANAGER, 'http_filters'],
    [
      extension('envoy.filters.http.lua', 'filters.http.lua.v3.Lua', {
        default_source_code: { inline_string: CLIENT_CERT },
      }),
      extension('envoy.filters.http.router', 'filters.http.router.v3.Router'),
    ],
  ],
  [[...UPSTREAM_ADDRESS, 'socket_address', 'port_value'], port],
]

/** The configuration of a site, as text: for Envoys that are started after it has changed. */
export const configurationOf = (site: Site): Promise<string> => readFile(site.files.config, 'utf8')

let started = 0

/** Starts an Envoy with the bootstrap that is generated from a configuration, edited. */
export const startFurtherEnvoy = async (
  site: Site,
  configuration: string,
  edits: readonly Edit[],
): Promise<FurtherEnvoy> => {
  const parsed = parseConfig(site.files.config, configuration)
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems))
  const bootstrap = parseDocument(renderBootstrap(parsed.config))
  started += 1
  const admin: Edit = [['admin', 'address', 'pipe', 'path'], `${site.files.config}.${started}.sock`]
  for (const [path, value] of [...edits, admin]) {
    if (value === undefined) bootstrap.deleteIn(path)
    else bootstrap.setIn(path, bootstrap.createNode(value))
  }
  const envoy = await startEnvoy({ bootstrap: bootstrap.toString(), concurrency: 1 })
  return {
    target: { ...site.target, port: await envoy.port() },
    [Symbol.asyncDispose]: () => envoy[Symbol.asyncDispose](),
  }
}
