// `forward.certificate.delegate`: only a certificate that an authenticator proved is copied.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { readCertificate } from '../../src/x509/certificate.ts'
import { EXTENSIONS } from '../../src/x509/oid.ts'
import { identityOf } from '../fakes/identity.ts'
import { presentedCertificate } from '../fixtures/presented.ts'
import { x509 } from '../servers/x509.ts'
import { Granting } from './granting.ts'

const ALICES = await presentedCertificate()
const BOBS = await presentedCertificate({ subject: [{ CN: 'bob' }] })

describe('a certificate of the TLS connection that no authenticator proved', () => {
  it('is not copied: certificate-missing', () => {
    const route = new Granting({ subject: {}, delegate: {} })
    assert.equal(route.code({}, BOBS), 'certificate-missing')
  })

  it('is not copied in place of the fallback', () => {
    const fallback = { subject: { CN: '"guest:" + identity.user' } }
    const route = new Granting({ subject: {}, delegate: { fallback } })
    assert.equal(route.subject({}, BOBS), 'CN=guest:alice')
  })

  it('is not copied in place of the proven one', () => {
    const route = new Granting({ subject: {}, delegate: {} })
    assert.equal(route.subject({ certificateDer: ALICES }, BOBS), 'O=ops,O=dev,CN=alice')
  })

  it('does not change what an identity was given before', () => {
    const route = new Granting({ subject: {}, delegate: {} })
    const identity = identityOf({ certificateDer: ALICES })
    const first = route.give(identity)
    assert.equal(route.give(identity, BOBS), first)
  })

  it('yields no copied field together with an overridden subject', () => {
    const route = new Granting({ delegate: { subject: 'override' } })
    assert.equal(route.code({}, BOBS), 'certificate-missing')
  })
})

describe('with delegation', () => {
  it('the certificate says what the proven one said, and not the name of the identity', () => {
    const route = new Granting({ subject: {}, delegate: {} })
    const { subject } = route.grant({ user: 'carol', certificateDer: ALICES })
    assert.deepEqual(subject, readCertificate(ALICES).subject)
  })

  it('each certificate of a user has its own handle, in whatever order they are used', () => {
    const route = new Granting({ subject: {}, delegate: {} })
    const [first, second] = [ALICES, BOBS].map((certificateDer) => identityOf({ certificateDer }))
    assert.ok(first !== undefined && second !== undefined)
    const handles = [route.handle(first), route.handle(second)]
    assert.notEqual(handles[0], handles[1])
    for (let round = 0; round < 3; round++) {
      assert.deepEqual([route.handle(first), route.handle(second)], handles)
    }
    assert.equal(route.give(first), route.give(first))
  })

  it('an identity without a proven certificate gets the fallback, and only such an identity', () => {
    const route = new Granting({
      subject: {},
      delegate: { fallback: { subject: { CN: '"guest:" + identity.user' } } },
    })
    assert.equal(route.subject(), 'CN=guest:alice')
    assert.equal(route.subject({ certificateDer: ALICES }), 'O=ops,O=dev,CN=alice')
    assert.equal(route.code({ certificateDer: Buffer.from('garbage') }), 'certificate-unreadable')
  })

  it('the fallback fails as a template does, and ends with the credential', () => {
    const route = new Granting({
      subject: {},
      delegate: { fallback: { subject: { CN: 'identity.user' } } },
    })
    const now = route.clock.now()
    assert.equal(route.code({ user: 'a\0' }), 'certificate-unrepresentable')
    assert.equal(route.grant({ expires: now + 5_000 }).notAfter, now / 1_000 + 5)
  })

  it('what is overridden comes from the identity, and the rest from the caller’s certificate', async () => {
    const alternatives = new x509.SubjectAlternativeNameExtension([{ type: 'dns', value: 'a.b' }])
    const presented = await presentedCertificate({ extensions: [alternatives] })
    const route = new Granting({ delegate: { subject: 'override' } })
    const carol = { user: 'carol', certificateDer: presented }
    const grant = route.grant(carol)
    const names = grant.extensions.find(({ oid }) => oid === EXTENSIONS.subjectAltName)
    assert.equal(names?.value.toString('hex'), '30058203612e62')
    assert.equal(route.subject(carol), 'CN=carol')
  })
})
