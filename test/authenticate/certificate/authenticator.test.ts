// Client certificates: the credential that they yield, and which are refused.

import assert from 'node:assert/strict'
import { createHash, X509Certificate } from 'node:crypto'
import { describe, it } from 'node:test'
import { clientCertSource } from '../../../src/authenticate/certificate/client-cert.ts'
import { forwardedClientCertSource } from '../../../src/authenticate/certificate/forwarded-client-cert.ts'
import { element, sequence, TAG } from '../../../src/x509/der.ts'
import { ATTRIBUTES, oidElement } from '../../../src/x509/oid.ts'
import { requestOf } from '../../fakes/envoy.ts'
import { createPki } from '../../servers/pki.ts'
import { readFile } from 'node:fs/promises'
import { systemClock } from '../../../src/runtime/clock.ts'
import { readAuthorities, trustIn } from '../../../src/pki/trust.ts'
import { certificateWith, FakeRevocation, presented, show, trustOf } from '../../pki/asking.ts'
import {
  alternativeNames,
  DAY,
  generalName,
  makeAuthority,
  makeClient,
  nameOf,
  NOW,
  type Made,
} from '../../pki/making.ts'
import { codeOf } from '../../fakes/authenticator.ts'

const FOREVER = new AbortController().signal
const root = makeAuthority({ subject: 'root' })
const between = makeAuthority({ subject: 'between', signer: root })
const alice = makeClient({ signer: root })

const outcomeOf = async (certificate: Made): Promise<string> =>
  codeOf(await show(certificateWith(trustOf([root])), certificate))

describe('a valid certificate', () => {
  it('yields the credential', async () => {
    const subject = nameOf(['O', 'dev'], ['O', 'ops'], ['CN', 'alice'])
    const certificate = makeClient({
      signer: root,
      subject,
      extensions: [alternativeNames(generalName.email('alice@example.org'))],
    })
    const result = await show(certificateWith(trustOf([root])), certificate)
    assert.ok(result.outcome === 'authenticated', JSON.stringify(result))
    const {
      digest: credential,
      certificate: fields,
      authenticatedAt,
      certificateDer,
      presented: identifying,
      ...rest
    } = result.credential
    assert.equal(authenticatedAt, NOW * 1_000)
    assert.deepEqual(certificateDer, certificate.der)
    assert.match(credential, /^[\w-]{16}$/)
    assert.deepEqual(rest, {
      method: 'certificate',
      user: 'alice',
      groups: ['dev', 'ops'],
      extra: {},
      expires: (NOW + 30 * DAY) * 1_000,
    })
    const { serialNumber, fingerprint256 } = new X509Certificate(certificate.der)
    assert.deepEqual(identifying, {
      proven: true,
      subject: 'CN=alice,O=ops,O=dev',
      issuer: 'CN=root',
      serial: serialNumber.toLowerCase(),
      fingerprint: fingerprint256.replaceAll(':', '').toLowerCase(),
    })
    assert.deepEqual(fields?.subject, { O: ['dev', 'ops'], CN: ['alice'] })
    assert.deepEqual(fields.emails, ['alice@example.org'])
    assert.equal(fields.fingerprint, createHash('sha256').update(certificate.der).digest('hex'))
  })

  const USERS: readonly { readonly subject: Buffer; readonly want: string }[] = [
    { subject: nameOf(['CN', 'alice'], ['CN', 'bob']), want: 'CN=bob,CN=alice' },
    { subject: nameOf(['O', 'dev'], ['UID', 'a1']), want: 'UID=a1,O=dev' },
    { subject: nameOf(['CN', '']), want: '' },
    { subject: nameOf(), want: '' },
  ]
  for (const { subject, want } of USERS) {
    it(`whose subject has no single CN has the user "${want}"`, async () => {
      const result = await show(
        certificateWith(trustOf([root])),
        makeClient({ signer: root, subject }),
      )
      assert.equal(result.outcome === 'authenticated' && result.credential.user, want)
    })
  }

  it('of a known intermediate is accepted', async () => {
    const certificate = makeClient({ signer: between })
    assert.equal(await outcomeOf(certificate), 'certificate-untrusted')
    const authenticator = certificateWith(trustOf([root], [between]))
    assert.equal(codeOf(await show(authenticator, certificate)), 'authenticated')
  })

  it('of an intermediate that is itself a trust anchor is accepted', async () => {
    const authenticator = certificateWith(trustOf([between]))
    assert.equal(
      codeOf(await show(authenticator, makeClient({ signer: between }))),
      'authenticated',
    )
  })

  it('made by another implementation is accepted', async () => {
    await using pki = await createPki()
    const anchors = readAuthorities(pki.ca, await readFile(pki.ca, 'utf8'))
    const authenticator = certificateWith(trustIn(anchors, []), { clock: systemClock })
    const pem = async (file: string) => encodeURIComponent(await readFile(file, 'utf8'))
    const ask = async (file: string) =>
      codeOf(
        await authenticator.authenticate(requestOf({ peerCertificate: await pem(file) }), FOREVER),
      )
    assert.equal(await ask(pki.alice.certificate), 'authenticated')
    assert.equal(await ask(pki.edge.certificate), 'certificate-purpose')
    assert.equal(await ask(pki.ca), 'certificate-untrusted')
  })
})

