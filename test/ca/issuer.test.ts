// Issuing: what leaves, for how long it is of use, and what is recorded of it.

import assert from 'node:assert/strict'
import { createHash, createPrivateKey, X509Certificate } from 'node:crypto'
import { describe, it } from 'node:test'
import { handleDigest } from '../../src/grant/handle.ts'
import { readCertificate } from '../../src/x509/certificate.ts'
import { decodePem } from '../../src/x509/pem.ts'
import { grantOf, makeGrantKey, NOW_S, sealed, subjectOf } from '../fakes/grant.ts'
import { fileCaOf, makeCa } from './authorities.ts'
import { Issuing, issuing, authorityOf, signerSnapshot } from './issuing.ts'
import { namesOf, withExtensions } from './limits-cases.ts'

const issued = async (world: Issuing, handle = world.handle()) => {
  const issuance = await world.issue(handle)
  assert.equal(issuance.outcome, 'issued')
  const leaf = new X509Certificate(issuance.certificateChain)
  return { ...issuance, leaf }
}

describe('an issued certificate', () => {
  it('has the granted subject, and its key', async () => {
    const world = await issuing()
    const { leaf, privateKey } = await issued(world)
    assert.equal(leaf.subject, 'CN=alice\nO=developers')
    assert.ok(leaf.checkPrivateKey(createPrivateKey(privateKey)))
    assert.match(
      privateKey.toString(),
      /^-----BEGIN PRIVATE KEY-----\n[^]+\n-----END PRIVATE KEY-----\n$/,
    )
    const [certificate] = decodePem('CERTIFICATE', leaf.toString())
    assert.deepEqual(readCertificate(certificate ?? Buffer.alloc(0)).subject, grantOf().subject)
  })

  it('is sent with the chain to the root, in order', async () => {
    const root = await makeCa({ subject: 'CN=Root' })
    const middle = await makeCa({ subject: 'CN=Middle', issuer: root })
    const lower = await makeCa({ subject: 'CN=Lower', issuer: middle })
    const { certificateChain } = await issued(new Issuing(fileCaOf(lower, middle, root)))
    const subjects = decodePem('CERTIFICATE', certificateChain.toString()).map(
      (der) => new X509Certificate(der).subject,
    )
    assert.deepEqual(subjects, ['CN=alice\nO=developers', 'CN=Lower', 'CN=Middle'])
  })

  it('has a unique key and a unique serial number', async () => {
    const world = await issuing()
    const handle = world.handle()
    const all = await Promise.all(Array.from({ length: 50 }, () => issued(world, handle)))
    assert.equal(new Set(all.map(({ leaf }) => leaf.serialNumber)).size, 50)
    assert.equal(new Set(all.map(({ privateKey }) => privateKey.toString())).size, 50)
  })

  it('is recorded with all of its fields', async () => {
    const world = await issuing('{ subjectAltName: { dns: ["*"], ip: [10.0.0.0/8] } }')
    const names = namesOf(['dns', 'a.example.org'], ['ip', '10.0.0.1'])
    const subject = subjectOf(['CN', 'alice'], ['O', 'a,b'])
    const handle = world.handle({ subject, ...withExtensions(names) })
    const { leaf } = await issued(world, handle)
    assert.deepEqual(world.event(), {
      event: 'certificate-issued',
      handle: handleDigest(handle),
      authority: 'kube',
      route: 'kubernetes',
      authenticator: 'staff',
      serial: leaf.serialNumber.toLowerCase(),
      fingerprint: createHash('sha256').update(leaf.raw).digest('hex'),
      subject: 'O=a\\,b,CN=alice',
      names: ['dns:a.example.org', 'ip:10.0.0.1'],
      notBefore: '2025-12-31T23:55:00.000Z',
      notAfter: '2026-01-01T01:00:00.000Z',
      keys: 'p256',
      duration: 0,
      generation: 1,
    })
  })

  it('does not have its key in the log or the audit log', async () => {
    const world = await issuing()
    const { privateKey } = await issued(world)
    const text = JSON.stringify(world.audit.events) + world.lines.join('')
    for (const line of privateKey
      .toString()
      .split('\n')
      .filter((part) => part.length > 30)) {
      assert.ok(!text.includes(line))
    }
    assert.doesNotMatch(text, /PRIVATE/)
  })

  it('ends with the handle’s time', async () => {
    const world = await issuing()
    const handle = world.handle()
    assert.ok(!JSON.stringify(world.audit.events).includes(handle))
    assert.equal((await issued(world, handle)).ttl, (1_800 + 60) * 1_000)
    world.clock.advance(1_799_500)
    assert.equal((await issued(world, handle)).ttl, 60_500)
    world.clock.advance(60_000)
    assert.equal((await issued(world, handle)).ttl, 500)
    world.clock.advance(500)
    assert.equal(await world.outcome(handle), 'grant-expired')
  })

  it('is not used after its end', async () => {
    const world = await issuing()
    const handle = world.handle({ notAfter: NOW_S + 90, renewAt: NOW_S + 90 })
    assert.equal((await issued(world, handle)).ttl, 90_000)
    world.clock.advance(90_000)
    assert.equal(await world.outcome(handle), 'grant-expired')
  })
})

