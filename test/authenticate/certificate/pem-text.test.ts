// URL-encoded PEM as Envoy writes it, and malformed variants of it.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { readUrlEncodedPem } from '../../../src/authenticate/certificate/pem-text.ts'
import { encodePem } from '../../../src/x509/pem.ts'
import { makeClient, pemOf } from '../../pki/making.ts'

const [one, two] = [makeClient({}), makeClient({ kind: 'ed25519' })]
const pem = pemOf(one)

describe('URL-encoded PEM', () => {
  it('is read, with one block or several', () => {
    assert.deepEqual(readUrlEncodedPem(encodeURIComponent(pem)), [one.der])
    assert.deepEqual(readUrlEncodedPem(encodeURIComponent(pemOf(one, two))), [one.der, two.der])
    assert.deepEqual(readUrlEncodedPem(encodeURIComponent(pem.trimEnd())), [one.der])
    assert.deepEqual(readUrlEncodedPem(encodeURIComponent(pem.replaceAll('\n', '\r\n'))), [one.der])
    // Envoy encodes only these characters.
    assert.deepEqual(readUrlEncodedPem(pem.replaceAll('\n', '%0A').replaceAll(' ', '%20')), [
      one.der,
    ])
  })

  const CASES: readonly { readonly name: string; readonly input: string }[] = [
    { name: 'nothing', input: '' },
    { name: 'broken percent-encoding', input: `${encodeURIComponent(pem)}%` },
    { name: 'bytes that are not UTF-8', input: `${encodeURIComponent(pem)}%ff` },
    { name: 'text before', input: `x${encodeURIComponent(pem)}` },
    { name: 'text after', input: `${encodeURIComponent(pem)}x` },
    {
      name: 'another kind of block',
      input: encodeURIComponent(pem.replaceAll('CERTIFICATE', 'X')),
    },
    {
      name: 'the end of another',
      input: encodeURIComponent(pem.replace('END CERTIFICATE', 'END X')),
    },
    { name: 'no end', input: encodeURIComponent(pem.slice(0, -30)) },
    {
      name: 'a digit too few',
      input: encodeURIComponent(pem.replace(/.\n-----END/, '\n-----END')),
    },
    { name: 'a space in the base64', input: encodeURIComponent(pem.replace('\nMI', '\n MI')) },
    { name: 'a plus taken for a space', input: encodeURIComponent(pem).replaceAll('%20', '+') },
    {
      name: 'headers inside (RFC 1421)',
      input: encodeURIComponent(pem.replace('\nMI', '\nX: y\n\nMI')),
    },
    { name: 'a NUL after', input: `${encodeURIComponent(pem)}%00` },
    { name: 'eleven blocks', input: encodeURIComponent(pem.repeat(11)) },
    { name: 'too much (hostile)', input: encodePem('CERTIFICATE', Buffer.alloc(60_000)) },
  ]
  for (const { name, input } of CASES) {
    it(`is refused: ${name}`, () => {
      assert.equal(readUrlEncodedPem(input), undefined)
    })
  }
})
