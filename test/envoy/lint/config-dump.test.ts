// What the administration interface shows of a running Envoy, and the forms in which control planes
// deliver configuration.

import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { parse } from 'yaml'
import { skipWithoutEnvoy, startEnvoy, type Envoy } from '../../servers/envoy.ts'
import { createPki, type Pki } from '../../servers/pki.ts'
import { temporaryFolder, type TemporaryFolder } from '../../servers/temporary.ts'
import {
  AUTHZ,
  changed,
  CLUSTERS,
  EXPECTED,
  FILTERS,
  GOOD,
  LISTENER,
  MANAGER,
  partOf,
  type Change,
  typed,
} from './corpus/case.ts'
import { found } from './found.ts'

describe('the config dump of a running Envoy', { skip: skipWithoutEnvoy() }, () => {
  let pki: Pki
  let folder: TemporaryFolder
  before(async () => {
    pki = await createPki()
    folder = await temporaryFolder()
  })
  after(async () => {
    await pki[Symbol.asyncDispose]()
    await folder[Symbol.asyncDispose]()
  })

  const start = async (changes: readonly Change[]): Promise<Envoy> => {
    const text = JSON.stringify(
      changed([[`${LISTENER}.address.socket_address.port_value`, 0], ...changes]),
    )
      .replaceAll('/pki/', `${pki.folder}/`)
      .replaceAll('/run/countersign/', `${folder.path}/`)
    return await startEnvoy({ bootstrap: text, concurrency: 1 })
  }

  it('is as good as its bootstrap', async () => {
    await using envoy = await start([])
    for (const query of ['', '?include_eds', '?mask=bootstrap', '?resource=static_listeners']) {
      const dump = await envoy.admin(`/config_dump${query}`)
      assert.deepEqual(found(dump, { expected: EXPECTED }).filter(isKnown), [], query)
    }
  })

  // A dump that was cut down may lack the clusters.
  const isKnown = ({ rule }: { readonly rule: string }): boolean => rule !== 'not-in-file'

  it('has the faults of its bootstrap, at their place in the dump', async () => {
    await using envoy = await start([
      [`${AUTHZ}.failure_mode_allow`, true],
      [`${CLUSTERS}[2].transport_socket.typed_config.max_session_keys`],
    ])
    const dump = await envoy.admin('/config_dump')
    const rows = found(dump, { expected: EXPECTED }).map(({ rule, at }) => `${rule} ${at}`)
    const socket = 'cluster.transport_socket.typed_config'
    assert.deepEqual(rows.toSorted(), [
      `failure-allowed configs[2].static_listeners[0].listener.${AUTHZ.slice(LISTENER.length + 1)}.failure_mode_allow`,
      `session-resumed configs[1].static_clusters[3].${socket}.max_session_keys`,
    ])
  })
})

describe('a config dump', () => {
  const bootstrap = changed([['static_resources']])
  const routes = partOf(`${MANAGER}.route_config`)
  const manager = {
    ...Object(partOf(MANAGER)),
    route_config: undefined,
    rds: { route_config_name: 'countersign' },
  }
  const edgeWith = (...changes: readonly Change[]): object =>
    typed('envoy.config.listener.v3.Listener', partOf(LISTENER, changed(changes)))
  const listeners = (state: string): object =>
    typed('envoy.admin.v3.ListenersConfigDump', {
      dynamic_listeners: [
        {
          name: 'edge',
          [state]: { listener: edgeWith([MANAGER, manager]) },
        },
      ],
    })
  const clusters = typed('envoy.admin.v3.ClustersConfigDump', {
    dynamic_active_clusters: [0, 1, 2, 3].map((index) => ({
      cluster: typed('envoy.config.cluster.v3.Cluster', partOf(`${CLUSTERS}[${index}]`)),
    })),
  })
  const tables = (name: string): object =>
    typed('envoy.admin.v3.RoutesConfigDump', {
      dynamic_route_configs: [
        {
          route_config: typed('envoy.config.route.v3.RouteConfiguration', {
            ...Object(routes),
            name,
          }),
        },
      ],
    })
  const dump = (...configs: readonly object[]): string =>
    JSON.stringify({
      configs: [typed('envoy.admin.v3.BootstrapConfigDump', { bootstrap }), ...configs],
    })

  it('of an Envoy whose listeners, routes and clusters come from a control plane', () => {
    const text = dump(listeners('active_state'), clusters, tables('countersign'))
    assert.deepEqual(found(text, { expected: EXPECTED }), [])
  })

  it('counts listeners that are warming, but none that drain or failed', () => {
    const rules = (state: string): readonly string[] =>
      found(dump(listeners(state), clusters, tables('countersign'))).map(({ rule }) => rule)
    assert.deepEqual(rules('warming_state'), ['update-waiting'])
    assert.deepEqual(rules('draining_state'), ['ext-authz-missing'])
    assert.deepEqual(rules('error_state'), ['ext-authz-missing', 'update-refused'])
  })

  it('without the routes that a listener names', () => {
    const text = dump(listeners('active_state'), clusters, tables('other'))
    const [finding, ...others] = found(text)
    assert.deepEqual([finding?.rule, others], ['not-in-file', []])
    assert.match(finding?.at ?? '', /rds\.route_config_name$/)
  })

  it('without a bootstrap', () => {
    const text = JSON.stringify({
      configs: [listeners('active_state'), clusters, tables('countersign')],
    })
    assert.deepEqual(found(text), [])
  })

  it('with nothing but a bootstrap', () => {
    const whole = JSON.stringify({
      configs: [typed('envoy.admin.v3.BootstrapConfigDump', { bootstrap: parse(GOOD) })],
    })
    assert.deepEqual(found(whole, { expected: EXPECTED }), [])
    assert.deepEqual(
      found(whole.replace('"failure_mode_allow":false', '"failure_mode_allow":true')),
      [
        {
          rule: 'failure-allowed',
          severity: 'error',
          at: `configs[0].bootstrap.${AUTHZ}.failure_mode_allow`,
        },
      ],
    )
  })

  it('with filters that are delivered by themselves', () => {
    const discovered = {
      name: 'envoy.filters.http.ext_authz',
      config_discovery: { config_source: { ads: {} }, type_urls: ['x'] },
    }
    const delivered = typed('envoy.admin.v3.EcdsConfigDump', {
      ecds_filters: [
        {
          ecds_filter: typed('envoy.config.core.v3.TypedExtensionConfig', partOf(`${FILTERS}[0]`)),
        },
      ],
    })
    const listening = typed('envoy.admin.v3.ListenersConfigDump', {
      static_listeners: [{ listener: edgeWith([`${FILTERS}[0]`, discovered]) }],
    })
    assert.deepEqual(found(dump(listening, clusters, delivered), { expected: EXPECTED }), [])
    const rules = found(dump(listening, clusters), { expected: EXPECTED }).map(({ rule }) => rule)
    assert.deepEqual(rules, ['ext-authz-missing', 'not-in-file'])
  })

  it('shows the place in a cluster that a control plane delivered', () => {
    const text = dump(listeners('active_state'), clusters, tables('countersign')).replace(
      '"trusted_ca":{"filename":"/pki/ca.pem"},"match',
      '"match',
    )
    const at =
      'configs[2].dynamic_active_clusters[1].cluster.transport_socket.typed_config.common_tls_context.validation_context'
    assert.deepEqual(found(text), [{ rule: 'upstream-unverified', severity: 'error', at }])
  })
})
