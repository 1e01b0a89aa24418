// What a search for a path may cost, whatever is presented: counted in signatures where it can be, and
// otherwise in time with a wide margin.

import assert from 'node:assert/strict'
import { X509Certificate, type KeyObject } from 'node:crypto'
import { describe, it } from 'node:test'
import { readChainCertificate } from '../../src/pki/chain-certificate.ts'
import { findPath } from '../../src/pki/path.ts'
import { trustIn } from '../../src/pki/trust.ts'
import { certificatePolicies } from '../../src/x509/extensions.ts'
import {
  alternativeNames,
  generalName,
  makeAuthority,
  makeClient,
  makeKeys,
  nameConstraints,
  nameOf,
  NOW,
  type Made,
} from './making.ts'
import { cpuTime } from '../fakes/cpu-time.ts'

const RULES = { purposes: [] }
const root = makeAuthority({ subject: 'root' })

class CountingCertificate extends X509Certificate {
  verified = 0

  override verify(key: KeyObject): boolean {
    this.verified += 1
    return super.verify(key)
  }
}

const read = ({ der }: Made) => readChainCertificate(der)

/** Generous: it is some tens of milliseconds on one core that has nothing else to do. */
const PATIENCE = 1_000

const searched = async (
  leaf: Made,
  others: readonly Made[],
  intermediates: readonly Made[] = [],
) => {
  const trust = trustIn([read(root)], intermediates.map(read))
  const presented = others.map(read)
  const certificate = read(leaf)
  const start = cpuTime()
  const result = await findPath(certificate, presented, trust, RULES, NOW * 1_000)
  assert.ok(cpuTime() - start < PATIENCE, `${cpuTime() - start} ms`)
  return result.outcome === 'valid' ? result.outcome : result.code
}

describe('a search (hostile)', () => {
  it('ends among CAs that have all signed each other', async () => {
    const names = Array.from({ length: 9 }, (_, index) => ({
      der: Buffer.of(),
      name: nameOf(['CN', `ca ${index}`]),
      keys: makeKeys(),
    }))
    const others = names.flatMap((subject) =>
      names
        .filter((signer) => signer !== subject)
        .map((signer) => makeAuthority({ subject: subject.name, keys: subject.keys, signer })),
    )
    const [signer] = names
    assert.ok(signer)
    assert.equal(await searched(makeClient({ signer }), others), 'certificate-untrusted')
  })

  it('verifies few signatures, however many there are', async () => {
    const keys = makeKeys()
    const many = Array.from({ length: 100 }, () =>
      makeAuthority({ subject: 'ca', keys, signer: root, anonymous: true }),
    )
    const leaf = makeClient({ signer: makeAuthority({ subject: 'ca' }), anonymous: true })
    const x509 = new CountingCertificate(leaf.der)
    const trust = trustIn([read(root)], many.map(read))
    const result = await findPath({ ...read(leaf), x509 }, [], trust, RULES, NOW * 1_000)
    assert.deepEqual(result, { outcome: 'invalid', code: 'certificate-untrusted' })
    assert.equal(x509.verified, 32)
  })

  it('ends among a thousand CAs of the same name', async () => {
    const keys = makeKeys()
    const many = Array.from({ length: 1_000 }, () =>
      makeAuthority({ subject: 'ca', keys, signer: root, anonymous: true }),
    )
    const signer = makeAuthority({ subject: 'ca' })
    const leaf = makeClient({ signer, anonymous: true })
    assert.equal(await searched(leaf, [], many), 'certificate-untrusted')
  })

  it('finds the one of a thousand that the key identifier names', async () => {
    const many = Array.from({ length: 1_000 }, () => makeAuthority({ subject: 'ca', signer: root }))
    const signer = many[999]
    assert.ok(signer)
    assert.equal(await searched(makeClient({ signer }), [], many), 'valid')
  })

  it('refuses names and constraints in thousands', async () => {
    const subtrees = Array.from({ length: 1_000 }, (_, index) =>
      generalName.dns(`x${index}.example`),
    )
    const names = Array.from({ length: 1_000 }, (_, index) =>
      generalName.dns(`a.x${index}.example`),
    )
    const constrained = makeAuthority({
      subject: 'ca',
      signer: root,
      extensions: [nameConstraints({ permitted: subtrees })],
    })
    const leaf = makeClient({ signer: constrained, extensions: [alternativeNames(...names)] })
    assert.equal(await searched(leaf, [constrained]), 'certificate-untrusted')
    const few = makeClient({
      signer: constrained,
      extensions: [alternativeNames(...names.slice(0, 9))],
    })
    assert.equal(await searched(few, [constrained]), 'valid')
  })
})

describe('thousands of certificate policies (hostile)', () => {
  it('are refused within a bounded time', async () => {
    const policies = Array.from({ length: 2_000 }, (_, index) => `1.3.6.1.${index}`)
    const extensions = [certificatePolicies(policies)]
    assert.equal(
      await searched(makeClient({ signer: root, extensions }), []),
      'certificate-untrusted',
    )
    const few = [certificatePolicies(policies.slice(0, 9))]
    assert.equal(await searched(makeClient({ signer: root, extensions: few }), []), 'valid')
  })
})

describe('a certificate that is too long (hostile)', () => {
  it('is not read', () => {
    const value = Buffer.alloc(32_768)
    const { der } = makeClient({
      extensions: [{ oid: '1.3.6.1.4.1.99999.1', critical: false, value }],
    })
    assert.throws(() => readChainCertificate(der), /more than 32768 bytes/)
  })
})
