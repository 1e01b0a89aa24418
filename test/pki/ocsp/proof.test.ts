// What an OCSP answer proves, and who may say it.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { judgeOcsp } from '../../../src/pki/ocsp/proof.ts'
import { readOcspResponse } from '../../../src/pki/ocsp/response.ts'
import {
  alice,
  ca,
  judge,
  NONCE,
  other,
  OUT_OF_DATE,
  responder,
  RULES,
  UNSIGNED,
} from './judging.ts'
import { answer, DAY, HOUR, MINUTE, NOW, single } from '../revoking.ts'

describe('an OCSP answer', () => {
  for (const status of ['good', 'revoked', 'unknown'] as const) {
    for (const hash of ['sha1', 'sha256'] as const) {
      for (const by of ['name', 'key'] as const) {
        it(`an OCSP answer that says ${status}, by ${hash}, of the issuer by ${by}`, async () => {
          const der = answer([single(alice, { status, hash })], { signer: ca, by })
          assert.equal(await judge(der), status)
        })

        it(`an OCSP answer that says ${status}, by ${hash}, of a delegated responder by ${by}`, async () => {
          const certificates = [responder.der]
          const der = answer([single(alice, { status, hash })], {
            signer: responder,
            by,
            certificates,
          })
          assert.equal(await judge(der), status)
        })
      }
    }
  }

  it('is valid until its nextUpdate', async () => {
    const reading = readOcspResponse(answer([single(alice)], { signer: ca }))
    assert.equal(reading.outcome, 'answer')
    const question = { issued: alice, nonce: NONCE }
    assert.deepEqual(await judgeOcsp(reading.answer, question, RULES, NOW), {
      outcome: 'proven',
      proven: { status: 'good', thisUpdate: NOW - MINUTE, until: NOW + HOUR + MINUTE },
    })
  })

  it('may be about several certificates', async () => {
    const bob = ca.issued({ serial: 77 })
    const singles = [single(bob), single(alice, { status: 'revoked' })]
    const der = answer(singles, { signer: ca })
    assert.equal(await judge(der), 'revoked')
    assert.equal(await judge(der, {}, bob), 'good')
  })

  it('with two statuses of one certificate counts as the worse one', async () => {
    const singles = [single(alice), single(alice, { status: 'revoked', hash: 'sha256' })]
    assert.equal(await judge(answer(singles, { signer: ca })), 'revoked')
  })

  it('may be signed by a responder that the configuration names, of any issuer', async () => {
    const signer = other.issue({ name: 'local responder' })
    const der = answer([single(alice)], { signer, certificates: [signer.der] })
    assert.equal(await judge(der), UNSIGNED)
    assert.equal(await judge(der, { responders: [signer.der] }), 'good')
    const bare = answer([single(alice)], { signer })
    assert.equal(await judge(bare, { responders: [signer.der] }), 'good')
    const stranger = other.issue({ name: 'local responder' })
    assert.equal(await judge(bare, { responders: [stranger.der] }), UNSIGNED)
    assert.equal(
      await judge(bare, { responders: [signer.der] }, alice, NOW + 31 * DAY),
      OUT_OF_DATE,
    )
  })

  it('with the nonce of the request is accepted', async () => {
    const der = answer([single(alice)], { signer: ca, nonce: NONCE })
    assert.equal(await judge(der, { nonceRequired: true }), 'good')
  })
})
