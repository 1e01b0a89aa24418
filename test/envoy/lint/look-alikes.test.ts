// Which headers the lint takes for removed, against what a real Envoy removes: names with other symbols, by every kind
// of matcher.

import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { readConfiguration } from '../../../src/envoy/lint/view/configuration.ts'
import { readDocument } from '../../../src/envoy/lint/view/document.ts'
import { managersOf } from '../../../src/envoy/lint/view/manager.ts'
import { isRemovedEarly } from '../../../src/envoy/lint/view/mutation.ts'
import { removalsOf } from '../../../src/envoy/removals.ts'
import { startReportingEnvoy, type ReportingEnvoy } from './reporting-envoy.ts'
import { skipWithoutEnvoy } from '../../servers/envoy.ts'
import { extension } from './corpus/case.ts'

const NAMES = [
  'x-remote-user',
  'x.remote-user',
  'x-remote~user',
  'x!remote^user',
  "x'remote`user",
  'xaremote-user',
  'x-remote',
  'client-cert',
  'client|cert',
  'client#cert*chain',
  'x-my.header',
  'accept-language',
]

const matching = (matcher: object): object => ({ remove_on_match: { key_matcher: matcher } })
const byExpression = (regex: string): object => matching({ safe_regex: { regex } })

const CASES: Readonly<Record<string, readonly object[]>> = {
  'by name': [{ remove: 'client-cert' }, { remove: 'X-Remote-User' }],
  'by prefix': [matching({ prefix: 'x-remote-', ignore_case: true })],
  'by a part': [matching({ contains: 'remote' }), matching({ suffix: 'cert*chain' })],
  'as generated': [
    ...removalsOf(
      { names: ['client-cert', 'client-cert-chain'], prefixes: ['x-remote-'] },
      { names: [], prefixes: [] },
    ),
  ],
  'in other spellings alone': [
    ...removalsOf(
      { names: [], prefixes: [] },
      { names: ['client-cert', 'client-cert-chain'], prefixes: ['x-remote-'] },
    ),
  ],
  'by any symbol': [byExpression('[a-z0-9-]+[^a-z0-9-].*')],
  'by some symbols': [byExpression('x[.!]remote[.^]user'), byExpression('client[|].*')],
  'by classes with symbols that repeat outside of them': [
    byExpression("x[!#$%&'*+.^_`|~-]remote[!#$%&'*+.^_`|~-]user"),
  ],
}

const listenerOf = (mutations: readonly object[], index: number): object => ({
  name: `case-${index}`,
  address: { socket_address: { address: '127.0.0.1', port_value: 0 } },
  filter_chains: [
    {
      filters: [
        extension('http', 'filters.network.http_connection_manager.v3.HttpConnectionManager', {
          stat_prefix: 'http',
          early_header_mutation_extensions: [
            extension(
              'envoy.http.early_header_mutation.header_mutation',
              'http.early_header_mutation.header_mutation.v3.HeaderMutation',
              { mutations },
            ),
          ],
          route_config: {
            virtual_hosts: [
              {
                name: 'all',
                domains: ['*'],
                routes: [{ match: { prefix: '/' }, route: { cluster: 'upstream' } }],
              },
            ],
          },
          http_filters: [extension('envoy.filters.http.router', 'filters.http.router.v3.Router')],
        }),
      ],
    },
  ],
})

describe('early removals of headers', { skip: skipWithoutEnvoy() }, () => {
  let running: ReportingEnvoy
  before(
    async () =>
      (running = await startReportingEnvoy(Object.values(CASES).map(listenerOf), (headers) =>
        Object.keys(headers),
      )),
  )
  after(() => running[Symbol.asyncDispose]())

  for (const [index, name] of Object.keys(CASES).entries()) {
    it(`${name} are those that the lint finds`, async () => {
      const reading = readDocument(running.bootstrap)
      assert.ok(reading.ok)
      const configuration = readConfiguration(reading.document.root)
      const manager = configuration && managersOf(configuration)[index]
      assert.ok(manager)
      const port = await running.envoy.port(`case-${index}`)
      const headers = Object.fromEntries(NAMES.map((header) => [header, 'sent']))
      const arrived: unknown = await (await fetch(`http://127.0.0.1:${port}/`, { headers })).json()
      assert.ok(Array.isArray(arrived))
      for (const header of NAMES) {
        assert.equal(isRemovedEarly(manager, header), !arrived.includes(header), header)
      }
    })
  }
})
