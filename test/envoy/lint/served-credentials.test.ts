// Which credentials concern an Envoy: only those of the routes that it serves.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import {
  API_ROUTE,
  changed,
  EXPECTED,
  HOSTS,
  PER_FILTER,
  type Change,
  type Fault,
} from './corpus/case.ts'
import { clientCertificateFaults } from './corpus/client-certificates.ts'
import { credentialFaults, QUERY_KEY, wanting } from './corpus/credentials.ts'
import { found } from './found.ts'

const NAME = `${PER_FILTER}.check_settings.context_extensions["countersign.route"]`

const FAULTS: readonly Fault[] = [...clientCertificateFaults, ...credentialFaults]

/** What the same authenticators want of another Envoy, whose route they belong to. */
const elsewhere = ({ expected }: Pick<Fault, 'expected'>): Fault['expected'] => ({
  credentials: new Map([['other', [...(expected?.credentials?.values() ?? [])].flat()]]),
  routes: new Set([...EXPECTED.routes, 'other']),
})

/** What is reported of the configuration with each fault, without countersign.yaml. */
const reportedOf = new Map(
  FAULTS.map((fault) => [fault, found(JSON.stringify(changed(fault.change)))]),
)

describe('what no route that is served here takes', () => {
  const own = new Set(FAULTS.filter((fault) => reportedOf.get(fault)?.length === 0))

  it('is most of it', () => {
    assert.ok(own.size > FAULTS.length / 2)
  })

  it('is not reported without countersign.yaml', () => {
    for (const fault of FAULTS) {
      const text = JSON.stringify(changed(fault.change))
      assert.deepEqual(reportedOf.get(fault), found(text, { expected: EXPECTED }), fault.name)
    }
  })

  for (const fault of own) {
    const { name, change, rule } = fault
    it(`is not reported: ${rule}: ${name}`, () => {
      const text = JSON.stringify(changed(change))
      assert.deepEqual(found(text, { expected: { ...EXPECTED, ...elsewhere(fault) } }), [])
    })
  }
})

describe('a route whose name is not known', () => {
  const { expected } = wanting(QUERY_KEY)
  const rulesWith = (...change: readonly Change[]): readonly string[] =>
    found(JSON.stringify(changed(change)), { expected: { ...EXPECTED, ...expected } }).map(
      ({ rule }) => rule,
    )

  it('may be any, as far as authz has to find it', () => {
    const kube = `${HOSTS}[2].routes[0]`
    assert.deepEqual(rulesWith([`${HOSTS}[1].routes[0]`]), [])
    assert.deepEqual(rulesWith([`${kube}.typed_per_filter_config`], [`${HOSTS}[1].routes[0]`]), [
      'route-name-missing',
      'path-not-changeable',
    ])
  })

  it('may be any in a config dump, which does not show it', () => {
    assert.deepEqual(rulesWith([`${API_ROUTE}.${NAME}`, '[redacted]']), ['path-not-changeable'])
  })

  it('is none where nothing is forwarded', () => {
    const text = JSON.stringify(changed([[`${HOSTS}[0].routes[0].typed_per_filter_config`]]))
    const other = elsewhere(wanting(QUERY_KEY))
    assert.deepEqual(found(text, { expected: { ...EXPECTED, ...other } }), [])
  })

  it('is not received on routes without authz', () => {
    const off: Change = [`${API_ROUTE}.${PER_FILTER}.disabled`, true]
    const open: Change = [`${API_ROUTE}.${PER_FILTER}.check_settings`]
    assert.deepEqual(rulesWith(off, open), ['ext-authz-disabled'])
  })
})
