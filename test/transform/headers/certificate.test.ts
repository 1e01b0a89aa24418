// The `certificate` preset: a proven certificate → headers, as nginx and RFC 9440 have them.

import assert from 'node:assert/strict'
import { X509Certificate } from 'node:crypto'
import { describe, it } from 'node:test'
import { NO_CERTIFICATE } from '../../../src/identity/certificate-fields.ts'
import type { Identity } from '../../../src/identity/identity.ts'
import { certificateHeaders } from '../../../src/transform/headers/certificate.ts'
import { isStripped } from '../../../src/request/stripped-headers.ts'
import { decodeName, encodeName, formatName } from '../../../src/x509/name.ts'
import { certificateOf } from '../../fixtures/certificate.ts'
import { presentedCertificate } from '../../fixtures/presented.ts'
import { HOSTILE } from '../../fakes/hostile-text.ts'
import { byteSequence, fieldValue, linesOf, percentDecoded } from '../../fakes/receivers.ts'
import { forwardingOf, outcomeOf, writtenOf } from '../../fakes/transformed.ts'

const CN = '2.5.4.3'

const certified = (subjectName: string, certificateDer = certificateOf()): Partial<Identity> => ({
  certificate: { ...NO_CERTIFICATE, subjectName },
  certificateDer,
})

const PEM = certificateHeaders({ contents: 'pem', missing: 'refuse' })
const DER = certificateHeaders({ contents: 'der', missing: 'refuse' })

describe('the headers of a certificate', () => {
  it('are the subject, the certificate as nginx writes it, and RFC 9440’s byte sequence', async () => {
    const identity = certified('CN=alice,O=Example\\, Inc.')
    const forwarding = await forwardingOf(PEM, identity)
    assert.deepEqual(
      forwarding.setHeaders.map(([name]) => name),
      ['x-cert-subject', 'x-cert-contents', 'client-cert'],
    )
    assert.deepEqual(forwarding.repeatedHeaders, [])
    assert.deepEqual(linesOf(forwarding, 'x-cert-subject'), ['CN=alice,O=Example\\, Inc.'])
    const [contents = ''] = linesOf(forwarding, 'x-cert-contents').map(fieldValue)
    // ngx_escape_uri, NGX_ESCAPE_URI_COMPONENT: upper-case digits, and nothing but these unescaped.
    assert.match(contents, /^(?:[A-Za-z0-9._~-]|%[0-9A-F]{2})+$/)
    const pem = percentDecoded(contents)
    assert.match(
      pem,
      /^-----BEGIN CERTIFICATE-----\n([A-Za-z0-9+/=]{1,64}\n)+-----END CERTIFICATE-----\n$/,
    )
    assert.equal(encodeURIComponent(pem), contents)
    const [sequence = ''] = linesOf(forwarding, 'client-cert').map(fieldValue)
    assert.deepEqual(byteSequence(sequence), identity.certificateDer)
  })

  it('hold the very certificate that OpenSSL reads in them', async () => {
    const der = await presentedCertificate()
    const identity = certified('CN=alice', der)
    const [pem = ''] = linesOf(await forwardingOf(PEM, identity), 'x-cert-contents')
    assert.deepEqual(new X509Certificate(percentDecoded(pem)).raw, der)
    const [base64 = ''] = linesOf(await forwardingOf(DER, identity), 'x-cert-contents')
    assert.deepEqual(new X509Certificate(Buffer.from(base64, 'base64')).raw, der)
  })

  it('have DER in base64 where it is configured', async () => {
    const identity = certified('CN=alice')
    const lines = linesOf(await forwardingOf(DER, identity), 'x-cert-contents')
    assert.deepEqual(lines, [identity.certificateDer?.toString('base64')])
  })

  it('have no subject where the certificate has none', async () => {
    const { setHeaders } = await forwardingOf(PEM, certified(''))
    assert.deepEqual(
      setHeaders.map(([name]) => name),
      ['x-cert-contents', 'client-cert'],
    )
  })

  it('are all stripped from what a caller sends', async () => {
    for (const [name] of (await forwardingOf(PEM, certified('CN=alice'))).setHeaders) {
      assert.ok(isStripped(name), name)
    }
  })
})

describe('a caller without a proven certificate', () => {
  const FIELDS = { ...NO_CERTIFICATE, subjectName: 'CN=alice' }
  const CASES: readonly { readonly name: string; readonly identity: Partial<Identity> }[] = [
    { name: 'proven otherwise', identity: {} },
    { name: 'whose certificate is known by its fields only', identity: { certificate: FIELDS } },
    { name: 'with bytes alone', identity: { certificateDer: certificateOf() } },
  ]
  for (const { name, identity } of CASES) {
    it(`is refused: ${name}`, async () =>
      assert.equal(await outcomeOf(PEM, identity), 'certificate-missing'))

    it(`gets no header where that is allowed: ${name}`, async () => {
      const omitting = certificateHeaders({ contents: 'pem', missing: 'omit' })
      assert.deepEqual(await forwardingOf(omitting, identity), {
        setHeaders: [],
        repeatedHeaders: [],
      })
    })
  }

  it('is not simulated in tests and explanations, which have no bytes', () =>
    assert.equal(PEM.asks, true))
})

describe('a hostile subject', () => {
  for (const [name, text] of Object.entries(HOSTILE)) {
    it(`is read as it is, or nothing is forwarded: ${name}`, async () => {
      const written = await writtenOf(PEM, certified(text))
      if (written === undefined || text === '') return
      assert.deepEqual(linesOf(written, 'x-cert-subject').map(fieldValue), [text])
    })

    it(`is read as it is in a real name: ${name}`, async () => {
      if (!text.isWellFormed() || text === '') return
      const der = encodeName([
        { oid: CN, value: text },
        { oid: '2.5.4.10', value: 'Example' },
      ])
      const subject = formatName(decodeName(der))
      const written = await writtenOf(PEM, certified(subject))
      if (written === undefined) return
      assert.deepEqual(linesOf(written, 'x-cert-subject').map(fieldValue), [subject])
      assert.equal(commonNameIn(subject), text)
    })
  }

  it('with commas, quotes and letters beyond ASCII is written', async () => {
    const subject = formatName([{ oid: CN, value: 'Jürgen "J", Ltd.' }])
    const forwarding = await forwardingOf(PEM, certified(subject))
    assert.deepEqual(linesOf(forwarding, 'x-cert-subject'), [String.raw`CN=Jürgen \"J\"\, Ltd.`])
  })
})

/** The CN in a subject of `O` and `CN`, unescaped (RFC 4514 §3). */
const commonNameIn = (subject: string): string => {
  const [, value] =
    /^O=Example,CN=((?:\\[0-9a-fA-F]{2}|\\[^0-9a-fA-F]|[^\\,+"<>;])*)$/su.exec(subject) ?? []
  assert.ok(value !== undefined, subject.slice(0, 99))
  const octets = Buffer.from(value).toString('latin1')
  const plain = octets.replaceAll(/\\([0-9a-fA-F]{2})|\\(.)/gs, (_all, hex?: string, char = '') =>
    hex === undefined ? char : String.fromCharCode(Number.parseInt(hex, 16)),
  )
  return Buffer.from(plain, 'latin1').toString()
}
