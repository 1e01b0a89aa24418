// The proven client certificate that delegation copies: DER. A certificate that cannot be decoded, every
// name in it included, is not copied.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { namesOf, readProven } from '../../src/grant/delegation.ts'
import { readCertificate } from '../../src/x509/certificate.ts'
import { encodePem } from '../../src/x509/pem.ts'
import { certificateOf, commonName, extensionOf, extensionsOf } from '../fixtures/certificate.ts'
import { presentedCertificate } from '../fixtures/presented.ts'

const der = await presentedCertificate()

it('a proven certificate is decoded to its last byte', () => {
  assert.deepEqual(readProven(der), readCertificate(der))
})

describe('a proven certificate that cannot be decoded', () => {
  const san = (value: string | Buffer) =>
    certificateOf({ extensions: extensionsOf(extensionOf('551d11', value)) })
  const CASES = [
    { name: 'an empty certificate', input: Buffer.alloc(0) },
    { name: 'a certificate in PEM', input: Buffer.from(encodePem('CERTIFICATE', der)) },
    { name: 'an empty sequence', input: Buffer.of(0x30, 0) },
    { name: 'a truncated certificate', input: der.subarray(0, -1) },
    {
      name: 'a certificate with a byte after its end',
      input: Buffer.concat([der, Buffer.of(0)]),
    },
    {
      name: 'a subject of an obsolete type',
      input: certificateOf({ subject: commonName('616c', 0x14) }),
    },
    {
      name: 'a subject with a NUL in a PrintableString',
      input: certificateOf({ subject: commonName('61646d696e00', 0x13) }),
    },
    {
      name: 'a subject that is not UTF-8',
      input: certificateOf({ subject: commonName('61ff') }),
    },
    {
      name: 'a subject with an empty relative name',
      input: certificateOf({ subject: '3002 3100' }),
    },
    { name: 'empty alternative names', input: san('3000') },
    { name: 'malformed alternative names', input: san('ff') },
    { name: 'an IP address of 5 bytes', input: san('3007 8705 c000020700') },
    { name: 'a DNS name beyond ASCII', input: san('3003 8201fc') },
    {
      name: 'alternative names twice',
      input: certificateOf({
        extensions: extensionsOf(
          extensionOf('551d11', '3003 820161'),
          extensionOf('551d11', '3003 820162'),
        ),
      }),
    },
  ]
  for (const { name, input } of CASES) {
    it(name, () => {
      const parts = readProven(input)
      assert.equal(parts && namesOf(parts), undefined)
    })
  }
})
