// `forward.certificate`: one handle for one identity and one stretch of time, and no certificate
// where there should be none. Reserved names are in certificate-reserved.test.ts.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { handleDigest } from '../../src/grant/handle.ts'
import { contentsOf, compileTemplate } from '../../src/grant/template.ts'
import type { Identity } from '../../src/identity/identity.ts'
import { certificateConfigOf } from '../fakes/certificate-config.ts'
import { identityOf } from '../fakes/identity.ts'
import { presentedCertificate } from '../fixtures/presented.ts'
import { Granting } from './granting.ts'

const HOUR = 3_600_000

const ALICES = await presentedCertificate()

describe('the grant of an identity', () => {
  it('is all that authz decides about the certificate', () => {
    const route = new Granting({ ca: 'other', policies: ['1.2.3'] }, 'kubernetes')
    const identity = { groups: ['dev', 'ops'], authenticator: 'guests' }
    const fields = compileTemplate(certificateConfigOf({ policies: ['1.2.3'] })).apply(
      identityOf(identity),
    )
    assert.ok(fields !== undefined)
    const now = route.clock.now() / 1_000
    const { notBefore, notAfter, renewAt, ...rest } = route.grant(identity)
    assert.deepEqual(rest, {
      authority: 'other',
      route: 'kubernetes',
      authenticator: 'guests',
      ...contentsOf(fields),
    })
    assert.ok(notBefore <= now - 300 && now < renewAt && notAfter === renewAt + 1_800)
  })

  it('goes by a digest in logs', () => {
    const transformation = new Granting().give(identityOf())
    assert.equal(transformation.outcome, 'transformed')
    const { secret } = transformation.forwarding
    assert.equal(secret?.digest, handleDigest(secret?.name ?? ''))
  })

  it('does not depend on a client certificate without delegation', () => {
    const route = new Granting()
    const without = route.handle(identityOf())
    assert.equal(route.handle(identityOf({ certificateDer: ALICES })), without)
    assert.equal(route.handle(identityOf(), ALICES), without)
    assert.equal(route.code({ certificateDer: Buffer.from('garbage') }), 'transformed')
  })
})

describe('a handle', () => {
  it('is the very one for the same identity, to the last millisecond of its slot', () => {
    const route = new Granting()
    const identity = identityOf()
    const first = route.give(identity)
    const end = route.grant().renewAt * 1_000
    route.clock.advance(end - 1 - route.clock.now())
    assert.equal(route.give(identity), first)
    route.clock.advance(1)
    const next = route.give(identity)
    assert.notDeepEqual(next, first)
    assert.equal(route.give(identity), next)
  })

  it('is equal for an equal identity of another proof, or in another process', () => {
    const route = new Granting()
    const first = route.handle(identityOf())
    assert.equal(route.handle(identityOf()), first)
    assert.equal(route.handle(identityOf({ digest: 'another password' })), first)
    assert.equal(new Granting().handle(identityOf()), first)
  })

  it('does not say what the certificate does not say', () => {
    const route = new Granting()
    const first = route.handle(identityOf())
    // Not in the template, so that the certificate is the same for both.
    assert.equal(route.handle(identityOf({ uid: '42', extra: { team: ['a'] } })), first)
  })

  const OTHERS = [
    { name: 'user', input: { user: 'bob' } },
    { name: 'group', input: { groups: ['dev'] } },
    { name: 'order of groups', input: { groups: ['ops', 'dev'] } },
    { name: 'authenticator', input: { authenticator: 'guests' } },
    { name: 'end of the credential', input: { expires: Date.UTC(2026, 0, 1, 0, 10) } },
  ]
  for (const { name, input } of OTHERS) {
    it(`is another for another ${name}`, () => {
      const route = new Granting()
      const alice = identityOf({ groups: ['dev', 'ops'] })
      assert.notEqual(route.handle({ ...alice, ...input }), route.handle(alice))
    })
  }

  const ROUTES = [
    { name: 'route', other: new Granting({}, 'other') },
    { name: 'CA', other: new Granting({ ca: 'other' }) },
    { name: 'lifetime', other: new Granting({ lifetime: '2h' }) },
    { name: 'backdate', other: new Granting({ backdate: '1m' }) },
    { name: 'template', other: new Granting({ subject: { CN: 'identity.user', OU: '"x"' } }) },
    { name: 'usage', other: new Granting({ extendedKeyUsage: ['emailProtection'] }) },
  ]
  for (const { name, other } of ROUTES) {
    it(`is another for another ${name}`, () => {
      assert.notEqual(other.handle(identityOf()), new Granting().handle(identityOf()))
    })
  }

  it('is not that of the slot after, when the clock goes back over its beginning', () => {
    const route = new Granting()
    const first = route.handle(identityOf())
    const end = route.grant().renewAt * 1_000
    route.clock.advance(end - route.clock.now())
    const next = route.handle(identityOf())
    route.clock.advance(-1)
    assert.equal(route.handle(identityOf()), first)
    assert.notEqual(next, first)
  })

  it('a handle that is remembered is kept when the clock goes back: it is valid then too', () => {
    const route = new Granting()
    const identity = identityOf()
    route.clock.advance(route.grant().renewAt * 1_000 - route.clock.now())
    const handle = route.handle(identity)
    const { notBefore } = route.grant()
    route.clock.advance(-1_000)
    assert.equal(route.handle(identity), handle)
    assert.ok(notBefore * 1_000 <= route.clock.now())
  })

  it('is another after the clock has leapt ahead', () => {
    const route = new Granting()
    const identity = identityOf()
    const first = route.handle(identity)
    route.clock.advance(30 * 24 * HOUR)
    assert.notEqual(route.handle(identity), first)
    assert.ok(route.grant().notAfter * 1_000 > route.clock.now() + HOUR / 2)
  })
})

