// The predicted effect on a header, compared with a real Envoy: removals and additions at every level, in every
// order.

import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { managersOf } from '../../../src/envoy/lint/view/manager.ts'
import { readConfiguration } from '../../../src/envoy/lint/view/configuration.ts'
import { readDocument } from '../../../src/envoy/lint/view/document.ts'
import { forwardedHeader } from '../../../src/envoy/lint/view/forwarded-header.ts'
import { startReportingEnvoy, type ReportingEnvoy } from './reporting-envoy.ts'
import { skipWithoutEnvoy } from '../../servers/envoy.ts'
import { extension } from './corpus/case.ts'

const NAME = 'x-countersign-source'
const ADDRESS = '%DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT%'
const NOTHING = '%DOWNSTREAM_PEER_CERT%' // of a connection in the clear
const SAID = 'said-by-the-caller'

const REMOVED = { request_headers_to_remove: ['X-Countersign-Source'] }

const added = (action?: string, value = ADDRESS): object => ({
  request_headers_to_add: [
    {
      header: { key: NAME, value },
      ...(action === undefined ? {} : { append_action: action }),
    },
  ],
})
const OVERWRITE = 'OVERWRITE_IF_EXISTS_OR_ADD'

/** One connection manager with one route. */
interface Case {
  readonly name: string
  readonly manager?: object
  readonly filters?: readonly object[]
  readonly table?: object
  readonly host?: object
  readonly route?: object
  /** Of a weighted cluster. */
  readonly part?: object
}

const mutations = (...all: readonly object[]): object =>
  extension(
    'envoy.filters.http.header_mutation',
    'filters.http.header_mutation.v3.HeaderMutation',
    {
      mutations: { request_mutations: all },
    },
  )
const early = (...all: readonly object[]): object => ({
  early_header_mutation_extensions: [
    extension(
      'envoy.http.early_header_mutation.header_mutation',
      'http.early_header_mutation.header_mutation.v3.HeaderMutation',
      { mutations: all },
    ),
  ],
})

const CASES: readonly Case[] = [
  { name: 'nothing said' },
  { name: 'removed early', manager: early({ remove: NAME }) },
  { name: 'removed early, added', manager: early({ remove: NAME }), route: added() },
  { name: 'appended to the value of the caller', route: added() },
  { name: 'appended to the value of the caller, by name', route: added('APPEND_IF_EXISTS_OR_ADD') },
  { name: 'added where there is none', route: added('ADD_IF_ABSENT') },
  { name: 'overwritten', route: added(OVERWRITE) },
  { name: 'overwritten where there is one', route: added('OVERWRITE_IF_EXISTS') },
  { name: 'overwritten with what may be nothing', route: added(OVERWRITE, NOTHING) },
  { name: 'overwritten with a text', route: added(OVERWRITE, 'fixed') },
  { name: 'removed', route: REMOVED },
  { name: 'removed and added', route: { ...REMOVED, ...added(OVERWRITE) } },
  {
    name: 'removed and added, which may be nothing',
    route: { ...REMOVED, ...added(OVERWRITE, NOTHING) },
  },
  { name: 'added by the route, removed by the host', route: added(OVERWRITE), host: REMOVED },
  { name: 'added by the host, removed by the route', route: REMOVED, host: added() },
  { name: 'removed by the table alone', table: REMOVED },
  { name: 'added by the route, removed by the table', route: added(), table: REMOVED },
  {
    name: 'the same, where the most specific wins',
    route: added(),
    table: { ...REMOVED, most_specific_header_mutations_wins: true },
  },
  { name: 'added by a weighted cluster, removed by the route', part: added(), route: REMOVED },
  { name: 'removed by a weighted cluster, added by the route', part: REMOVED, route: added() },
  {
    name: 'the same of a weighted cluster, where the most specific wins',
    part: REMOVED,
    route: added(),
    table: { most_specific_header_mutations_wins: true },
  },
  { name: 'removed by a filter', filters: [mutations({ remove: NAME })] },
  {
    name: 'removed by a filter, added by the route',
    filters: [mutations({ remove: NAME })],
    route: added(),
  },
  {
    name: 'overwritten by a filter',
    filters: [
      mutations({ append: { header: { key: NAME, value: ADDRESS }, append_action: OVERWRITE } }),
    ],
  },
]

const listenerOf = (one: Case, index: number): object => ({
  name: `case-${index}`,
  address: { socket_address: { address: '127.0.0.1', port_value: 0 } },
  filter_chains: [
    {
      filters: [
        extension('http', 'filters.network.http_connection_manager.v3.HttpConnectionManager', {
          stat_prefix: 'http',
          ...one.manager,
          route_config: {
            ...one.table,
            virtual_hosts: [
              {
                name: 'all',
                domains: ['*'],
                routes: [{ match: { prefix: '/' }, route: actionOf(one), ...one.route }],
                ...one.host,
              },
            ],
          },
          http_filters: [
            ...(one.filters ?? []),
            extension('envoy.filters.http.router', 'filters.http.router.v3.Router'),
          ],
        }),
      ],
    },
  ],
})

const actionOf = ({ part }: Case): object =>
  part === undefined
    ? { cluster: 'upstream' }
    : { weighted_clusters: { clusters: [{ name: 'upstream', weight: 1, ...part }] } }

describe('a header on its way', { skip: skipWithoutEnvoy() }, () => {
  let running: ReportingEnvoy
  before(
    async () =>
      (running = await startReportingEnvoy(
        CASES.map(listenerOf),
        (headers) => headers[NAME] ?? '',
      )),
  )
  after(() => running[Symbol.asyncDispose]())

  /** What the upstream finds in it. */
  const received = async (index: number, headers: Readonly<Record<string, string>>) => {
    const port = await running.envoy.port(`case-${index}`)
    const answer = await fetch(`http://127.0.0.1:${port}/`, { headers })
    return String(await answer.json())
  }

  for (const [index, { name, part, route }] of CASES.entries()) {
    it(`${name}: the upstream of Envoy receives the same`, async () => {
      const reading = readDocument(running.bootstrap)
      assert.ok(reading.ok)
      const configuration = readConfiguration(reading.document.root)
      assert.ok(configuration)
      const manager = managersOf(configuration)[index]
      const [first] = manager?.routes ?? []
      assert.ok(manager && first)
      const judged = forwardedHeader(manager, first, NAME)
      const forged = await received(index, { [NAME]: SAID })
      assert.equal(judged.forgeable, forged.includes(SAID), forged)
      if (JSON.stringify([part, route]).includes(NOTHING)) return // there is nothing to be seen
      assert.equal(judged.written !== undefined, (await received(index, {})) !== '')
    })
  }
})
