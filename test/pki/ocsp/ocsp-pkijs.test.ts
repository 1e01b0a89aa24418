// A second reader: pkijs has to understand our questions, and to say of answers what we say.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { BasicOCSPResponse, Certificate, CryptoEngine, OCSPRequest, OCSPResponse } from 'pkijs'
import { encodeOcspRequest } from '../../../src/pki/ocsp/request.ts'
import { judgeOcsp } from '../../../src/pki/ocsp/proof.ts'
import { readOcspResponse } from '../../../src/pki/ocsp/response.ts'
import { readCertificate } from '../../../src/x509/certificate.ts'
import { answer, Authority, MINUTE, NOW, single } from '../revoking.ts'

const engine = new CryptoEngine({ name: 'node', crypto: globalThis.crypto })
const STATUSES = ['good', 'revoked', 'unknown'] as const

const ca = new Authority()
const { der } = ca.issue({ serial: 0xff_01 })
const issued = { certificate: readCertificate(der), issuer: ca.issuer }

describe('pkijs', () => {
  for (const [hash, oid] of [
    ['sha1', '1.3.14.3.2.26'],
    ['sha256', '2.16.840.1.101.3.4.2.1'],
  ] as const) {
    it(`reads Countersign’s OCSP request by ${hash}`, () => {
      const request = OCSPRequest.fromBER(encodeOcspRequest(issued, hash, Buffer.alloc(32, 7)))
      const { requestList, requestExtensions = [] } = request.tbsRequest
      assert.equal(requestList.length, 1)
      const id = requestList[0]?.reqCert
      assert.equal(id?.hashAlgorithm.algorithmId, oid)
      assert.deepEqual(Buffer.from(id.serialNumber.valueBlock.valueHexView), Buffer.of(0, 0xff, 1))
      assert.deepEqual(
        requestExtensions.map(({ extnID, critical }) => [extnID, critical]),
        [['1.3.6.1.5.5.7.48.1.2', false]],
      )
    })

    for (const [code, status] of STATUSES.entries()) {
      it(`says ${status} by ${hash}, as Countersign does`, async () => {
        const signer = ca.responder()
        const bytes = answer([single(issued, { status, hash })], {
          signer,
          certificates: [signer.der],
        })
        const { responseBytes } = OCSPResponse.fromBER(bytes)
        const basic = BasicOCSPResponse.fromBER(
          responseBytes?.response.valueBlock.valueHexView ?? bytes,
        )
        const authority = Certificate.fromBER(ca.der)
        const theirs = await basic.getCertificateStatus(Certificate.fromBER(der), authority, engine)
        assert.deepEqual(theirs, { isForCertificate: true, status: code })
        const reading = readOcspResponse(bytes)
        assert.equal(reading.outcome, 'answer')
        const rules = { responders: [], skew: MINUTE, maxAge: MINUTE, nonceRequired: false }
        const ours = await judgeOcsp(reading.answer, { issued, nonce: undefined }, rules, NOW)
        assert.equal(ours.outcome === 'proven' && ours.proven.status, status)
      })
    }
  }
})
