// The certificate of a CA and those above it: which are taken, in which order, and what is sent on.

import assert from 'node:assert/strict'
import { createHash, X509Certificate } from 'node:crypto'
import { describe, it } from 'node:test'
import { readAuthorityChain } from '../../src/ca/authority-certificate.ts'
import { readCertificate } from '../../src/x509/certificate.ts'
import { decodePem } from '../../src/x509/pem.ts'
import { FakeClock } from '../fakes/clock.ts'
import { x509 } from '../servers/x509.ts'
import { makeCa, type TestCa } from './authorities.ts'

const NOW = new FakeClock().now()

const chainOf = (...cas: readonly TestCa[]) =>
  readAuthorityChain(cas.map(({ certificate }) => certificate).join(''), NOW)

const subjectsOf = (pem: string): readonly string[] =>
  decodePem('CERTIFICATE', pem).map((der) => new X509Certificate(der).subject)

describe('the chain after the leaf', async () => {
  const root = await makeCa({ subject: 'CN=Root' })
  const middle = await makeCa({ subject: 'CN=Middle', issuer: root })
  const lower = await makeCa({ subject: 'CN=Lower', issuer: middle })

  it('is empty for a root', () => assert.equal(chainOf(root).chain, ''))

  it('is the CA itself where it is not a root', () => {
    assert.deepEqual(subjectsOf(chainOf(lower).chain), ['CN=Lower'])
  })

  it('is every certificate up to the root, without the root', () => {
    const { chain, certificate } = chainOf(lower, middle, root)
    assert.deepEqual(subjectsOf(chain), ['CN=Lower', 'CN=Middle'])
    assert.equal(certificate.x509.subject, 'CN=Lower')
  })

  it('must be in order', () => {
    const says = /certificate 2 of the file did not sign certificate 1/
    assert.throws(() => chainOf(lower, root), says)
    assert.throws(() => chainOf(root, middle), says)
    assert.throws(
      () => chainOf(lower, middle, middle),
      /certificate 3 .* did not sign certificate 2/,
    )
  })

  it('is checked by signature, not by name', async () => {
    const other = await makeCa({ subject: 'CN=Middle', issuer: root })
    assert.throws(() => chainOf(lower, other), /did not sign/)
  })
})

describe('the certificate of a CA is refused', () => {
  const CASES: readonly { name: string; pem: () => Promise<string>; says: RegExp }[] = [
    {
      name: 'where the file has none',
      pem: async () => 'nothing',
      says: /holds no certificate in PEM/,
    },
    {
      name: 'where it is malformed',
      pem: async () => '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n',
      says: /certificate 1 of the file cannot be used/,
    },
    {
      name: 'where basicConstraints say that it is not a CA',
      pem: async () =>
        (await makeCa({ extensions: [new x509.BasicConstraintsExtension(false)] })).certificate,
      says: /not the certificate of a CA/,
    },
    {
      name: 'without basicConstraints',
      pem: async () => {
        const extensions = [new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign, true)]
        return (await makeCa({ extensions })).certificate
      },
      says: /not the certificate of a CA/,
    },
    {
      name: 'where its key usage lacks keyCertSign',
      pem: async () => {
        const extensions = [
          new x509.BasicConstraintsExtension(true, undefined, true),
          new x509.KeyUsagesExtension(x509.KeyUsageFlags.cRLSign, true),
        ]
        return (await makeCa({ extensions })).certificate
      },
      says: /keyUsage without keyCertSign/,
    },
    {
      name: 'where it has expired',
      pem: async () => (await makeCa({ notAfter: new Date(NOW) })).certificate,
      says: /expired at 2026-01-01T00:00:00.000Z/,
    },
    {
      name: 'where it is not yet valid',
      pem: async () => (await makeCa({ notBefore: new Date(NOW + 120_000) })).certificate,
      says: /not valid before 2026-01-01T00:02:00.000Z/,
    },
    {
      name: 'where one above it has expired',
      pem: async () => {
        const root = await makeCa({ subject: 'CN=Root', notAfter: new Date(NOW - 1_000) })
        return (await makeCa({ issuer: root })).certificate + root.certificate
      },
      says: /certificate 2 of the file expired/,
    },
  ]
  for (const { name, pem, says } of CASES) {
    it(`is refused as a CA: ${name}`, async () => {
      const text = await pem()
      assert.throws(() => readAuthorityChain(text, NOW), {
        code: 'authority-unusable',
        message: says,
      })
    })
  }
})

describe('the accepted certificate of a CA', () => {
  it('may become valid in a few seconds, because of clock skew', async () => {
    const { certificate } = await makeCa({ notBefore: new Date(NOW + 30_000) })
    assert.ok(readAuthorityChain(certificate, NOW))
  })

  it('may lack a key usage', async () => {
    const extensions = [new x509.BasicConstraintsExtension(true, undefined, true)]
    assert.ok(chainOf(await makeCa({ extensions })))
  })

  it('may lack a key identifier, which is then derived from its key (RFC 7093)', async () => {
    const extensions = [new x509.BasicConstraintsExtension(true, undefined, true)]
    const ca = await makeCa({ extensions })
    const { certificate } = chainOf(ca)
    const point = ca.keys.publicKey
    const raw = Buffer.from(await crypto.subtle.exportKey('raw', point))
    const want = createHash('sha256').update(raw).digest().subarray(0, 20)
    assert.deepEqual(certificate.keyIdentifier, want)
  })

  it('keeps the encoding of its name', async () => {
    const subject = new x509.Name([
      { O: [{ printableString: 'Kube' }] },
      { CN: [{ utf8String: 'Kube CA' }] },
    ])
    const { certificate } = chainOf(await makeCa({ subject }))
    assert.deepEqual(certificate.subject, readCertificate(certificate.x509.raw).subject)
    assert.match(certificate.subject.toString('hex'), /13044b7562/) // PrintableString, 4 bytes
    assert.match(certificate.subject.toString('hex'), /0c074b75626520/) // UTF8String
  })

  it('may have text around its PEM, or CR LF', async () => {
    const { certificate } = await makeCa()
    const text = `subject=CN=x\r\n${certificate.replaceAll('\n', '\r\n')}more`
    assert.ok(readAuthorityChain(text, NOW))
  })
})
