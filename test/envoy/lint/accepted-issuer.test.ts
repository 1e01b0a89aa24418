// Routes to the issuer that differ from what `envoy generate` writes and are as good, and what it writes.

import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { renderBootstrap } from '../../../src/envoy/bootstrap.ts'
import { expectationsOf, type Expectations } from '../../../src/envoy/lint/expectations.ts'
import { skipWithoutEnvoy, startEnvoy } from '../../servers/envoy.ts'
import { createPki, type Pki } from '../../servers/pki.ts'
import { temporaryFolder } from '../../servers/temporary.ts'
import { configOf, routesOf } from '../edge.ts'
import {
  API_ROUTE,
  changed,
  CLUSTERS,
  EXPECTED,
  extension,
  FILTERS,
  HOSTS,
  MANAGER,
  partOf,
  type Change,
} from './corpus/case.ts'
import {
  APART,
  ISSUER_HOST,
  LOGIN_ROUTE,
  LOGINS,
  PUBLISHED,
  SAYING,
  SESSION_ROUTE,
} from './corpus/issuer-site.ts'
import { found } from './found.ts'

const ISSUER_CLUSTER = `${CLUSTERS}[4]`
const CERTIFICATE = 'x-countersign-certificate'

const CASES: readonly {
  readonly name: string
  readonly change: readonly Change[]
  readonly expected?: Partial<Expectations>
}[] = [
  { name: 'what envoy generate writes', change: [] },
  {
    name: 'no timeout, which is then long enough',
    change: [[`${LOGIN_ROUTE}.route.timeout`]],
  },
  {
    name: 'no removals on the route after early removals',
    change: [[`${LOGIN_ROUTE}.request_headers_to_remove`]],
  },
  {
    name: 'what the host says of the caller',
    change: [
      [`${ISSUER_HOST}.request_headers_to_add`, SAYING.request_headers_to_add],
      ...[1, 2].map((index): Change => [`${ISSUER_HOST}.routes[${index}].request_headers_to_add`]),
    ],
  },
  {
    name: 'the field before append_action',
    change: [
      [
        `${LOGIN_ROUTE}.request_headers_to_add[0]`,
        {
          header: {
            key: 'X-Countersign-Source',
            value: '%DOWNSTREAM_DIRECT_REMOTE_ADDRESS_WITHOUT_PORT%',
          },
          append: false,
        },
      ],
    ],
  },
  {
    name: 'no certificate when login with certificates is disabled',
    change: [[`${LOGIN_ROUTE}.request_headers_to_add[1]`]],
    expected: { certificateLogin: false },
  },
  {
    name: 'another kind of match for where logins come back',
    change: [[`${SESSION_ROUTE}.match`, { path_separated_prefix: '/.countersign' }]],
  },
  {
    name: 'a regular expression for it',
    change: [[`${SESSION_ROUTE}.match`, { safe_regex: { regex: '/\\.countersign/.+' } }]],
  },
  {
    name: 'a route for it that looks at more than the path',
    change: [
      [
        `${SESSION_ROUTE}.match`,
        { prefix: '/.countersign/', query_parameters: [{ name: 'state', present_match: true }] },
      ],
    ],
  },
  {
    name: 'a route before it that looks at more than the path',
    change: [
      [
        `${HOSTS}[1].routes`,
        [
          {
            ...Object(partOf(API_ROUTE)),
            match: { prefix: '/', query_parameters: [{ name: 'v', present_match: true }] },
          },
          partOf(SESSION_ROUTE, changed(PUBLISHED)),
          partOf(API_ROUTE),
        ],
      ],
    ],
  },
  {
    name: 'a connection manager that ends every request, in place of the route',
    change: [[`${LOGIN_ROUTE}.route.max_stream_duration`], [`${MANAGER}.request_timeout`, '10s']],
  },
  {
    name: 'a rate limit service in place of Envoy’s own limits',
    change: [
      [
        `${FILTERS}[3]`,
        extension('envoy.filters.http.ratelimit', 'filters.http.ratelimit.v3.RateLimit', {
          domain: 'issuer',
          rate_limit_service: {
            transport_api_version: 'V3',
            grpc_service: { envoy_grpc: { cluster_name: 'rates' } },
          },
        }),
      ],
      [`${LOGIN_ROUTE}.typed_per_filter_config["envoy.filters.http.local_ratelimit"]`],
    ],
  },
  {
    name: 'a buffer for every route',
    change: [
      [`${FILTERS}[4].disabled`],
      [`${LOGIN_ROUTE}.typed_per_filter_config["envoy.filters.http.buffer"]`],
    ],
  },
  {
    name: 'a host with sessions that this Envoy does not serve',
    change: [[SESSION_ROUTE]],
    expected: { sessionHosts: new Set(['elsewhere.example.net']) },
  },
  {
    name: 'a cluster of another name, at the address of the issuer',
    change: [
      [`${ISSUER_CLUSTER}.name`, 'pages'],
      [`${SESSION_ROUTE}.route.cluster`, 'pages'],
      ...[0, 1, 2].map((index): Change => [
        `${ISSUER_HOST}.routes[${index}].route.cluster`,
        'pages',
      ]),
    ],
  },
]

describe('nothing is found with', () => {
  for (const { name, change, expected } of CASES) {
    it(name, () => {
      const text = JSON.stringify(changed([...PUBLISHED, ...change]))
      assert.deepEqual(found(text, { expected: { ...EXPECTED, ...LOGINS, ...expected } }), [])
    })
  }

  it('no finding about a certificate without countersign.yaml', () => {
    const change: Change = [`${LOGIN_ROUTE}.request_headers_to_add[1]`]
    assert.deepEqual(found(JSON.stringify(changed([...PUBLISHED, change]))), [])
  })

  it('a listener for the issuer alone, with and without countersign.yaml', () => {
    const text = JSON.stringify(changed(APART))
    assert.deepEqual(found(text, { expected: { ...EXPECTED, ...LOGINS } }), [])
    assert.deepEqual(found(text), [])
  })
})

