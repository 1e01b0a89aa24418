// What audit keeps of a credential: the names of its kind, bounded, and never the credential.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { NO_CERTIFICATE } from '../../src/identity/certificate-fields.ts'
import {
  presentedCertificate,
  presentedId,
  presentedToken,
} from '../../src/identity/presented-credential.ts'

const LONG = 'é'.repeat(1_000)

describe('the fields of a token in the audit log', () => {
  it('are its issuer, id, client and audiences', () => {
    const claims = {
      iss: 'https://as',
      jti: 'j',
      client_id: 'c',
      azp: 'z',
      aud: ['a', 'b'],
      sub: 's',
    }
    const { azp: _azp, sub: _sub, ...want } = claims
    assert.deepEqual(presentedToken(claims, true), { proven: true, ...want })
  })

  it('are azp where there is no client_id, and one audience as a list', () => {
    assert.deepEqual(presentedToken({ azp: 'z', aud: 'a' }, false), {
      proven: false,
      azp: 'z',
      aud: ['a'],
    })
  })

  it('leave out what is not a string, and are undefined where none is left', () => {
    assert.deepEqual(presentedToken({ iss: 1, jti: { a: 1 }, aud: [1, 'a', null] }, true), {
      proven: true,
      aud: ['a'],
    })
    assert.equal(presentedToken({ sub: 'alice', jti: '' }, true), undefined)
  })

  it('have 256 characters each, and all audiences together', () => {
    const aud = Array.from({ length: 500 }, (_, index) => `audience-${index}`)
    const presented = presentedToken({ iss: LONG, jti: LONG, client_id: LONG, aud }, false)
    assert.equal(presented?.iss?.length, 257)
    assert.ok((presented.aud?.join('').length ?? 0) <= 257)
    assert.ok((presentedToken({ aud: LONG }, false)?.aud?.[0]?.length ?? 0) <= 257)
  })

  it('leave out values that contain the token itself', () => {
    const claims = { iss: 'https://as', jti: 'opaque-token', aud: ['x', 'for opaque-token'] }
    assert.deepEqual(presentedToken(claims, true, 'opaque-token'), {
      proven: true,
      iss: 'https://as',
      aud: ['x'],
    })
  })
})

describe('the fields of a certificate in the audit log', () => {
  it('have 256 characters each', () => {
    const fields = { ...NO_CERTIFICATE, subjectName: LONG, issuerName: LONG, serial: LONG }
    const presented = presentedCertificate({ ...fields, fingerprint: 'f' }, false)
    assert.deepEqual(Object.keys(presented), [
      'proven',
      'subject',
      'issuer',
      'serial',
      'fingerprint',
    ])
    for (const value of [presented.subject, presented.issuer, presented.serial]) {
      assert.equal(value?.length, 257)
    }
  })
})

describe('an id in the audit log', () => {
  it('has 256 characters', () => {
    assert.deepEqual(presentedId('ci', true), { proven: true, id: 'ci' })
    assert.equal(presentedId(LONG, false).id?.length, 257)
  })
})
