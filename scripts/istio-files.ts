// What of deploy/istio is made from the source, for the configuration in the values for Istio.

import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { parse, stringify } from 'yaml'
import { z } from 'zod'
import { parseConfig } from '../src/configuration/parse.ts'
import { ConfigurationError } from '../src/config/problem.ts'
import type { Config } from '../src/configuration/schema.ts'
import { renderDelegationHop } from '../src/envoy/istio/delegation-hop.ts'
import { renderEnvoyFilter } from '../src/envoy/istio/envoy-filter.ts'
import { shortestLifetime } from '../src/envoy/identity-certificate.ts'

/** The values of the chart for Istio. */
export const ISTIO_VALUES = resolve(
  import.meta.dirname,
  '../deploy/kubernetes/examples/istio.values.yaml',
)

const valuesSchema = z.looseObject({ config: z.looseObject({}) })

/** countersign.yaml in these values, with what the chart writes itself. */
export const istioConfiguration = async (
  own: Readonly<Record<string, unknown>>,
): Promise<Record<string, unknown>> => {
  const { config } = valuesSchema.parse(parse(await readFile(ISTIO_VALUES, 'utf8')))
  return { version: 1, ...config, ...own }
}

const LISTEN = {
  authz: { address: '0.0.0.0:9001', plaintext: true },
  issuer: { address: '0.0.0.0:8081', plaintext: true },
}
const KEYRING = 'file:/etc/countersign/secrets/countersign-grants/grant.keys'
const SIGNER = { kind: 'unix', path: '/run/countersign/signer.sock' } as const

/** Their names and what they hold. */
export const istioFiles = async (): Promise<
  readonly { readonly name: string; readonly contents: string }[]
> => {
  const config = await parsed()
  const service = { host: 'kube-apiserver.internal', port: 443 }
  return [
    { name: 'envoy-filter.yaml', contents: renderEnvoyFilter(config) },
    {
      name: 'envoy-filter-certificates.yaml',
      contents: renderEnvoyFilter(config, { certificates: { signer: SIGNER, service } }),
    },
    { name: 'delegation-hop.envoy.yaml', contents: renderDelegationHop(hopFor(config)) },
  ]
}

const parsed = async (): Promise<Config> => {
  const text = stringify(
    await istioConfiguration({ listen: LISTEN, certificateGrants: { keyring: KEYRING } }),
  )
  const result = parseConfig(ISTIO_VALUES, text)
  if (!result.ok) throw new ConfigurationError(result.problems)
  return result.config
}

const TLS = '/etc/countersign/secrets/countersign-hop-tls'

const hopFor = (config: Config): Parameters<typeof renderDelegationHop>[0] => ({
  address: { kind: 'tcp', host: '0.0.0.0', port: 8_443 },
  certificate: `${TLS}/tls.crt`,
  key: `${TLS}/tls.key`,
  gateway: { ca: `${TLS}/ca.crt`, name: 'gateway.istio-ingress.svc' },
  signer: SIGNER,
  upstream: {
    address: [{ kind: 'tcp', host: 'kubernetes.default.svc', port: 443 }],
    plaintext: false,
    ca: '/etc/countersign/configmaps/kube-root-ca.crt/ca.crt',
    serverName: 'kubernetes',
    protocol: 'http1',
    connectTimeout: 5_000,
  },
  lifetime: shortestLifetime(config, 'kubernetes') ?? 0,
})