describe('routes to the issuer', () => {
  const rules = (change: readonly Change[], expected?: Expectations): readonly string[] =>
    found(JSON.stringify(changed([...PUBLISHED, ...change])), { expected }).map(({ rule }) => rule)

  it('are known by a name too, where there is no countersign.yaml', () => {
    const renamed = (name: string): readonly Change[] => [
      [`${ISSUER_CLUSTER}.name`, name],
      [`${LOGIN_ROUTE}.route.cluster`, name],
      [`${LOGIN_ROUTE}.request_headers_to_add[0].header.value`, '%REQ(X-REAL-IP)%'],
    ]
    assert.ok(rules(renamed('countersign-issuer')).includes('issuer-caller-wrong'))
    // Another cluster is not known to be the issuer: it bypasses authz, which is reported.
    const others = rules(renamed('pages'))
    assert.deepEqual(
      others.filter((rule) => rule.startsWith('issuer')),
      [],
    )
    assert.ok(others.includes('ext-authz-disabled'))
  })

  it('may not be written by a filter either, as far as it can be seen', () => {
    const mutation = {
      name: 'envoy.filters.http.header_mutation',
      typed_config: {
        '@type':
          'type.googleapis.com/envoy.extensions.filters.http.header_mutation.v3.HeaderMutation',
        mutations: {
          request_mutations: [
            {
              append: {
                header: { key: CERTIFICATE, value: '%REQ(X-CERTIFICATE)%' },
                append_action: 'OVERWRITE_IF_EXISTS_OR_ADD',
              },
            },
          ],
        },
      },
    }
    const change: readonly Change[] = [
      [`${FILTERS}[6]`, mutation],
      [`${LOGIN_ROUTE}.request_headers_to_remove`],
      [`${LOGIN_ROUTE}.request_headers_to_add[1]`],
    ]
    assert.ok(rules(change, { ...EXPECTED, ...LOGINS }).includes('issuer-caller-wrong'))
  })
})

describe('the output of envoy generate for the issuer', () => {
  const folder = '/etc/countersign'
  const configIn = (pki?: Pki) =>
    configOf(folder, {
      listen: { authz: 'unix:authz.sock', issuer: 'unix:issuer.sock' },
      issuer: {
        url: 'https://id.example.org',
        keys: 'signing-keys',
        login: { authenticators: ['staff', 'card'] },
      },
      authenticators: {
        staff: { basic: { verify: [{ users: { file: 'users.yaml' } }] } },
        card: { certificate: { trust: 'ca.pem' } },
        browser: { session: {} },
      },
      routes: routesOf([{ name: 'app', match: { hosts: ['app.example.org'] } }]).map((route) => ({
        ...route,
        authenticate: ['browser', 'staff'],
      })),
      envoy: {
        listener: {
          address: '127.0.0.1:0',
          ...(pki?.edge ?? { certificate: 'edge.pem', key: 'edge.key' }),
          clientCa: pki?.ca ?? 'ca.pem',
        },
        upstreams: { app: { address: '10.0.0.1:6443', ca: pki?.ca ?? 'ca.pem' } },
        ...(pki === undefined ? {} : { admin: `unix:${pki.folder}/admin.sock` }),
      },
    })

  it('passes the lint, and does not without what it says of the caller', () => {
    const config = configIn()
    const expected = expectationsOf(config)
    assert.deepEqual(expected.sessionHosts, new Set(['app.example.org']))
    assert.equal(expected.certificateLogin, true)
    const text = renderBootstrap(config)
    assert.deepEqual(found(text, { expected }), [])
    const spoilt = text.replaceAll('%DOWNSTREAM_PEER_CERT%', '%REQ(X-CERT)%')
    const rules = found(spoilt, { expected }).map(({ rule }) => rule)
    assert.deepEqual(new Set(rules), new Set(['issuer-caller-wrong']))
  })

  it('lets cookies through, in which sessions are', () => {
    const config = configIn()
    const text = renderBootstrap(config).replace(
      /^( *)- remove: forwarded$/m,
      '$1- remove: Cookie\n$&',
    )
    const rules = found(text, { expected: expectationsOf(config) }).map(({ rule }) => rule)
    assert.deepEqual(rules, ['credential-removed'])
  })

  describe('as a running Envoy shows it', { skip: skipWithoutEnvoy() }, () => {
    let pki: Pki
    before(async () => {
      pki = await createPki()
    })
    after(() => pki[Symbol.asyncDispose]())

    it('passes too, and its faults are found at their place in the dump', async () => {
      await using run = await temporaryFolder()
      const config = configIn(pki)
      const expected = expectationsOf(config)
      const text = renderBootstrap(config).replaceAll(`${folder}/`, `${run.path}/`)
      const dumpOf = async (bootstrap: string): Promise<string> => {
        await using envoy = await startEnvoy({ bootstrap, concurrency: 1 })
        return await envoy.admin('/config_dump')
      }
      assert.deepEqual(found(await dumpOf(text), { expected }), [])
      const spoilt = text.replaceAll('prefix: /.countersign/', 'prefix: /.countersigned/')
      const faults = found(await dumpOf(spoilt), { expected })
      assert.deepEqual(
        faults.map(({ rule }) => rule),
        ['session-endpoints-unpublished'],
      )
      assert.match(faults[0]?.at ?? '', /^configs\[\d+\]\.static_/)
    })
  })
})
