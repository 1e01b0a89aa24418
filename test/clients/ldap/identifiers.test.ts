// objectGUID and objectSid of Active Directory.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { guidText, siblingSid, sidText } from '../../../src/clients/ldap/identifiers.ts'

describe('an identifier of Active Directory', () => {
  it('is a GUID, with three fields turned round', () => {
    const bytes = Buffer.from('00112233445566778899aabbccddeeff', 'hex')
    assert.equal(guidText(bytes), '33221100-5544-7766-8899-aabbccddeeff')
    assert.equal(bytes.toString('hex'), '00112233445566778899aabbccddeeff', 'untouched')
    assert.equal(guidText(bytes.subarray(1)), undefined)
  })

  it('is a SID', () => {
    const bytes = Buffer.from('010500000000000515000000dcf4dc3b833d2b46828ba62800020000', 'hex')
    assert.equal(sidText(bytes), 'S-1-5-21-1004336348-1177238915-682003330-512')
    for (const wrong of ['', '01', '0105', '020100000000000512000000', '0102000000000005120000'])
      assert.equal(sidText(Buffer.from(wrong, 'hex')), undefined, wrong)
    assert.equal(siblingSid('S-1-5-21-1-2-3-1104', '513'), 'S-1-5-21-1-2-3-513')
  })
})
