// Certificates that another Envoy presents, the delegation hop: this one tells it which, in a header.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { HANDLE } from '../../../src/envoy/identity-certificate.ts'
import { HANDLE_HEADER } from '../../../src/envoy/istio/delegation-hop.ts'
import {
  API_ROUTE,
  changed,
  EXPECTED,
  extension,
  FILTERS,
  KUBE_ROUTE,
  MANAGER,
  PER_FILTER,
  type Change,
} from './corpus/case.ts'
import { found } from './found.ts'

const NAME = `${PER_FILTER}.check_settings.context_extensions["countersign.route"]`
const ACTION = 'OVERWRITE_IF_EXISTS_OR_ADD'

const append = (header: object, action = ACTION): object => ({
  append: { header: { key: HANDLE_HEADER, value: HANDLE, ...header }, append_action: action },
})

/** The findings when the route "kube" leads to another Envoy with these mutations. */
const rules = (mutations: readonly object[], ...changes: readonly Change[]): readonly string[] => {
  const filter = extension(
    'envoy.filters.http.header_mutation',
    'filters.http.header_mutation.v3.HeaderMutation',
    { mutations: { request_mutations: mutations } },
  )
  const text = JSON.stringify(
    changed([[`${KUBE_ROUTE}.route.cluster`, 'api'], [`${FILTERS}[2]`, filter], ...changes]),
  )
  return found(text, { expected: EXPECTED }).map(({ rule }) => rule)
}

const REMOVE = { remove: HANDLE_HEADER }
const NOT_EARLY: Change = [
  `${MANAGER}.early_header_mutation_extensions[0].typed_config.mutations[9].remove_on_match.key_matcher.prefix`,
  'x-countersign-other',
]

describe('a certificate that another Envoy presents', () => {
  it('is one where the filter tells it which, and removes what callers say', () => {
    assert.deepEqual(rules([REMOVE, append({})]), [])
    assert.deepEqual(rules([append({})]), []) // removed early, too
  })

  it('is none where the filter tells it nothing, or something else', () => {
    for (const mutations of [
      [],
      [REMOVE],
      [REMOVE, append({ key: 'x-countersign-certificat' })],
      [REMOVE, append({ value: '%REQ(x-name)%' })],
      [append({}), REMOVE],
    ]) {
      assert.deepEqual(rules(mutations), ['certificate-not-presented'], JSON.stringify(mutations))
    }
  })

  it('is forgeable when headers of callers are forwarded', () => {
    // An overwriting with nothing leaves what was there (measured, 1.40).
    assert.deepEqual(rules([append({})], NOT_EARLY), [
      'forgeable-headers',
      'certificate-name-forgeable',
    ])
    assert.deepEqual(rules([REMOVE, append({})], NOT_EARLY), ['forgeable-headers'])
  })

  it('is that of the route whose name a config dump shows', () => {
    const hidden: Change = [`${KUBE_ROUTE}.${NAME}`, '[redacted]']
    assert.deepEqual(rules([REMOVE], hidden), ['certificate-not-presented'])
    assert.deepEqual(rules([REMOVE], hidden, [`${KUBE_ROUTE}.name`, 'other']), [])
    assert.deepEqual(
      rules([REMOVE, append({})], hidden, [`${API_ROUTE}.${NAME}`, '[redacted]']),
      [],
    )
  })
})
