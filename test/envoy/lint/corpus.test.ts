// Every rule against good.yaml with one thing wrong: it is found, where it is, and nothing else is.

import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { RULES } from '../../../src/envoy/lint/rules.ts'
import { skipWithoutEnvoy, validateBootstrap } from '../../servers/envoy.ts'
import { createPki, type Pki } from '../../servers/pki.ts'
import { authzFaults } from './corpus/authz.ts'
import { changed, EXPECTED, GOOD, type Fault } from './corpus/case.ts'
import { certificateFaults } from './corpus/certificates.ts'
import { clientCertificateFaults } from './corpus/client-certificates.ts'
import { credentialFaults } from './corpus/credentials.ts'
import { filterFaults } from './corpus/filters.ts'
import { issuerFaults } from './corpus/issuer.ts'
import { issuerBoundsFaults } from './corpus/issuer-bounds.ts'
import { listenerFaults } from './corpus/listener.ts'
import { policyFaults } from './corpus/policy.ts'
import { routeFaults } from './corpus/routes.ts'
import { workerFaults } from './corpus/workers.ts'
import { found } from './found.ts'

const FAULTS: readonly Fault[] = [
  ...listenerFaults,
  ...filterFaults,
  ...authzFaults,
  ...workerFaults,
  ...policyFaults,
  ...routeFaults,
  ...certificateFaults,
  ...clientCertificateFaults,
  ...credentialFaults,
  ...issuerFaults,
  ...issuerBoundsFaults,
]

describe('a fault', () => {
  for (const { name, change, rule, severity, at, expected } of FAULTS) {
    it(`is found by ${rule}: ${name}`, () => {
      const text = JSON.stringify(changed(change))
      const want = [at].flat().map((place) => ({ rule, severity, at: place }))
      assert.deepEqual(found(text, { expected: { ...EXPECTED, ...expected } }), want)
    })
  }

  it('is found in the other spelling of its fields as well', () => {
    for (const { change, rule, severity, at, expected } of FAULTS) {
      if (rule === 'repeated-setting') continue // it is about the two spellings
      const text = JSON.stringify(changed(change)).replaceAll(FIELD, lowerCamelCase)
      const spelt = (place: string): string => place.replaceAll('_', '').toLowerCase()
      assert.deepEqual(
        found(text, { expected: { ...EXPECTED, ...expected } }).map((one) => ({
          ...one,
          at: spelt(one.at),
        })),
        [at].flat().map((place) => ({ rule, severity, at: spelt(place) })),
      )
    }
  })
})

// updates.test.ts: a bootstrap has none of it. handed-on.test.ts: it takes several changes.
const ELSEWHERE: ReadonlySet<string> = new Set([
  'update-refused',
  'update-waiting',
  'certificate-name-forgeable',
])

const FIELD = /"[a-z0-9]+(_[a-z0-9]+)+":/g

const lowerCamelCase = (name: string): string =>
  name.replaceAll(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase())

describe('the rules', () => {
  it('find nothing in good.yaml, with and without countersign.yaml', () => {
    assert.deepEqual(found(GOOD, { expected: EXPECTED }), [])
    assert.deepEqual(found(GOOD, {}), [])
  })

  it('have a fault each', () => {
    const covered = new Set(FAULTS.map(({ rule }) => rule))
    assert.deepEqual(
      RULES.map(({ id }) => id).filter((id) => !covered.has(id) && !ELSEWHERE.has(id)),
      [],
    )
  })

  it('have names of their own, in kebab-case', () => {
    const ids = RULES.map(({ id }) => id)
    assert.equal(new Set(ids).size, ids.length)
    for (const id of ids) assert.match(id, /^[a-z0-9]+(-[a-z0-9]+)*$/)
  })
})

// What the lint is there for: Envoy takes nearly all of this without a word. It also proves that the
// settings are called so.
describe('envoy --mode validate', { skip: skipWithoutEnvoy(), concurrency: 2 }, () => {
  let pki: Pki
  before(async () => {
    pki = await createPki()
  })
  after(() => pki[Symbol.asyncDispose]())

  const placed = (text: string): string => text.replaceAll('/pki/', `${pki.folder}/`)

  it('accepts the corpus file good.yaml', async () => {
    await validateBootstrap(placed(GOOD))
  })

  for (const { name, change, rule, refused } of FAULTS) {
    it(`${refused === true ? 'refuses' : 'takes'} ${rule}: ${name}`, async () => {
      const validation = validateBootstrap(placed(JSON.stringify(changed(change))))
      if (refused === true) await assert.rejects(validation, /failed/)
      else await validation
    })
  }
})
