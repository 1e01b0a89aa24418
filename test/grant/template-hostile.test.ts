// Values that an attacker chose with care: each is in the certificate exactly as it is, as one value of one
// attribute, or there is no certificate.

import assert from 'node:assert/strict'
import { X509Certificate } from 'node:crypto'
import { describe, it } from 'node:test'
import { compileTemplate, contentsOf, type Contents } from '../../src/grant/template.ts'
import type { Identity } from '../../src/identity/identity.ts'
import { decodeGeneralNames } from '../../src/x509/general-names.ts'
import { decodeName } from '../../src/x509/name.ts'
import { EXTENSIONS } from '../../src/x509/oid.ts'
import { certificateConfigOf } from '../fakes/certificate-config.ts'
import { identityOf } from '../fakes/identity.ts'
import { randomFrom } from '../fakes/random.ts'
import { certificateOf } from '../fixtures/certificate.ts'

type Parts = Readonly<Record<string, unknown>>

const made = (parts: Parts, identity: Partial<Identity>): Contents | undefined => {
  const fields = compileTemplate(certificateConfigOf(parts)).apply(identityOf(identity))
  return fields && contentsOf(fields)
}

const valuesOf = (subject: Buffer | undefined): readonly string[] | undefined =>
  subject && decodeName(subject).map(({ value }) => value)

describe('a value that a certificate cannot represent', () => {
  const VALUES = [
    { name: 'an empty value', value: '' },
    { name: 'a NUL behind a name', value: 'admin\0' },
    { name: 'a NUL before the rest of a name', value: 'admin\0.example.org' },
    { name: 'a line feed', value: 'alice\nO=system:masters' },
    { name: 'a carriage return', value: 'alice\rO=system:masters' },
    { name: 'a tab', value: 'a\tb' },
    { name: 'the control character DEL', value: 'a\u007f' },
    { name: 'a C1 control character', value: 'a\u0085b' },
    { name: 'an escape sequence', value: '\u001b[2Jalice' },
    { name: 'a lone surrogate', value: 'a\ud800' },
    { name: 'a lone surrogate in front', value: '\udfffa' },
    { name: 'space in front', value: ' alice' },
    { name: 'a trailing space', value: 'alice ' },
    { name: 'a no-break space behind', value: 'alice\u00a0' },
    { name: 'an ideographic space in front', value: '\u3000alice' },
    { name: 'a byte order mark in front', value: '\ufeffalice' },
    { name: 'only spaces', value: '   ' },
  ]
  const PLACES: readonly { name: string; parts: Parts }[] = [
    { name: 'the subject', parts: { subject: { CN: 'identity.user' } } },
    { name: 'a list in the subject', parts: { subject: { O: '["a", identity.user, "b"]' } } },
    { name: 'an attribute by OID', parts: { subject: { '2.5.4.999': 'identity.user' } } },
    { name: 'a DNS name', parts: { subjectAltName: { dns: 'identity.user' } } },
    { name: 'a URI', parts: { subjectAltName: { uri: 'identity.user' } } },
    { name: 'a mailbox', parts: { subjectAltName: { email: 'identity.user' } } },
    { name: 'an IP address', parts: { subjectAltName: { ip: 'identity.user' } } },
    { name: 'a principal name', parts: { subjectAltName: { upn: 'identity.user' } } },
    { name: 'an extension', parts: { extensions: { '1.2.3.4': { utf8String: 'identity.user' } } } },
  ]
  for (const { name, value } of VALUES) {
    it(`yields no certificate, in any field: ${name}`, () => {
      for (const { name: place, parts } of PLACES) {
        const identity = { user: value, groups: ['dev'] }
        assert.equal(made({ subject: { CN: '"x"' }, ...parts }, identity), undefined, place)
      }
    })
  }

  it('yields no certificate as one of many groups either', () => {
    for (const { name, value } of VALUES) {
      assert.equal(made({}, { groups: ['dev', value, 'ops'] }), undefined, name)
    }
  })
})

