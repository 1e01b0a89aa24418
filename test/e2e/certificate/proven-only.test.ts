// Delegation copies a certificate that an authenticator proved, and never one that was only presented in
// the TLS handshake. Mallory holds the stolen key of bob's revoked certificate and alice's password.

import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { readCertificate } from '../../../src/x509/certificate.ts'
import { decodeName, formatName } from '../../../src/x509/name.ts'
import { certificateOf } from '../../servers/certificate-upstream.ts'
import { http1, type Answer } from '../../servers/client.ts'
import { skipWithoutEnvoy } from '../../servers/envoy.ts'
import { createAuthority, type KeyPair, type Pki } from '../../servers/pki.ts'
import { basic, startCertificateSite, type CertificateSite } from '../certificate-site.ts'

const LIMITS = { subject: { '*': ['*'] }, keyUsage: ['digitalSignature'] }
const REVOKED = 'subject O=ops,CN=bob'

const certificateOnly = ({ ca }: Pki) => ({
  badge: { certificate: { trust: ca, revocation: { denied: { entries: [REVOKED] } } } },
})

const issueBob = (pki: Pki): Promise<KeyPair> =>
  pki.issue({ commonName: 'bob', organizations: ['ops'], usage: 'client' })

/** Subjects of the certificates that the upstream saw. */
const seenBy = ({ upstream }: CertificateSite): readonly string[] =>
  upstream.requests.map((request) => {
    const { subject } = readCertificate(certificateOf(request).raw)
    return formatName(decodeName(subject))
  })

const ask = async (
  site: CertificateSite,
  client: KeyPair | undefined,
  password?: string,
): Promise<Answer> => {
  site.upstream.clear()
  const target = client === undefined ? site.target : { ...site.target, client }
  const headers = password === undefined ? [] : [basic('alice', password)]
  return await http1(target, { headers })
}

const reasonOf = async (site: CertificateSite): Promise<string | undefined> =>
  (await site.decisions()).at(-1)?.reason

describe('delegation of a revoked certificate', { skip: skipWithoutEnvoy() }, () => {
  const PASSWORD = 'open sesame'

  describe('where the password is verified first', () => {
    let site: CertificateSite
    let bob: KeyPair
    before(async () => {
      site = await startCertificateSite({
        authenticators: certificateOnly,
        authenticate: ['staff', 'badge'],
        certificate: { subject: undefined, delegate: {} },
        limits: LIMITS,
      })
      bob = await issueBob(site.pki)
    })
    after(() => site[Symbol.asyncDispose]())

    it('a valid password does not delegate the revoked certificate, which was not proven', async () => {
      const { status } = await ask(site, bob, PASSWORD)
      assert.deepEqual([status, seenBy(site)], [403, []])
      assert.equal(await reasonOf(site), 'certificate-missing')
    })

    it('a valid password does not delegate a valid certificate either', async () => {
      const { status } = await ask(site, site.pki.alice, PASSWORD)
      assert.deepEqual([status, seenBy(site)], [403, []])
      assert.equal(await reasonOf(site), 'certificate-missing')
    })

    it('the revoked certificate alone is refused, and a valid one is copied', async () => {
      assert.equal((await ask(site, bob)).status, 401)
      assert.equal(await reasonOf(site), 'certificate-denied')
      assert.equal((await ask(site, site.pki.alice)).status, 200)
      assert.deepEqual(seenBy(site), ['O=developers,CN=alice'])
    })

    it('no certificate has the subject of the revoked one', async () => {
      assert.ok(!JSON.stringify(await site.issuances()).includes('CN=bob'))
    })
  })

  describe('where the certificate is verified first', () => {
    let site: CertificateSite
    before(async () => {
      site = await startCertificateSite({
        authenticators: certificateOnly,
        authenticate: ['badge', 'staff'],
        certificate: { subject: undefined, delegate: { fallback: { subject: { CN: '"guest"' } } } },
        limits: LIMITS,
      })
    })
    after(() => site[Symbol.asyncDispose]())

    it('a valid password does not replace the revoked certificate', async () => {
      const { status } = await ask(site, await issueBob(site.pki), PASSWORD)
      assert.deepEqual([status, seenBy(site)], [401, []])
      assert.equal(await reasonOf(site), 'certificate-denied')
    })

    it('a password alone gets the fallback', async () => {
      assert.equal((await ask(site, undefined, PASSWORD)).status, 200)
      assert.deepEqual(seenBy(site), ['CN=guest'])
    })
  })

  it('where both are required, the proven certificate is copied, and the revoked one refused', async () => {
    await using site = await startCertificateSite({
      authenticators: certificateOnly,
      authenticate: [{ all: ['staff', 'badge'] }],
      certificate: { subject: undefined, delegate: {} },
      limits: LIMITS,
    })
    assert.equal((await ask(site, await issueBob(site.pki), PASSWORD)).status, 401)
    assert.deepEqual([await reasonOf(site), seenBy(site)], ['certificate-denied', []])
    assert.equal((await ask(site, site.pki.alice, PASSWORD)).status, 200)
    assert.deepEqual(seenBy(site), ['O=developers,CN=alice'])
  })

  it('a certificate of a CA that the authenticator does not trust is not copied', async () => {
    // Envoy trusts the CA of the site; the authenticator trusts another one alone.
    await using other = await createAuthority('Other CA')
    await using site = await startCertificateSite({
      authenticators: () => ({ badge: { certificate: { trust: other.ca } } }),
      authenticate: ['staff', 'badge'],
      certificate: { subject: undefined, delegate: {} },
      limits: LIMITS,
    })
    assert.equal((await ask(site, site.pki.alice)).status, 401)
    assert.equal((await ask(site, site.pki.alice, PASSWORD)).status, 403)
    assert.deepEqual([await reasonOf(site), seenBy(site)], ['certificate-missing', []])
  })
})
