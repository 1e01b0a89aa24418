import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { after, before, describe, it } from 'node:test'
import type { Grant } from '../../../src/grant/grant.ts'
import { handleDigest } from '../../../src/grant/handle.ts'
import { GrantSeal } from '../../../src/grant/seal.ts'
import { newGrantKeyLine, parseGrantKeys } from '../../../src/keys/grant-keys.ts'
import { sequence, element, TAG } from '../../../src/x509/der.ts'
import { extendedKeyUsage, keyUsage, notAuthority } from '../../../src/x509/extensions.ts'
import { encodeName } from '../../../src/x509/name.ts'
import { ATTRIBUTES, EXTENSIONS } from '../../../src/x509/oid.ts'
import { http1, valuesOf, type HeaderLine } from '../../servers/client.ts'
import { skipWithoutEnvoy } from '../../servers/envoy.ts'
import { basic, startCertificateSite, type CertificateSite } from '../certificate-site.ts'

const now = Math.floor(Date.now() / 1_000)
const { CN, O } = ATTRIBUTES

const nameOf = (...pairs: readonly (readonly [oid: string, value: string])[]): Buffer =>
  encodeName(pairs.map(([oid, value]) => ({ oid, value })))

const GOOD: Grant = {
  authority: 'kube',
  route: 'kubernetes',
  authenticator: 'staff',
  subject: nameOf([CN, 'eve']),
  extensions: [
    keyUsage(['digitalSignature']),
    extendedKeyUsage(['1.3.6.1.5.5.7.3.2']),
    notAuthority,
  ],
  notBefore: now - 300,
  notAfter: now + 3_600,
  renewAt: now + 1_800,
}

const authority = { ...notAuthority, value: sequence(element(TAG.boolean, Buffer.of(0xff))) }

interface Case {
  readonly name: string
  /** A grant, sealed with the right key … */
  readonly grant?: Partial<Grant>
  /** … or how the handle of a valid one is changed. */
  readonly handle?: (good: string) => string
}

const CASES: readonly Case[] = [
  { name: 'a handle with a bit turned', handle: (good) => flip(good, 40) },
  { name: 'a handle with its tag cut off', handle: (good) => good.slice(0, -16) },
  { name: 'a handle sealed with a key that the signer does not have', handle: () => unknownKey() },
  { name: 'a text that is not a handle', handle: () => 'alice' },
  { name: 'a path in place of a handle', handle: () => '../../etc/passwd' },
  { name: 'an unknown CA', grant: { authority: 'other' } },
  { name: 'an expired grant', grant: { notBefore: now - 7_200, notAfter: now - 3_600 } },
  { name: 'a grant for later', grant: { notBefore: now + 3_600, notAfter: now + 7_200 } },
  { name: 'a grant for longer than the limit', grant: { notAfter: now + 90_000 } },
  { name: 'a grant beyond the CA’s own end', grant: { notAfter: now + 40 * 86_400 } },
  { name: 'O=system:masters', grant: { subject: nameOf([CN, 'eve'], [O, 'system:masters']) } },
  { name: 'O= System:Masters', grant: { subject: nameOf([CN, 'eve'], [O, ' System:Masters']) } },
  { name: 'CN=system:admin', grant: { subject: nameOf([CN, 'system:admin']) } },
  { name: 'an attribute outside the limits', grant: { subject: nameOf([ATTRIBUTES.OU, 'x']) } },
  { name: 'an empty subject', grant: { subject: nameOf() } },
  { name: 'a NUL in a name', grant: { subject: nameOf([CN, 'alice\0.example.org']) } },
  { name: 'a CA certificate', grant: { extensions: [...GOOD.extensions.slice(0, 2), authority] } },
  {
    name: 'a key that may sign certificates',
    grant: { extensions: [keyUsage(['keyCertSign']), ...GOOD.extensions.slice(1)] },
  },
  {
    name: 'a purpose outside the limits',
    grant: {
      extensions: [...GOOD.extensions.slice(0, 1), extendedKeyUsage(['1.3.6.1.5.5.7.3.1'])],
    },
  },
  {
    name: 'an extension outside the limits',
    grant: {
      extensions: [...GOOD.extensions, { oid: '1.2.3.4', critical: false, value: sequence() }],
    },
  },
  {
    name: 'an alternative name outside the limits',
    grant: {
      extensions: [
        ...GOOD.extensions,
        {
          oid: EXTENSIONS.subjectAltName,
          critical: false,
          value: sequence(element(0x82, Buffer.from('www.example.org'))),
        },
      ],
    },
  },
]

const flip = (handle: string, at: number): string => {
  const bytes = Buffer.from(handle, 'base64url')
  bytes[at] = (bytes[at] ?? 0) ^ 1
  return bytes.toString('base64url')
}

