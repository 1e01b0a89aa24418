import assert from 'node:assert/strict'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { readCertificate, type CertificateParts } from '../../../src/x509/certificate.ts'
import { encodePem } from '../../../src/x509/pem.ts'
import { certificateOf } from '../../servers/certificate-upstream.ts'
import { http1 } from '../../servers/client.ts'
import { skipWithoutEnvoy } from '../../servers/envoy.ts'
import type { KeyPair, Pki } from '../../servers/pki.ts'
import { x509 } from '../../servers/x509.ts'
import { basic, startCertificateSite, type CertificateSite } from '../certificate-site.ts'

const CUSTOM = ['1.3.6.1.4.1.55555.1', '1.3.6.1.4.1.55555.2'] as const
const LEFT_OUT = '1.3.6.1.4.1.55555.3'
const { keyUsage, extendedKeyUsage, subjectAltName, policies, basicConstraints } = {
  keyUsage: '2.5.29.15',
  extendedKeyUsage: '2.5.29.37',
  subjectAltName: '2.5.29.17',
  policies: '2.5.29.32',
  basicConstraints: '2.5.29.19',
}

const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const

/** A caller's certificate with everything that can be copied, from the CA that Envoy trusts. */
const issueRich = async (pki: Pki, subject: x509.JsonName): Promise<KeyPair> => {
  const keys = await crypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify'])
  const ca = new x509.X509Certificate(await readFile(pki.ca, 'utf8'))
  const [caKey] = x509.PemConverter.decode(await readFile(pki.key, 'utf8'))
  const signingKey = await crypto.subtle.importKey(
    'pkcs8',
    caKey ?? new ArrayBuffer(),
    ALGORITHM,
    false,
    ['sign'],
  )
  const { KeyUsageFlags } = x509
  const certificate = await x509.X509CertificateGenerator.create({
    serialNumber: '0102',
    notBefore: new Date(Date.now() - 60_000),
    notAfter: new Date(Date.now() + 20 * 60_000),
    subject,
    issuer: ca.subject,
    publicKey: keys.publicKey,
    signingKey,
    signingAlgorithm: ALGORITHM,
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(
        KeyUsageFlags.digitalSignature | KeyUsageFlags.nonRepudiation,
        true,
      ),
      new x509.ExtendedKeyUsageExtension(['1.3.6.1.5.5.7.3.4', '1.3.6.1.5.5.7.3.2'], true),
      new x509.SubjectAlternativeNameExtension([
        { type: 'email', value: 'carol@example.org' },
        { type: 'url', value: 'spiffe://example.org/carol' },
        { type: 'upn', value: 'carol@corp.example.org' },
        { type: 'ip', value: '10.1.2.3' },
      ]),
      new x509.CertificatePolicyExtension(['2.16.840.1.101.3.2.1.3.13']),
      new x509.Extension(CUSTOM[0], false, Buffer.from('0c0568656c6c6f', 'hex')),
      new x509.Extension(CUSTOM[1], false, Buffer.from('3003020101', 'hex')),
      new x509.Extension(LEFT_OUT, false, Buffer.from('0500', 'hex')),
    ],
  })
  const files = {
    certificate: join(pki.folder, 'rich.pem'),
    key: join(pki.folder, 'rich.key'),
  }
  await writeFile(files.certificate, certificate.toString('pem'))
  const pkcs8 = Buffer.from(await crypto.subtle.exportKey('pkcs8', keys.privateKey))
  await writeFile(files.key, encodePem('PRIVATE KEY', pkcs8))
  return files
}

const CAROL: x509.JsonName = [
  { C: ['DE'] },
  { O: ['Example GmbH'] },
  { OU: ['Payments', 'Audit'] },
  { CN: ['Carol, née Smith'] },
]

/** The route takes the certificate or, where none is presented, the password. */
const BADGE_OR_PASSWORD = {
  authenticators: ({ ca }: Pki) => ({ badge: { certificate: { trust: ca } } }),
  authenticate: ['badge', 'staff'],
} as const

const LIMITS = {
  subject: { '*': ['*'] },
  subjectAltName: { email: ['*'], uri: ['*'], upn: ['*'], ip: ['10.0.0.0/8'] },
  keyUsage: ['digitalSignature', 'nonRepudiation'],
  extendedKeyUsage: ['clientAuth', 'emailProtection'],
  policies: ['2.16.840.1.101.3.2.1.3.13'],
  extensions: [...CUSTOM],
}