describe('the end of a credential', () => {
  it('is the end of the certificate, and of what is remembered of it', () => {
    const route = new Granting()
    const expires = route.clock.now() + 600_500
    const identity = identityOf({ expires })
    const end = Math.floor(expires / 1_000)
    const { notAfter, renewAt } = route.grant({ expires })
    assert.ok(notAfter <= end && notAfter > end - 225 && renewAt <= notAfter)
    assert.equal(route.give(identity).outcome, 'transformed')
    route.clock.advance(600_000)
    assert.deepEqual(route.give(identity), { outcome: 'failed', code: 'credential-expired' })
  })

  for (const left of [999, 500, 0, -1, -HOUR]) {
    it(`${left} ms from now yields no certificate`, () => {
      const route = new Granting()
      assert.equal(route.code({ expires: route.clock.now() + left }), 'credential-expired')
    })
  }

  it('far away does not lengthen the certificate', () => {
    const route = new Granting()
    const { notAfter } = route.grant({ expires: route.clock.now() + 1_000 * HOUR })
    assert.equal(notAfter, route.grant().notAfter)
  })

  it('is, with delegation, also that of the caller’s certificate', async () => {
    const route = new Granting({ subject: {}, delegate: {} })
    const now = route.clock.now()
    const lasting = (milliseconds: number): Promise<Buffer> =>
      presentedCertificate({ notAfter: new Date(now + milliseconds) })
    const minute = await lasting(60_000)
    const endOf = (parts: Partial<Identity>): number => route.grant(parts).notAfter - now / 1_000
    const isNear = (end: number, wanted: number) => end <= wanted && end > wanted - 14
    assert.ok(isNear(endOf({ certificateDer: minute }), 60))
    assert.ok(isNear(endOf({ certificateDer: minute, expires: now + 30_000 }), 30))
    assert.ok(isNear(endOf({ certificateDer: minute, expires: now + 90_000 }), 60))
    for (const left of [0, -1_000]) {
      assert.equal(route.code({ certificateDer: await lasting(left) }), 'credential-expired')
    }
  })
})

describe('no certificate', () => {
  const CASES = [
    {
      name: 'for a value that is missing',
      config: { subject: { CN: 'identity.uid' } },
      input: {},
      want: 'certificate-unrepresentable',
    },
    {
      name: 'for a value that no certificate can hold',
      config: {},
      input: { groups: ['a\0'] },
      want: 'certificate-unrepresentable',
    },
    {
      name: 'for a name that is not a DNS name',
      config: { subjectAltName: { dns: 'identity.user' } },
      input: { user: 'a b' },
      want: 'certificate-unrepresentable',
    },
    {
      name: 'for an address with a zone',
      config: { subjectAltName: { ip: 'identity.user' } },
      input: { user: 'fe80::1%eth0' },
      want: 'certificate-unrepresentable',
    },
    {
      name: 'with too many groups',
      config: {},
      input: { groups: Array.from({ length: 500 }, (_, index) => `group-${index}`) },
      want: 'certificate-too-large',
    },
    {
      name: 'with a name too long',
      config: {},
      input: { user: 'x'.repeat(5_000) },
      want: 'certificate-too-large',
    },
    {
      name: 'with a reserved name',
      config: { subject: { CN: '"system:admin"' } },
      input: {},
      want: 'certificate-reserved',
    },
    { name: 'after the credential', config: {}, input: { expires: 0 }, want: 'credential-expired' },
    {
      name: 'to copy, where the caller has none',
      config: { subject: {}, delegate: {} },
      input: {},
      want: 'certificate-missing',
    },
  ]
  for (const { name, config, input, want } of CASES) {
    it(`${name}: ${want}`, () => assert.equal(new Granting(config).code(input), want))
  }

  it('to copy, where the proven one cannot be read: certificate-unreadable', () => {
    const route = new Granting({ subject: {}, delegate: {} })
    for (const garbage of [Buffer.alloc(0), Buffer.from('garbage'), ALICES.subarray(0, 200)]) {
      assert.equal(route.code({ certificateDer: garbage }), 'certificate-unreadable')
    }
  })
})