const handleFrom = (seal: GrantSeal, grant: Partial<Grant> = {}): string => {
  const sealing = seal.seal({ ...GOOD, ...grant })
  assert.equal(sealing.outcome, 'sealed')
  return sealing.handle
}

const unknownKey = (): string =>
  handleFrom(new GrantSeal(parseGrantKeys('test', newGrantKeyLine())))

// The caller says in a header which secret Envoy asks for: no authz would hand out these.
const BY_HEADER = '%REQ(x-handle)%'
const fromHeader = (yaml: string): string =>
  yaml.replace('%DYNAMIC_METADATA(envoy.filters.http.ext_authz:upstream_secret)%', BY_HEADER)

const QUICKLY_MS = 1_000

describe('the signer', { skip: skipWithoutEnvoy() }, () => {
  let site: CertificateSite
  let seal: GrantSeal
  before(async () => {
    site = await startCertificateSite({ bootstrap: fromHeader })
    seal = new GrantSeal(parseGrantKeys('test', await readFile(site.files.keyring, 'utf8')))
  })
  after(() => site[Symbol.asyncDispose]())

  const send = async (...headers: readonly HeaderLine[]) => {
    const began = performance.now()
    const { status } = await http1(site.target, { headers: [basic('alice'), ...headers] })
    return { status, took: performance.now() - began }
  }

  it('accepts a valid grant made by this test', async () => {
    const { status } = await send(['x-handle', handleFrom(seal)])
    assert.equal(status, 200)
    assert.equal(site.upstream.requests.at(-1)?.subject, 'CN=eve')
  })

  for (const { name, grant, handle } of CASES) {
    it(`refuses ${name}: 503 at once, audited, and without a certificate`, async () => {
      const value = handle === undefined ? handleFrom(seal, grant) : handle(handleFrom(seal))
      site.upstream.clear()
      const earlier = (await site.issuances()).length
      const { status, took } = await send(['x-handle', value])
      assert.equal(status, 503)
      assert.ok(took < QUICKLY_MS, `${took} ms`)
      assert.equal(site.upstream.requests.length, 0)
      const events = (await site.issuances()).slice(earlier)
      assert.deepEqual(
        events.map((event) => [event.event, 'handle' in event ? event.handle : undefined]),
        [['certificate-refused', handleDigest(value)]],
      )
    })
  }

  it('refuses a request without a handle at once', async () => {
    const { status, took } = await send()
    assert.equal(status, 503)
    assert.ok(took < QUICKLY_MS, `${took} ms`)
    assert.equal(site.upstream.requests.length, 0)
  })
})

describe(
  'limits of the signer that are narrower than authz grants',
  { skip: skipWithoutEnvoy() },
  () => {
    it('answer 503, audited on both sides under one handle', async () => {
      await using site = await startCertificateSite({
        limits: { subject: { CN: ['bob'], O: ['*'] } },
      })
      assert.equal((await http1(site.target, { headers: [basic('bob')] })).status, 200)
      const answer = await http1(site.target, { headers: [basic('alice')] })
      assert.equal(answer.status, 503)
      const decision = (await site.decisions()).at(-1)
      assert.equal(decision?.decision, 'allow')
      assert.deepEqual(valuesOf(answer, 'x-countersign-decision'), [decision.id])
      const refusal = (await site.issuances()).at(-1)
      assert.equal(refusal?.event, 'certificate-refused')
      assert.equal(refusal.handle, decision.handle)
    })

    it('do not concern a reserved group, which authz refuses with 403', async () => {
      const users = { mallory: { groups: ['dev', 'system:masters'] } }
      await using site = await startCertificateSite({ users })
      assert.equal((await http1(site.target, { headers: [basic('mallory')] })).status, 403)
      assert.equal((await site.decisions()).at(-1)?.reason, 'identity-reserved')
    })

    it('include a reserved group that authz allows by name', async () => {
      const users = { mallory: { groups: ['dev', 'system:masters'] } }
      const authenticator = { allowReserved: ['system:masters'] }
      await using site = await startCertificateSite({ users, authenticator })
      assert.equal((await http1(site.target, { headers: [basic('mallory')] })).status, 503)
      assert.equal((await site.issuances()).at(-1)?.event, 'certificate-refused')
      const limits = { reserved: ['system:masters'] }
      await using open = await startCertificateSite({ users, authenticator, limits })
      assert.equal((await http1(open.target, { headers: [basic('mallory')] })).status, 200)
      assert.match(open.upstream.requests.at(-1)?.subject ?? '', /O=system:masters/)
    })
  },
)