describe('purposes', () => {
  const SMART_CARD = '1.3.6.1.4.1.311.20.2.2'
  const CASES = [
    { purposes: [SMART_CARD], has: [SMART_CARD], want: 'authenticated' },
    { purposes: [SMART_CARD, '1.2.3'], has: ['1.2.3'], want: 'authenticated' },
    { purposes: [SMART_CARD], has: ['1.3.6.1.5.5.7.3.2'], want: 'certificate-purpose' },
    { purposes: [], has: ['1.2.3'], want: 'authenticated' },
    { purposes: [], has: undefined, want: 'authenticated' },
    { purposes: [SMART_CARD], has: undefined, want: 'certificate-purpose' },
  ]
  for (const { purposes, has, want } of CASES) {
    it(`${purposes.join() || 'any'}, of a certificate for ${has?.join() ?? 'any'}: ${want}`, async () => {
      const authenticator = certificateWith(trustOf([root]), { purposes })
      const certificate = makeClient({ signer: root, purposes: has })
      assert.equal(codeOf(await show(authenticator, certificate)), want)
    })
  }
})

/** A subject with one string of this type and these bytes. */
const rawName = (tag: number, bytes: Buffer): Buffer =>
  sequence(element(TAG.set, sequence(oidElement(ATTRIBUTES.CN), element(tag, bytes))))

describe('a malformed certificate', () => {
  const withSubject = (tag: number, text: string | Buffer): Made =>
    makeClient({ signer: root, subject: rawName(tag, Buffer.from(text)) })
  const withName = (name: Buffer): Made =>
    makeClient({ signer: root, extensions: [alternativeNames(name)] })
  const CASES: readonly { readonly name: string; readonly certificate: Made }[] = [
    { name: 'bytes', certificate: { ...alice, der: Buffer.from('nothing') } },
    { name: 'cut short', certificate: { ...alice, der: alice.der.subarray(0, -1) } },
    {
      name: 'with a trailing byte',
      certificate: { ...alice, der: Buffer.concat([alice.der, Buffer.of(0)]) },
    },
    {
      name: 'with a NUL in the CN (hostile)',
      certificate: withSubject(TAG.utf8String, 'admin\0.x'),
    },
    {
      name: 'with a line end in the CN (hostile)',
      certificate: withSubject(TAG.utf8String, 'a\nb'),
    },
    { name: 'with broken UTF-8', certificate: withSubject(TAG.utf8String, Buffer.of(0xff)) },
    { name: 'with a string of an obsolete type', certificate: withSubject(0x1e, 'ab') },
    {
      name: 'with a NUL in a DNS name (hostile)',
      certificate: withName(generalName.dns('a\0.example.org')),
    },
    {
      name: 'with a NUL in a mailbox (hostile)',
      certificate: withName(generalName.email('a\0@b')),
    },
    {
      name: 'with a NUL in a URI (hostile)',
      certificate: withName(generalName.uri('spiffe://a\0')),
    },
    { name: 'with an address of five bytes', certificate: withName(generalName.ip(1, 2, 3, 4, 5)) },
    {
      name: 'with an extension twice',
      certificate: makeClient({
        signer: root,
        extensions: [1, 2].map(() => alternativeNames(generalName.dns('a.example'))),
      }),
    },
    {
      name: 'that exceeds the bounds of the parser (hostile)',
      certificate: makeClient({
        signer: root,
        extensions: [{ oid: '1.2.3.4', critical: false, value: Buffer.alloc(33_000) }],
      }),
    },
  ]
  for (const { name, certificate } of CASES) {
    it(`is refused: ${name}`, async () => {
      assert.equal(await outcomeOf(certificate), 'credential-malformed')
    })
  }

  it('among the intermediates of a valid one is refused', async () => {
    const authenticator = certificateWith(trustOf([root]), { source: clientCertSource })
    const request = requestOf({
      headers: [
        ['client-cert', `:${alice.der.toString('base64')}:`],
        ['client-cert-chain', ':AQID:'],
      ],
    })
    const result = await authenticator.authenticate(request, FOREVER)
    assert.equal(codeOf(result), 'credential-malformed')
  })
})

