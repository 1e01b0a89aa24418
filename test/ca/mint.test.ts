// The contents of a minted certificate, as other libraries read it.

import assert from 'node:assert/strict'
import { X509Certificate } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import { describe, it } from 'node:test'
import { keySource, type MintedKey } from '../../src/ca/key-pool.ts'
import type { FileCa } from '../../src/ca/file-ca.ts'
import { mint, randomSerial } from '../../src/ca/mint.ts'
import { issuedFault } from '../../src/ca/verify-issued.ts'
import type { KeyAlgorithm } from '../../src/keys/key-algorithm.ts'
import type { Grant } from '../../src/grant/grant.ts'
import { readCertificate } from '../../src/x509/certificate.ts'
import { certificatePolicies } from '../../src/x509/extensions.ts'
import { encodePem } from '../../src/x509/pem.ts'
import { grantOf, NOW_S, subjectOf } from '../fakes/grant.ts'
import { temporaryFolder } from '../servers/temporary.ts'
import { x509 } from '../servers/x509.ts'
import { fileCaOf, makeCa, type TestCa } from './authorities.ts'
import { namesOf, withExtensions } from './limits-cases.ts'
import { goVerify, openssl, without, type Chain } from './other-readers.ts'

const FULL = grantOf({
  subject: subjectOf(
    ['CN', 'Jürgen "J", x+y'],
    ['O', 'developers'],
    ['O', 'operations'],
    ['OU', '日本'],
    ['C', 'DE'],
    ['DC', 'example'],
    ['1.2.3.4', 'own'],
  ),
  ...withExtensions(
    namesOf(
      ['dns', 'a.example.org'],
      ['uri', 'spiffe://example.org/a'],
      ['email', 'a@example.org'],
      ['ip', '192.0.2.1'],
      ['ip', '2001:db8::1'],
      ['upn', 'jürgen@example.org'],
    ),
    certificatePolicies(['1.2.3.4.5']),
    { oid: '1.2.840.113556.1.4.1', critical: false, value: Buffer.from('0c03736964', 'hex') },
  ),
})

/** One key of each algorithm: a source would make more of them ahead, which takes seconds for RSA. */
const keys = new Map<KeyAlgorithm, Promise<MintedKey>>()

const keyOf = async (algorithm: KeyAlgorithm): Promise<MintedKey> => {
  const known = keys.get(algorithm)
  if (known !== undefined) return await known
  const source = keySource(algorithm)
  const key = source.take()
  source[Symbol.dispose]()
  keys.set(algorithm, key)
  return await key
}

const issue = async (authority: FileCa, grant: Grant = FULL, algorithm: KeyAlgorithm = 'p256') => {
  const key = await keyOf(algorithm)
  const minting = { grant, authority, serial: randomSerial(), publicKey: key.publicKey }
  const der = await mint(minting)
  assert.equal(issuedFault(der, minting, key.privateKey), undefined)
  return { minting, der, pem: encodePem('CERTIFICATE', der) }
}

const chainFor = (leaf: string, authority: FileCa, root: TestCa): Chain => ({
  leaf,
  intermediates: authority.chain,
  roots: root.certificate,
  now: NOW_S,
})

const CA_KINDS = ['p256', 'p384', 'p521', 'ed25519', 'rsa2048'] as const
const ALGORITHMS = ['p256', 'p384', 'ed25519', 'rsa2048', 'rsa3072'] as const

