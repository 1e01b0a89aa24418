// The ingress gateway of Istio in tests: its config dump, with changes, and what Countersign expects.

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Expectations } from '../../../src/envoy/lint/expectations.ts'
import type { LintOptions } from '../../../src/envoy/lint/lint.ts'
import { changedIn, EXPECTED, partOf, type Change } from './corpus/case.ts'
import { found, type Found } from './found.ts'

/** The text of istio.yaml. */
export const GATEWAY = readFileSync(join(import.meta.dirname, 'istio.yaml'), 'utf8')

// Where things are in it.

export const LISTENER = 'configs[3].dynamic_listeners[1].active_state.listener'
export const MANAGER = `${LISTENER}.filter_chains[0].filters[0].typed_config`
export const TLS = `${LISTENER}.filter_chains[0].transport_socket.typed_config`
export const FILTERS = `${MANAGER}.http_filters`
export const SHADOW = `${FILTERS}[1].typed_config`
export const AUTHZ = `${FILTERS}[2].typed_config`
export const CLUSTER = 'configs[1].dynamic_active_clusters'

/** What countersign.yaml says: an API server on app.test, with certificates and tokens. */
export const EXPECTING: Expectations = {
  ...EXPECTED,
  authz: [{ kind: 'tcp', host: '0.0.0.0', port: 9000 }],
  hosts: new Set(['app.test']),
  kubernetes: new Set(['kube']),
  credentials: new Map([
    [
      'kube',
      [
        { kind: 'connection-certificate', authenticator: 'machines' },
        { kind: 'header', name: 'authorization', authenticator: 'staff' },
      ],
    ],
  ]),
}

/** The dump with changes, as JSON. */
export const gateway = (...changes: readonly Change[]): string =>
  JSON.stringify(changedIn(GATEWAY, changes))

/** A part of the dump. */
export const at = (path: string): unknown => partOf(path, changedIn(GATEWAY, []))

// What there is to be said of every such gateway.
const USUAL: ReadonlySet<string> = new Set([
  'judged-by-policy', // shop.test
  'route-name-missing',
  'client-certificate-not-requested', // over plain HTTP
])

/** What is found beyond that. */
export const faults = (
  text: string,
  options: LintOptions = { expected: EXPECTING },
): readonly Found[] =>
  found(text, options).filter(({ rule, at: place }) => !USUAL.has(rule) || place.startsWith(TLS))