describe('a rejected certificate', () => {
  it('is audited with its subject', async () => {
    const stranger = makeClient({ signer: makeAuthority({ subject: 'other' }) })
    const result = await show(certificateWith(trustOf([root])), stranger)
    assert.ok(result.outcome === 'rejected')
    const { presented: identifying, ...rejection } = result
    assert.deepEqual(rejection, {
      outcome: 'rejected',
      code: 'certificate-untrusted',
      user: 'alice',
    })
    assert.equal(identifying?.proven, false)
    assert.equal(identifying.issuer, 'CN=other')
    assert.equal(identifying.serial, new X509Certificate(stranger.der).serialNumber.toLowerCase())
  })
})

describe('a request without a certificate', () => {
  it('is not applicable', async () => {
    const authenticator = certificateWith(trustOf([root]))
    assert.deepEqual(await authenticator.authenticate(requestOf(), FOREVER), {
      outcome: 'not-applicable',
    })
    assert.deepEqual(authenticator.challenges, [])
  })

  it('is not applicable when a header that is not configured has one (hostile)', async () => {
    const headers = [
      ['x-forwarded-client-cert', `Cert="${presented(alice)}"`],
      ['client-cert', `:${alice.der.toString('base64')}:`],
    ] as const
    const trust = trustOf([root])
    const result = await certificateWith(trust).authenticate(requestOf({ headers }), FOREVER)
    assert.deepEqual(result, { outcome: 'not-applicable' })
  })
})

describe('a certificate in a header', () => {
  const certificate = makeClient({ signer: between })

  it('is presented with its intermediates', async () => {
    const source = forwardedClientCertSource('only')
    const authenticator = certificateWith(trustOf([root]), { source })
    const ask = async (value: string) =>
      codeOf(
        await authenticator.authenticate(
          requestOf({ headers: [['x-forwarded-client-cert', value]] }),
          FOREVER,
        ),
      )
    const cert = `Cert="${presented(certificate)}"`
    assert.equal(await ask(cert), 'certificate-untrusted')
    assert.equal(await ask(`${cert};Chain="${presented(certificate, between)}"`), 'authenticated')
    assert.equal(await ask(`${cert},${cert}`), 'credential-conflict')
    assert.equal(await ask('By=x'), 'credential-malformed')
  })

  it('is the same credential as the certificate of the connection', async () => {
    const trust = trustOf([root], [between])
    const authenticator = certificateWith(trust, { source: clientCertSource })
    const headers = [['client-cert', `:${certificate.der.toString('base64')}:`]] as const
    const [first, second] = [
      await authenticator.authenticate(requestOf({ headers }), FOREVER),
      await authenticator.authenticate(
        requestOf({
          headers: [...headers, ['client-cert-chain', `:${between.der.toString('base64')}:`]],
        }),
        FOREVER,
      ),
    ]
    assert.ok(first.outcome === 'authenticated' && second.outcome === 'authenticated')
    assert.notEqual(first.credential, second.credential)
    assert.equal(first.credential.digest, second.credential.digest)
  })
})

describe('revocation', () => {
  const CASES = [
    { status: { outcome: 'good' }, want: 'authenticated' },
    { status: { outcome: 'revoked' }, want: 'certificate-revoked' },
    { status: { outcome: 'denied' }, want: 'certificate-denied' },
    { status: { outcome: 'unknown' }, want: 'certificate-status-unknown' },
    { status: { outcome: 'unavailable', cause: 'down' }, want: 'unavailable' },
  ] as const
  for (const { status, want } of CASES) {
    it(`decides by the revocation status ${status.outcome}: ${want}`, async () => {
      const revocation = new FakeRevocation()
      revocation.status = status
      const authenticator = certificateWith(trustOf([root], [between]), { revocation })
      const certificate = makeClient({ signer: between })
      assert.equal(codeOf(await show(authenticator, certificate)), want)
      assert.deepEqual(revocation.requests, [[certificate.der, between.der, root.der]])
    })
  }

  it('is not queried for a certificate without a path to a trust anchor', async () => {
    const revocation = new FakeRevocation()
    const authenticator = certificateWith(trustOf([root]), { revocation })
    await show(authenticator, makeClient({ signer: between }))
    assert.deepEqual(revocation.requests, [])
  })
})
