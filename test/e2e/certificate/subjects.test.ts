import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { certificateOf } from '../../servers/certificate-upstream.ts'
import { http1 } from '../../servers/client.ts'
import { skipWithoutEnvoy } from '../../servers/envoy.ts'
import { x509 } from '../../servers/x509.ts'
import { basic, startCertificateSite, type CertificateSite } from '../certificate-site.ts'

const NAMES = {
  'what separates attributes in text': 'alice,O=masters',
  'what separates values in text': 'alice+O=masters',
  'an equals sign': 'CN=root',
  'a slash, as OpenSSL writes names': '/O=masters/CN=root',
  'quotes and backslashes': String.raw`a"b\c;<d>`,
  'a leading hash sign': '#1234',
  'a right-to-left override': 'alice\u202Egnp.exe',
  'letters that look like others': 'аlice', // the first one is Cyrillic
  'text beyond the basic plane': 'alice 🔑',
  accents: 'Zoë Müller',
  'a kilobyte': 'x'.repeat(1_024),
} as const

const GROUPS = ['dev', 'ops,O=system:masters', 'a+b=c', 'größe', 'ops'] as const

describe('subjects with special characters', { skip: skipWithoutEnvoy() }, () => {
  let site: CertificateSite
  before(async () => {
    const users = Object.fromEntries(Object.values(NAMES).map((name) => [name, { groups: GROUPS }]))
    site = await startCertificateSite({ users })
  })
  after(() => site[Symbol.asyncDispose]())

  for (const [what, name] of Object.entries(NAMES)) {
    it(`are encoded exactly: ${what}`, async () => {
      site.upstream.clear()
      const { status } = await http1(site.target, { headers: [basic(name)] })
      assert.equal(status, 200)
      const [request] = site.upstream.requests
      assert.ok(request)
      // Another reader than our own.
      const { subjectName } = new x509.X509Certificate(certificateOf(request).raw)
      assert.deepEqual(subjectName.getField('CN'), [name])
      assert.deepEqual(subjectName.getField('O'), [...GROUPS])
    })
  }
})

describe('subjects that cannot be encoded', { skip: skipWithoutEnvoy() }, () => {
  const CASES = {
    'a country that is none': { subject: { CN: 'identity.user', C: 'identity.user' } },
    'a DNS name that is none': { subjectAltName: { dns: 'identity.user + " "' } },
    'a key that this user does not have': { subject: { CN: 'identity.extra["employee"][0]' } },
    'an empty name': { subject: { CN: '""' } },
  } as const
  for (const [what, certificate] of Object.entries(CASES)) {
    it(`are a refusal: ${what}`, async () => {
      const limits = { subject: { '*': ['*'] } }
      await using site = await startCertificateSite({ certificate, limits })
      assert.equal((await http1(site.target, { headers: [basic('alice')] })).status, 403)
      assert.equal((await site.decisions()).at(-1)?.reason, 'certificate-unrepresentable')
      assert.equal(site.upstream.requests.length, 0)
    })
  }

  it('are a refusal: a reserved name made by an expression', async () => {
    const certificate = { subject: { CN: '"system:" + identity.user' } }
    await using site = await startCertificateSite({ certificate })
    assert.equal((await http1(site.target, { headers: [basic('alice')] })).status, 403)
    assert.equal((await site.decisions()).at(-1)?.reason, 'certificate-reserved')
  })

  it('are a refusal: more groups than a certificate holds', async () => {
    // Few and short enough for an identity: 15 KB of them.
    const groups = Array.from({ length: 400 }, (_, index) => `team-${index}`.padEnd(38, '-'))
    await using site = await startCertificateSite({ users: { alice: { groups } } })
    assert.equal((await http1(site.target, { headers: [basic('alice')] })).status, 403)
    assert.equal((await site.decisions()).at(-1)?.reason, 'certificate-too-large')
  })
})