describe('a value that looks like several', () => {
  const VALUES = [
    { name: 'a comma', value: 'alice,O=system:masters' },
    { name: 'a plus sign', value: 'alice+O=system:masters' },
    { name: 'an equals sign', value: 'CN=admin' },
    { name: 'slashes of OpenSSL’s old form', value: 'alice/O=system:masters' },
    { name: 'a semicolon', value: 'alice;O=admins' },
    { name: 'quotes', value: '"alice"' },
    { name: 'a backslash', value: 'alice\\,O=admins' },
    { name: 'escapes', value: String.raw`alice\2cO=admins` },
    { name: 'a number sign', value: '#0c05616c696365' },
    { name: 'angle brackets', value: '<alice>' },
    { name: 'a right-to-left override', value: 'alice\u202enimda' },
    { name: 'a zero-width joiner', value: 'al\u200dice' },
    { name: 'a line separator', value: 'alice\u2028O=admins' },
    { name: 'a combining character', value: 'e\u0301' },
    { name: 'the same letter composed', value: '\u00e9' },
    { name: 'an emoji', value: '👩🏽‍🚀' },
    { name: 'a kilobyte', value: 'x'.repeat(1_024) },
    { name: 'a kilobyte beyond ASCII', value: 'ü'.repeat(1_024) },
    { name: 'a CEL expression', value: '" + identity.groups[0] + "' },
    { name: 'a template', value: '${identity.user} %{user} {{user}}' },
  ]
  for (const { name, value } of VALUES) {
    it(`is one value, byte for byte: ${name}`, () => {
      const contents = made({}, { user: value, groups: [value, 'dev'] })
      assert.deepEqual(valuesOf(contents?.subject), [value, value, 'dev'])
      const utf8 = Buffer.from(value)
      assert.ok(contents?.subject.includes(utf8))
    })
  }

  it('is one value to OpenSSL, too', () => {
    const contents = made({}, { user: 'alice,O=system:masters', groups: ['a+b', 'c/d=e'] })
    const { subject } = new X509Certificate(certificateOf({ subject: contents?.subject ?? '' }))
    assert.equal(
      subject,
      String.raw`CN=alice\,O=system:masters` + '\n' + String.raw`O=a\+b` + '\nO=c/d=e',
    )
  })

  it('yields a subject that no other list of values yields', () => {
    const random = randomFrom(0x7e)
    const units = ['a', ',', '=', 'O', '+', '\\', '"', 'O=', '/', ' a', 'ü', '\u202e']
    const text = (): string =>
      `x${Array.from({ length: random(4) }, () => units[random(units.length)]).join('')}x`
    const seen = new Map<string, string>()
    for (let round = 0; round < 2_000; round++) {
      const identity = { user: text(), groups: Array.from({ length: random(4) }, text) }
      const subject = made({}, identity)?.subject
      assert.deepEqual(valuesOf(subject), [identity.user, ...identity.groups])
      const key = JSON.stringify(identity)
      const hex = subject?.toString('hex') ?? ''
      assert.equal(seen.get(hex) ?? key, key)
      seen.set(hex, key)
    }
  })
})

describe('a value that its attribute cannot hold', () => {
  const CASES: readonly { name: string; input: Parts; user: string }[] = [
    { name: 'a country of three letters', input: { C: 'identity.user' }, user: 'DEU' },
    { name: 'a country in small letters', input: { C: 'identity.user' }, user: 'de' },
    {
      name: 'a serial number with an underscore',
      input: { serialNumber: 'identity.user' },
      user: 'a_1',
    },
    { name: 'a serial number beyond ASCII', input: { serialNumber: 'identity.user' }, user: 'ü' },
    { name: 'a domain component beyond ASCII', input: { DC: 'identity.user' }, user: 'bücher' },
    { name: 'a mailbox beyond ASCII', input: { emailAddress: 'identity.user' }, user: 'ü@x' },
    { name: 'a country by its OID', input: { '2.5.4.6': 'identity.user' }, user: 'Germany' },
  ]
  for (const { name, input, user } of CASES) {
    it(`yields no certificate: ${name}`, () =>
      assert.equal(made({ subject: input }, { user }), undefined))
  }
})

describe('a value that is not a valid alternative name', () => {
  const CASES: readonly { kind: string; bad: readonly string[] }[] = [
    {
      kind: 'dns',
      bad: [
        'alice@example.org',
        'a b',
        'a..b',
        'a.',
        '*',
        'a,DNS:b',
        'bücher.example',
        'x'.repeat(254),
      ],
    },
    { kind: 'uri', bad: ['alice', '/a', 'a b:c', 'https://[', 'spiffe://ü/a'] },
    { kind: 'email', bad: ['alice', 'a@b@c', 'Alice <a@b>', 'jürgen@example.org'] },
    {
      kind: 'ip',
      bad: ['localhost', '192.0.2.0/24', '1.2.3', '::1/128', 'fe80::1%eth0', '0x7f.1'],
    },
  ]
  for (const { kind, bad } of CASES) {
    for (const user of bad) {
      it(`yields no certificate: ${kind} ${JSON.stringify(user).slice(0, 40)}`, () => {
        const parts = { subjectAltName: { [kind]: 'identity.user' } }
        assert.equal(made(parts, { user }), undefined)
        assert.equal(
          made({ subjectAltName: { [kind]: '["x", identity.user]' } }, { user }),
          undefined,
        )
      })
    }
  }

  it('is valid as a user principal name, whatever letters', () => {
    for (const user of ['alice', 'jürgen@bücher.example', 'a,b', 'CORP\\alice']) {
      const contents = made({ subjectAltName: { upn: 'identity.user' } }, { user })
      const san = contents?.extensions.find(({ oid }) => oid === EXTENSIONS.subjectAltName)
      assert.deepEqual(decodeGeneralNames(san?.value ?? Buffer.alloc(0)), [
        { kind: 'upn', value: user },
      ])
    }
  })
})

describe('an expression that fails for this identity', () => {
  const CASES = [
    'identity.uid',
    'identity.groups[9]',
    'identity.extra["missing"]',
    'identity.extra["missing"][0]',
    'identity.user.matches("(" + identity.user) ? "a" : "b"',
    'string(1 / size(identity.extra))',
  ]
  for (const source of CASES) {
    it(`yields no certificate, rather than one without the attribute: ${source}`, () => {
      assert.equal(made({ subject: { CN: 'identity.user', O: source } }, {}), undefined)
      assert.equal(made({ subjectAltName: { upn: source } }, {}), undefined)
      assert.equal(made({ extensions: { '1.2.3.4': { utf8String: source } } }, {}), undefined)
    })
  }
})

describe('a subject without attributes', () => {
  it('is refused: every list is empty', () => {
    assert.equal(made({ subject: { O: 'identity.groups' } }, { groups: [] }), undefined)
  })
})
