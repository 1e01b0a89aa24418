// The caller's certificate as Envoy hands it over: URL-encoded PEM. What cannot be read, and every
// name in it, is no certificate.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { readPresented } from '../../src/grant/delegation.ts'
import { readCertificate } from '../../src/x509/certificate.ts'
import { decodeName } from '../../src/x509/name.ts'
import { certificateOf, commonName, extensionOf, extensionsOf } from '../fixtures/certificate.ts'
import { asEnvoySends, presentedCertificate } from '../fixtures/presented.ts'

const der = await presentedCertificate()

const readSubject = (text: string): string | undefined => {
  const parts = readPresented(text)
  return parts && decodeName(parts.subject)[0]?.value
}

const bob = certificateOf({ subject: commonName(Buffer.from('bob')) })

describe('a certificate as Envoy sends it', () => {
  const pem = decodeURIComponent(asEnvoySends(der))
  const CASES = [
    { name: 'URL-encoded PEM', input: asEnvoySends(der), want: 'alice' },
    { name: 'PEM that needs no decoding', input: pem.replaceAll('+', '%2B'), want: 'alice' },
    { name: 'PEM with "+" as it is, which is no space', input: pem, want: 'alice' },
    {
      name: 'a chain, of which the first is the caller’s',
      input: asEnvoySends(der, bob),
      want: 'alice',
    },
    { name: 'a chain the other way round', input: asEnvoySends(bob, der), want: 'bob' },
    {
      name: 'a chain with garbage behind the first',
      input: `${asEnvoySends(der)}garbage`,
      want: 'alice',
    },
  ]
  for (const { name, input, want } of CASES) {
    it(`is read: ${name}`, () => assert.equal(readSubject(input), want))
  }

  it('is read to the last byte', () => {
    assert.deepEqual(readPresented(asEnvoySends(der)), readCertificate(der))
  })
})

describe('a certificate that cannot be read', () => {
  const san = (value: string | Buffer) =>
    certificateOf({ extensions: extensionsOf(extensionOf('551d11', value)) })
  const CASES = [
    { name: 'nothing', input: '' },
    { name: 'text', input: 'garbage' },
    { name: 'a broken escape', input: `${asEnvoySends(der)}%` },
    { name: 'an escape that is no UTF-8', input: `${asEnvoySends(der)}%ff` },
    { name: 'DER in base64 without its frame', input: der.toString('base64') },
    {
      name: 'a block of another label',
      input: asEnvoySends(der).replaceAll('CERTIFICATE', 'PUBLIC%20KEY'),
    },
    { name: 'a block without its end', input: asEnvoySends(der).slice(0, -30) },
    { name: 'PEM of nothing much', input: asEnvoySends(Buffer.of(0x30, 0)) },
    { name: 'a certificate cut short', input: asEnvoySends(der.subarray(0, -1)) },
    {
      name: 'a certificate with a byte behind',
      input: asEnvoySends(Buffer.concat([der, Buffer.of(0)])),
    },
    {
      name: 'a first block that is garbage, before a good one',
      input: asEnvoySends(Buffer.alloc(9), der),
    },
    {
      name: 'a subject of an obsolete type',
      input: asEnvoySends(certificateOf({ subject: commonName('616c', 0x14) })),
    },
    {
      name: 'a subject with a NUL in a PrintableString',
      input: asEnvoySends(certificateOf({ subject: commonName('61646d696e00', 0x13) })),
    },
    {
      name: 'a subject that is no UTF-8',
      input: asEnvoySends(certificateOf({ subject: commonName('61ff') })),
    },
    {
      name: 'a subject with an empty relative name',
      input: asEnvoySends(certificateOf({ subject: '3002 3100' })),
    },
    { name: 'alternative names of nothing', input: asEnvoySends(san('3000')) },
    { name: 'alternative names that are garbage', input: asEnvoySends(san('ff')) },
    { name: 'an IP address of 5 bytes', input: asEnvoySends(san('3007 8705 c000020700')) },
    { name: 'a DNS name beyond ASCII', input: asEnvoySends(san('3003 8201fc')) },
    {
      name: 'alternative names twice',
      input: asEnvoySends(
        certificateOf({
          extensions: extensionsOf(
            extensionOf('551d11', '3003 820161'),
            extensionOf('551d11', '3003 820162'),
          ),
        }),
      ),
    },
  ]
  for (const { name, input } of CASES) {
    it(name, () => assert.equal(readPresented(input), undefined))
  }
})
