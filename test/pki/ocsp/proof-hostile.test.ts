// OCSP answers that prove nothing.

import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { describe, it } from 'node:test'
import type { OcspRules } from '../../../src/pki/ocsp/proof.ts'
import { readOcspResponse } from '../../../src/pki/ocsp/response.ts'
import { element, readOnly, sequence, TAG } from '../../../src/x509/der.ts'
import { extendedKeyUsage, keyUsage, type Extension } from '../../../src/x509/extensions.ts'
import {
  alias,
  alice,
  ca,
  judge,
  NONCE,
  OTHER,
  other,
  OUT_OF_DATE,
  responder,
  twin,
  UNSIGNED,
} from './judging.ts'
import {
  answer,
  Authority,
  DAY,
  HOUR,
  MINUTE,
  newKey,
  NOW,
  OCSP_SIGNING,
  refusal,
  single,
} from '../revoking.ts'

const delegated = (extensions: readonly Extension[], times = {}): Buffer => {
  const signer = ca.responder({ extensions, ...times })
  return answer([single(alice)], { signer, certificates: [signer.der] })
}

const NULL = element(0x05)

describe('a hostile OCSP answer', () => {
  const cases: readonly {
    readonly name: string
    readonly der: () => Buffer
    readonly want: string
    readonly rules?: Partial<OcspRules>
  }[] = [
    {
      name: 'is about another serial number',
      der: () => answer([single(ca.issued({ serial: 4_097 }))], { signer: ca }),
      want: OTHER,
    },
    {
      name: 'is about the same serial number of another issuer',
      der: () => answer([single(other.issued())], { signer: ca }),
      want: OTHER,
    },
    {
      name: 'is about the same serial number of an issuer of the same name',
      der: () => answer([single(twin.issued())], { signer: ca }),
      want: OTHER,
    },
    {
      name: 'is about the same serial number of an issuer with the same key',
      der: () => answer([single(alias.issued())], { signer: ca }),
      want: OTHER,
    },
    {
      name: 'is signed by a responder that the issuer’s key has certified under another name',
      der: () => {
        const signer = alias.responder()
        return answer([single(alice)], { signer, certificates: [signer.der] })
      },
      want: UNSIGNED,
    },
    { name: 'has no single response', der: () => answer([], { signer: ca }), want: OTHER },
    {
      name: 'is signed by an issuer of the same name with another key',
      der: () => answer([single(alice)], { signer: twin }),
      want: UNSIGNED,
    },
    {
      name: 'is signed by another issuer, whose certificate is in the answer',
      der: () => answer([single(alice)], { signer: other, certificates: [other.der] }),
      want: UNSIGNED,
    },
    {
      name: 'is signed by a responder of another issuer',
      der: () => {
        const signer = other.responder()
        return answer([single(alice)], { signer, certificates: [signer.der] })
      },
      want: UNSIGNED,
    },
    {
      name: 'is signed by a responder of an issuer of the same name with another key',
      der: () => {
        const signer = twin.responder()
        return answer([single(alice)], { signer, certificates: [signer.der] })
      },
      want: UNSIGNED,
    },
    {
      name: 'is signed by the certificate that it is about',
      der: () => {
        const signer = ca.issue()
        return answer([single(alice)], { signer, certificates: [signer.der] })
      },
      want: UNSIGNED,
    },
    {
      name: 'is signed by a delegated responder whose certificate is for clients',
      der: () => delegated([extendedKeyUsage(['1.3.6.1.5.5.7.3.2'])]),
      want: UNSIGNED,
    },
    {
      name: 'is signed by a delegated responder whose certificate is for any purpose',
      der: () => delegated([extendedKeyUsage(['2.5.29.37.0'])]),
      want: UNSIGNED,
    },
    {
      name: 'is signed by a delegated responder whose key usage lacks digitalSignature',
      der: () => delegated([keyUsage(['keyAgreement']), extendedKeyUsage([OCSP_SIGNING])]),
      want: UNSIGNED,
    },
    {
      name: 'is signed by a delegated responder with an unknown critical extension',
      der: () =>
        delegated([
          extendedKeyUsage([OCSP_SIGNING]),
          { oid: '1.2.3.4', critical: true, value: element(0x05) },
        ]),
      want: UNSIGNED,
    },
    {
      name: 'is signed by a delegated responder whose certificate has expired',
      der: () => delegated([extendedKeyUsage([OCSP_SIGNING])], { notAfter: NOW - HOUR }),
      want: UNSIGNED,
    },
    {
      name: 'is signed by a delegated responder whose certificate is not yet valid',
      der: () => delegated([extendedKeyUsage([OCSP_SIGNING])], { notBefore: NOW + HOUR }),
      want: UNSIGNED,
    },
    {
      name: 'contains a delegated responder’s certificate and is signed with another key',
      der: () =>
        answer([single(alice)], {
          signer: { der: responder.der, key: newKey() },
          certificates: [responder.der],
        }),
      want: UNSIGNED,
    },
    {
      name: 'names its responder and contains the certificate of another',
      der: () =>
        answer([single(alice)], {
          signer: { der: ca.responder({ name: 'someone' }).der, key: responder.key },
          certificates: [responder.der],
        }),
      want: UNSIGNED,
    },
    {
      name: 'is signed with SHA-1',
      der: () => answer([single(alice)], { signer: ca, weak: true }),
      want: UNSIGNED,
    },
    {
      name: 'has a nextUpdate that has passed',
      der: () => answer([single(alice, { nextUpdate: NOW - MINUTE })], { signer: ca }),
      want: OUT_OF_DATE,
    },
    {
      name: 'has a thisUpdate in the future',
      der: () =>
        answer([single(alice, { thisUpdate: NOW + 2 * MINUTE, nextUpdate: NOW + DAY })], {
          signer: ca,
        }),
      want: OUT_OF_DATE,
    },
    {
      name: 'has no nextUpdate, and an old thisUpdate',
      der: () =>
        answer([single(alice, { thisUpdate: NOW - 6 * MINUTE, nextUpdate: null })], { signer: ca }),
      want: OUT_OF_DATE,
    },
    {
      name: 'has the nonce of another request',
      der: () => answer([single(alice)], { signer: ca, nonce: Buffer.alloc(32, 8) }),
      want: 'it has another nonce',
    },
    {
      name: 'has a part of the nonce',
      der: () => answer([single(alice)], { signer: ca, nonce: NONCE.subarray(0, 31) }),
      want: 'it has another nonce',
    },
    {
      name: 'has no nonce where one is required',
      der: () => answer([single(alice)], { signer: ca }),
      want: 'it does not repeat the nonce',
      rules: { nonceRequired: true },
    },
    { name: 'is the refusal malformedRequest', der: () => refusal(1), want: 'malformedRequest' },
    { name: 'is the refusal internalError', der: () => refusal(2), want: 'internalError' },
    { name: 'is the refusal tryLater', der: () => refusal(3), want: 'tryLater' },
    { name: 'is the refusal sigRequired', der: () => refusal(5), want: 'sigRequired' },
    { name: 'is the refusal unauthorized', der: () => refusal(6), want: 'unauthorized' },
  ]
  for (const { name, der, want, rules } of cases) {
    it(name, async () => assert.equal(await judge(der(), rules), want))
  }

  it('is refused where the signer’s key is too weak', async () => {
    const { privateKey: key } = generateKeyPairSync('ec', { namedCurve: 'secp256k1' })
    const weak = new Authority('Weak CA', { key })
    const issued = weak.issued()
    assert.equal(await judge(answer([single(issued)], { signer: weak }), {}, issued), UNSIGNED)
  })

  it('is refused from the millisecond at which nextUpdate and the clock skew have passed', async () => {
    const der = answer([single(alice, { nextUpdate: NOW })], { signer: ca })
    assert.equal(await judge(der, {}, alice, NOW + MINUTE - 1), 'good')
    assert.equal(await judge(der, {}, alice, NOW + MINUTE), OUT_OF_DATE)
  })

  const critical: Extension = { oid: '1.2.3.4', critical: true, value: element(0x05) }
  const broken: readonly { readonly name: string; readonly der: () => Buffer }[] = [
    { name: 'empty bytes', der: () => Buffer.alloc(0) },
    { name: 'text', der: () => Buffer.from('<html>not here</html>') },
    { name: 'a status that does not exist', der: () => refusal(4) },
    { name: 'success without a response', der: () => refusal(0) },
    {
      name: 'an unknown critical extension',
      der: () => answer([single(alice)], { signer: ca, extensions: [critical] }),
    },
    {
      name: 'an unknown critical extension in its single response',
      der: () => answer([single(alice, { extensions: [critical] })], { signer: ca }),
    },
    {
      name: 'bytes after its end',
      der: () => Buffer.concat([answer([single(alice)], { signer: ca }), Buffer.of(0)]),
    },
    {
      name: 'bytes after the response inside it',
      der: () => sequence(readOnly(answer([single(alice)], { signer: ca }), TAG.sequence), NULL),
    },
    {
      name: 'a malformed single response',
      der: () => answer([element(TAG.integer, Buffer.of(1))], { signer: ca }),
    },
  ]
  for (const { name, der } of broken) {
    it(`is malformed: ${name}`, () => {
      assert.throws(() => readOcspResponse(der()), { code: 'malformed-certificate' })
    })
  }

  it('is refused where it is truncated at any byte', () => {
    const whole = answer([single(alice)], {
      signer: responder,
      certificates: [responder.der],
      nonce: NONCE,
    })
    for (let length = 0; length < whole.length; length++) {
      assert.throws(() => readOcspResponse(whole.subarray(0, length)), {
        code: 'malformed-certificate',
      })
    }
  })

  it('is never good with one changed bit, at any position', async () => {
    const whole = answer([single(alice, { status: 'revoked' })], { signer: ca, nonce: NONCE })
    const outcomes = new Set<string>()
    for (let at = 0; at < whole.length * 8; at++) {
      const bent = Buffer.from(whole)
      bent[at >> 3] = (bent[at >> 3] ?? 0) ^ (1 << (at & 7))
      try {
        outcomes.add(await judge(bent))
      } catch {
        outcomes.add('malformed')
      }
    }
    assert.ok(!outcomes.has('good') && !outcomes.has('revoked') && !outcomes.has('unknown'))
    assert.ok(outcomes.has('malformed') && outcomes.has(UNSIGNED))
  })
})
