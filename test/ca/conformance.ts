// What every CA must do, wherever its key is. Each implementation, and the fake, run these tests.

import assert from 'node:assert/strict'
import { generateKeyPairSync, X509Certificate } from 'node:crypto'
import { describe, it } from 'node:test'
import { inspect } from 'node:util'
import type { CertificateAuthority } from '../../src/ca/certificate-authority.ts'
import { mint, randomSerial } from '../../src/ca/mint.ts'
import { issuedFault } from '../../src/ca/verify-issued.ts'
import { readCertificate } from '../../src/x509/certificate.ts'
import { DerReader, readOnly, TAG } from '../../src/x509/der.ts'
import { EXTENSIONS } from '../../src/x509/oid.ts'
import { grantOf } from '../fakes/grant.ts'

const key = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const publicKey = key.publicKey.export({ type: 'spki', format: 'der' })

/** Registers the tests for one implementation. */
export const authorityConformance = (
  name: string,
  create: () => Promise<CertificateAuthority>,
): void => {
  const issue = async (authority: CertificateAuthority) => {
    const minting = { grant: grantOf(), authority, serial: randomSerial(), publicKey }
    return { minting, certificate: await mint(minting) }
  }

  describe(`${name} is a certificate authority: it`, () => {
    it('signs so that its certificate verifies it', async () => {
      const authority = await create()
      const { certificate } = await issue(authority)
      const issued = new X509Certificate(certificate)
      assert.ok(issued.verify(new X509Certificate(authority.certificate.x509.raw).publicKey))
      assert.ok(issued.checkIssued(authority.certificate.x509))
    })

    it('issues certificates that verify-issued accepts', async () => {
      const { minting, certificate } = await issue(await create())
      assert.equal(issuedFault(certificate, minting, key.privateKey), undefined)
    })

    it('names its signature algorithm', async () => {
      const authority = await create()
      const { certificate } = await issue(authority)
      const outer = new DerReader(readOnly(certificate, TAG.sequence))
      outer.next()
      assert.deepEqual(outer.next().whole, authority.signatureAlgorithm)
    })

    it('has its own subject as the issuer, byte for byte', async () => {
      const authority = await create()
      const own = readCertificate(authority.certificate.x509.raw)
      const { issuer } = readCertificate((await issue(authority)).certificate)
      assert.deepEqual(issuer, own.subject)
    })

    it('has the key identifier of its own certificate', async () => {
      const authority = await create()
      const own = readCertificate(authority.certificate.x509.raw).extensions
      const identifier = own.find(({ oid }) => oid === EXTENSIONS.subjectKeyIdentifier)
      if (identifier === undefined) return
      const content = readOnly(identifier.value, TAG.octetString)
      assert.deepEqual(authority.certificate.keyIdentifier, content)
    })

    it('knows when its certificate ends', async () => {
      const { x509, notAfter } = (await create()).certificate
      assert.equal(notAfter * 1_000, x509.validToDate.getTime())
    })

    it('signs many simultaneously, each correctly', async () => {
      const authority = await create()
      const all = await Promise.all(Array.from({ length: 20 }, () => issue(authority)))
      for (const { minting, certificate } of all) {
        assert.equal(issuedFault(certificate, minting, key.privateKey), undefined)
      }
    })

    it('does not print its key', async () => {
      const text = inspect(await create(), { depth: 9, showHidden: true })
      assert.doesNotMatch(text, /PRIVATE|\bd: '|privateExponent/)
    })
  })
}