describe('a minted certificate', () => {
  for (const kind of CA_KINDS) {
    let made: Promise<TestCa> | undefined
    for (const algorithm of ALGORITHMS) {
      it(`is valid with a CA of ${kind} and a key of ${algorithm}`, async () => {
        const ca = await (made ??= makeCa({ kind }))
        const { der } = await issue(fileCaOf(ca), FULL, algorithm)
        const read = new x509.X509Certificate(der)
        assert.ok(await read.verify({ publicKey: ca.keys.publicKey, signatureOnly: true }))
      })
    }
  }

  it('has the same fields as read by another library', async () => {
    const ca = await makeCa()
    const { der, minting } = await issue(fileCaOf(ca))
    const read = new x509.X509Certificate(der)
    assert.deepEqual(Buffer.from(read.subjectName.toArrayBuffer()), FULL.subject)
    assert.equal(read.issuer, 'CN=Test CA')
    assert.equal(read.serialNumber, minting.serial.toString('hex'))
    assert.equal(read.notBefore.getTime(), FULL.notBefore * 1_000)
    assert.equal(read.notAfter.getTime(), FULL.notAfter * 1_000)
    assert.deepEqual(
      Array.from(read.extensions, ({ type }) => type),
      [
        '2.5.29.15',
        '2.5.29.37',
        '2.5.29.19',
        '2.5.29.17',
        '2.5.29.32',
        '1.2.840.113556.1.4.1',
        '2.5.29.35',
        '2.5.29.14',
      ],
    )
    const names = read.getExtension(x509.SubjectAlternativeNameExtension)?.names.toJSON() ?? []
    assert.deepEqual(
      names.map(({ type, value }) => `${type} ${value}`),
      [
        'dns a.example.org',
        'url spiffe://example.org/a',
        'email a@example.org',
        'ip 192.0.2.1',
        'ip 2001:db8::1',
        'upn jürgen@example.org',
      ],
    )
    const authorityKey = read.getExtension(x509.AuthorityKeyIdentifierExtension)?.keyId
    const subjectKey = new x509.X509Certificate(ca.certificate).getExtension(
      x509.SubjectKeyIdentifierExtension,
    )?.keyId
    assert.equal(authorityKey, subjectKey)
  })

  it('is verified by OpenSSL', { skip: without('openssl') }, async () => {
    await using folder = await temporaryFolder()
    const root = await makeCa({ subject: 'CN=Root', kind: 'rsa2048' })
    const ca = await makeCa({ subject: 'CN=Below', issuer: root })
    const authority = fileCaOf(ca, root)
    const { pem } = await issue(authority)
    const files = { leaf: pem, chain: authority.chain, root: root.certificate }
    await Promise.all(
      Object.entries(files).map(([name, text]) => writeFile(folder.file(name), text)),
    )
    const verify = ['verify', '-x509_strict', '-purpose', 'sslclient', '-attime', String(NOW_S)]
    const said = openssl([
      ...verify,
      '-CAfile',
      folder.file('root'),
      '-untrusted',
      folder.file('chain'),
      folder.file('leaf'),
    ])
    assert.match(said, /leaf: OK/)
    const text = openssl(['x509', '-noout', '-text', '-nameopt', 'RFC2253,-esc_msb,utf8'], pem)
    for (const line of [
      /Issuer: CN=Below/,
      /Subject: 1\.2\.3\.4=#0C036F776E,DC=example,C=DE,OU=日本,O=operations,O=developers,CN=Jürgen \\"J\\"\\, x\\\+y/,
      /Not Before: Dec 31 23:55:00 2025 GMT/,
      /Not After : Jan {2}1 01:00:00 2026 GMT/,
      /X509v3 Key Usage: critical\s+Digital Signature\n/,
      /X509v3 Extended Key Usage:\s+TLS Web Client Authentication\n/,
      /X509v3 Basic Constraints: critical\s+CA:FALSE/,
      /DNS:a\.example\.org, URI:spiffe:\/\/example\.org\/a, email:a@example\.org, IP Address:192\.0\.2\.1, IP Address:2001:DB8:0:0:0:0:0:1, othername: UPN:/,
      /Policy: 1\.2\.3\.4\.5/,
    ]) {
      assert.match(text, line)
    }
  })

  it('is verified by Go', { skip: without('go') }, async () => {
    const cases = await Promise.all(
      CA_KINDS.map(async (kind) => {
        const root = await makeCa({ subject: 'CN=Root' })
        const authority = fileCaOf(
          await makeCa({ subject: 'CN=Below,O=Ünï', kind, issuer: root }),
          root,
        )
        const { pem, minting } = await issue(authority)
        return { chain: chainFor(pem, authority, root), serial: minting.serial.toString('hex') }
      }),
    )
    const verdicts = goVerify(cases.map(({ chain }) => chain))
    for (const [index, verdict] of verdicts.entries()) {
      assert.equal(verdict.error, undefined)
      assert.equal(verdict.commonName, 'Jürgen "J", x+y')
      assert.deepEqual(verdict.organization, ['developers', 'operations'])
      assert.deepEqual(verdict.dns, ['a.example.org'])
      assert.deepEqual(verdict.uris, ['spiffe://example.org/a'])
      assert.deepEqual(verdict.emails, ['a@example.org'])
      assert.deepEqual(verdict.ips, ['192.0.2.1', '2001:db8::1'])
      assert.equal(verdict.serial, cases[index]?.serial)
      assert.equal(verdict.isCA, false)
    }
  })

  it('is refused by Go with another root, and after its end', { skip: without('go') }, async () => {
    const root = await makeCa({ subject: 'CN=Root' })
    const authority = fileCaOf(root)
    const { pem } = await issue(authority)
    const other = await makeCa({ subject: 'CN=Root' })
    const good = chainFor(pem, authority, root)
    const [held, foreign, late] = goVerify([
      good,
      chainFor(pem, authority, other),
      { ...good, now: FULL.notAfter + 1 },
    ])
    assert.equal(held?.error, undefined)
    assert.match(foreign?.error ?? '', /signed by unknown authority/)
    assert.match(late?.error ?? '', /expired/)
  })

  it('may end after 2049', async () => {
    const grant = grantOf({
      notBefore: Date.UTC(2049, 11, 31) / 1_000,
      notAfter: Date.UTC(2050, 0, 2) / 1_000,
    })
    const { der } = await issue(fileCaOf(await makeCa()), grant)
    assert.equal(new X509Certificate(der).validToDate.toISOString(), '2050-01-02T00:00:00.000Z')
  })
})

describe('the serial numbers of certificates', () => {
  const serials = Array.from({ length: 5_000 }, randomSerial)

  it('have 20 octets and are positive (RFC 5280 §4.1.2.2)', () => {
    for (const serial of serials) {
      assert.equal(serial.length, 20)
      assert.ok((serial[0] ?? 0xff) < 0x80 && (serial[0] ?? 0) >= 0x40)
    }
  })

  it('are unique among five thousand', () => {
    assert.equal(new Set(serials.map((serial) => serial.toString('hex'))).size, serials.length)
  })

  it('are random in every bit except the first two', () => {
    const bits = serials.map((serial) => BigInt(`0x${serial.toString('hex')}`))
    for (let bit = 0n; bit < 158n; bit++) {
      const ones = bits.filter((value) => ((value >> bit) & 1n) === 1n).length
      assert.ok(ones > 2_200 && ones < 2_800, `bit ${bit}: ${ones} of 5000`)
    }
  })

  it('are written unchanged', async () => {
    const { der, minting } = await issue(fileCaOf(await makeCa()))
    assert.deepEqual(readCertificate(der).serialNumber, minting.serial)
  })
})