describe('delegation of the caller’s own certificate', { skip: skipWithoutEnvoy() }, () => {
  const minted = async (
    site: CertificateSite,
    client: KeyPair | undefined,
  ): Promise<CertificateParts> => {
    site.upstream.clear()
    const target = client === undefined ? site.target : { ...site.target, client }
    const { status, body } = await http1(target, { headers: [basic('alice')] })
    assert.equal(status, 200, body)
    const [request] = site.upstream.requests
    assert.ok(request)
    return readCertificate(certificateOf(request).raw)
  }

  const presentedBy = async ({ certificate }: KeyPair): Promise<CertificateParts> =>
    readCertificate(
      Buffer.from(new x509.X509Certificate(await readFile(certificate, 'utf8')).rawData),
    )

  const extensionOf = ({ extensions }: CertificateParts, oid: string) => {
    const found = extensions.find((extension) => extension.oid === oid)
    return found && { critical: found.critical, value: found.value.toString('hex') }
  }

  describe('copies', () => {
    let site: CertificateSite
    let rich: KeyPair
    before(async () => {
      site = await startCertificateSite({
        ...BADGE_OR_PASSWORD,
        certificate: {
          subject: undefined,
          delegate: {
            policies: 'copy',
            extensions: [...CUSTOM],
            fallback: { subject: { CN: '"nobody"' } },
          },
        },
        limits: LIMITS,
      })
      rich = await issueRich(site.pki, CAROL)
    })
    after(() => site[Symbol.asyncDispose]())

    it('copies the subject, byte for byte', async () => {
      const [mine, theirs] = [await minted(site, rich), await presentedBy(rich)]
      assert.deepEqual(mine.subject, theirs.subject)
    })

    for (const [name, oid] of Object.entries({
      subjectAltName,
      keyUsage,
      extendedKeyUsage,
      basicConstraints,
      policies,
      'a custom extension': CUSTOM[0],
      'another custom extension': CUSTOM[1],
    })) {
      it(`copies ${name}, byte for byte`, async () => {
        const [mine, theirs] = [await minted(site, rich), await presentedBy(rich)]
        assert.ok(extensionOf(theirs, oid))
        assert.deepEqual(extensionOf(mine, oid), extensionOf(theirs, oid))
      })
    }

    it('copies neither other fields nor the key', async () => {
      const [mine, theirs] = [await minted(site, rich), await presentedBy(rich)]
      assert.equal(extensionOf(mine, LEFT_OUT), undefined)
      assert.notDeepEqual(mine.publicKey, theirs.publicKey)
      assert.notDeepEqual(mine.serialNumber, theirs.serialNumber)
    })

    it('ends no later than the certificate that was presented', async () => {
      const [mine, theirs] = [await minted(site, rich), await presentedBy(rich)]
      assert.ok(mine.notAfter <= theirs.notAfter)
      assert.ok(mine.notAfter > theirs.notAfter - 225, 'rounded down to a 16th of an hour')
    })

    it('uses the configured subject where no certificate was presented', async () => {
      const mine = await minted(site, undefined)
      assert.match(mine.subject.toString('latin1'), /nobody/)
      assert.equal(extensionOf(mine, subjectAltName), undefined)
    })
  })

  it('drops and overrides single fields', async () => {
    await using site = await startCertificateSite({
      ...BADGE_OR_PASSWORD,
      certificate: {
        subject: { CN: 'identity.authenticator' },
        extendedKeyUsage: ['clientAuth'],
        delegate: {
          subject: 'override',
          subjectAltName: 'drop',
          extendedKeyUsage: 'override',
          basicConstraints: 'drop',
        },
      },
      limits: LIMITS,
    })
    const rich = await issueRich(site.pki, CAROL)
    const [mine, theirs] = [await minted(site, rich), await presentedBy(rich)]
    assert.match(mine.subject.toString('latin1'), /badge/)
    assert.equal(extensionOf(mine, subjectAltName), undefined)
    assert.equal(extensionOf(mine, basicConstraints), undefined)
    assert.equal(extensionOf(mine, extendedKeyUsage)?.value, '300a06082b06010505070302')
    assert.deepEqual(extensionOf(mine, keyUsage), extensionOf(theirs, keyUsage))
  })

  it('without a fallback refuses callers without a certificate', async () => {
    const certificate = { subject: undefined, delegate: {} }
    await using site = await startCertificateSite({
      ...BADGE_OR_PASSWORD,
      certificate,
      limits: LIMITS,
    })
    assert.equal((await http1(site.target, { headers: [basic('alice')] })).status, 403)
    assert.equal((await site.decisions()).at(-1)?.reason, 'certificate-missing')
  })

  it('refuses a presented certificate with a reserved name', async () => {
    const certificate = { subject: undefined, delegate: {} }
    await using site = await startCertificateSite({
      ...BADGE_OR_PASSWORD,
      certificate,
      limits: LIMITS,
    })
    const client = await issueRich(site.pki, [{ OU: ['system:masters'] }, { CN: ['eve'] }])
    const answer = await http1({ ...site.target, client }, { headers: [basic('alice')] })
    assert.equal(answer.status, 403)
    assert.equal((await site.decisions()).at(-1)?.reason, 'certificate-reserved')
  })
})