describe('the SDS version of a certificate', () => {
  it('has the CA and the end in it', async () => {
    const ca = fileCaOf(await makeCa())
    const { version } = await issued(new Issuing(ca))
    assert.equal(version, `${ca.certificate.fingerprint.slice(0, 16)}-${NOW_S + 3_600}`)
  })

  it('is current while the certificate is used', async () => {
    const world = await issuing()
    const handle = world.handle()
    const { version } = await issued(world, handle)
    const isCurrent = (): boolean => world.issuer.isCurrent(handle, version)
    assert.ok(isCurrent())
    world.clock.advance(1_859_999)
    assert.ok(isCurrent())
    world.clock.advance(1)
    assert.ok(!isCurrent())
  })

  it('is not current for another handle, CA or key, or with narrower limits', async () => {
    const world = await issuing()
    const handle = world.handle()
    const { version } = await issued(world, handle)
    const isCurrent = (of = handle): boolean => world.issuer.isCurrent(of, version)
    assert.ok(!isCurrent(world.handle({ notAfter: NOW_S + 3_601 })))
    assert.ok(!isCurrent('nonsense'))
    assert.ok(!world.issuer.isCurrent(handle, ''))
    const { ca } = world.snapshot.authorities.get('kube') ?? assert.fail()
    const narrow = authorityOf(ca, world.clock, '{ subject: { CN: [bob] } }')
    world.snapshot = signerSnapshot([world.key], { kube: narrow })
    assert.ok(!isCurrent())
    world.snapshot = signerSnapshot([world.key], {
      kube: authorityOf(fileCaOf(await makeCa()), world.clock),
    })
    assert.ok(!isCurrent())
    world.snapshot = signerSnapshot([makeGrantKey()], { kube: authorityOf(ca, world.clock) })
    assert.ok(!isCurrent())
    world.snapshot = signerSnapshot([world.key], {})
    assert.ok(!isCurrent())
    world.snapshot = signerSnapshot([makeGrantKey(), world.key], {
      kube: authorityOf(ca, world.clock),
    })
    assert.ok(isCurrent())
  })

  it('is requested without counting for the rate limit', async () => {
    const world = await issuing('{ rate: { perSecond: 1, burst: 4 } }')
    const handle = world.handle()
    const { version } = await issued(world, handle)
    for (let round = 0; round < 10; round++) assert.ok(world.issuer.isCurrent(handle, version))
    assert.equal(await world.outcome(), 'issued')
  })
})

describe('a rotated keyring', () => {
  it('is read again for an unknown key id', async () => {
    const world = await issuing()
    const fresh = makeGrantKey()
    world.onRefresh = () => {
      world.snapshot = { ...world.snapshot, seal: signerSnapshot([world.key, fresh], {}).seal }
      world.generation = 2
    }
    assert.equal(await world.outcome(sealed(grantOf(), fresh)), 'issued')
    const event = world.event()
    assert.equal(event.event === 'certificate-issued' && event.generation, 2)
    assert.equal(world.refreshes, 1)
  })

  it('is read at most once a second', async () => {
    const world = await issuing()
    const strange = (): string => sealed(grantOf(), makeGrantKey())
    const outcomes = await Promise.all(Array.from({ length: 20 }, () => world.outcome(strange())))
    assert.deepEqual(new Set(outcomes), new Set(['grant-key-unknown']))
    assert.equal(world.refreshes, 1)
    world.clock.advance(999)
    await world.outcome(strange())
    assert.equal(world.refreshes, 1)
    world.clock.advance(1)
    await world.outcome(strange())
    assert.equal(world.refreshes, 2)
  })

  it('is read once for simultaneous handles', async () => {
    const world = await issuing()
    const fresh = makeGrantKey()
    const read = Promise.withResolvers<void>()
    world.onRefresh = async () => {
      await read.promise
      world.snapshot = { ...world.snapshot, seal: signerSnapshot([fresh], {}).seal }
    }
    const outcomes = Promise.all([1, 2, 3].map(() => world.outcome(sealed(grantOf(), fresh))))
    read.resolve()
    assert.deepEqual(await outcomes, ['issued', 'issued', 'issued'])
    assert.equal(world.refreshes, 1)
  })

  it('is not read again for a handle that no key could open', async () => {
    const world = await issuing()
    for (const handle of ['', 'x', world.handle().slice(0, -2)]) {
      assert.notEqual(await world.outcome(handle), 'issued')
    }
    assert.equal(world.refreshes, 0)
  })
})
