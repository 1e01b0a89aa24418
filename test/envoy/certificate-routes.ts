// Configurations whose routes forward certificates, and the resulting bootstrap.

import assert from 'node:assert/strict'
import type { Config } from '../../src/configuration/schema.ts'
import { envoyBootstrap } from '../../src/envoy/bootstrap.ts'
import { configOf } from './edge.ts'
import { having, type Parts } from './fields.ts'

const LISTENER = { address: '0.0.0.0:8443', certificate: 'edge.pem', key: 'edge.key' }
/** An upstream to which Envoy can show a certificate of its own. */
export const UPSTREAM = {
  address: '10.0.0.1:6443',
  ca: 'ca.pem',
  certificate: 'front-proxy.pem',
  key: 'front-proxy.key',
}
const CERTIFICATE = { ca: 'kube', subject: { CN: 'identity.user' } }

/** A route with a certificate of that lifetime, or with none. */
export const route = (name: string, lifetime?: string, more: Parts = {}): object => ({
  name,
  match: { paths: [`/${name}/**`] },
  authenticate: ['staff'],
  authorize: [{ allow: 'all' }],
  ...(lifetime === undefined ? {} : { forward: { certificate: { ...CERTIFICATE, lifetime } } }),
  ...more,
})

/** A configuration with these routes and these parts of its `envoy` section. */
export const configWith = (routes: readonly object[], envoy: Parts = {}): Config =>
  configOf('/etc/countersign', {
    routes,
    certificateGrants: { keyring: 'file:grant.keys' },
    envoy: {
      listener: LISTENER,
      signerAddress: 'unix:/run/signer.sock',
      upstreams: { app: UPSTREAM },
      ...envoy,
    },
  })

/** The bootstrap of such a configuration. */
export const bootstrapOf = (routes: readonly object[], envoy?: Parts): object =>
  envoyBootstrap(configWith(routes, envoy))

/** Every cluster, in order. */
export const clustersIn = (bootstrap: object): readonly Parts[] =>
  having(bootstrap, 'load_assignment')

/** The one cluster of that name. */
export const clusterIn = (bootstrap: object, name: string): Parts => {
  const [cluster, ...more] = clustersIn(bootstrap).filter((found) => found['name'] === name)
  assert.ok(cluster !== undefined && more.length === 0, name)
  return cluster
}
