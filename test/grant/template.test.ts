// The template and an identity → the certificate's contents: each value as it is, or no certificate. Every
// value that cannot be in one is in template-hostile.test.ts.

import assert from 'node:assert/strict'
import { X509Certificate } from 'node:crypto'
import { describe, it } from 'node:test'
import { compileTemplate, contentsOf, type Contents } from '../../src/grant/template.ts'
import type { Identity } from '../../src/identity/identity.ts'
import { decodeIsAuthority, encodeExtension } from '../../src/x509/extensions.ts'
import { decodeGeneralNames } from '../../src/x509/general-names.ts'
import { decodeName, formatName } from '../../src/x509/name.ts'
import { EXTENSIONS } from '../../src/x509/oid.ts'
import { certificateConfigOf } from '../fakes/certificate-config.ts'
import { identityOf } from '../fakes/identity.ts'
import { certificateOf, extensionsOf } from '../fixtures/certificate.ts'
import { x509 } from '../servers/x509.ts'

type Parts = Readonly<Record<string, unknown>>

const IDENTITY: Partial<Identity> = {
  uid: '42',
  groups: ['ops', 'dev'],
  extra: { team: ['blue', 'red'], none: [], mail: ['alice@example.org'] },
}

const contents = (parts: Parts, identity: Partial<Identity> = IDENTITY): Contents => {
  const fields = compileTemplate(certificateConfigOf(parts)).apply(identityOf(identity))
  assert.ok(fields !== undefined)
  return contentsOf(fields)
}

/** The subject, `TYPE=value` for each attribute in order. */
const subjectOf = (subject: Parts, identity?: Partial<Identity>): readonly string[] =>
  decodeName(contents({ subject }, identity).subject).map((attribute) => formatName([attribute]))

const valueOf = ({ extensions }: Contents, oid: string): string | undefined =>
  extensions.find((extension) => extension.oid === oid)?.value.toString('hex')

/** The contents in a certificate, as OpenSSL and @peculiar/x509 read it. */
const openedBy = ({ subject, extensions }: Contents) => {
  const der = certificateOf({
    subject,
    extensions: extensionsOf(...extensions.map(encodeExtension)),
  })
  return {
    openssl: new X509Certificate(der),
    peculiar: new x509.X509Certificate(Uint8Array.from(der).buffer),
  }
}

describe('the subject of a certificate template', () => {
  const CASES: readonly {
    readonly name: string
    readonly input: Parts
    readonly identity?: Partial<Identity>
    readonly want: readonly string[]
  }[] = [
    { name: 'has the user', input: { CN: 'identity.user' }, want: ['CN=alice'] },
    {
      name: 'has an attribute for each element of a list, in order',
      input: { CN: 'identity.user', O: 'identity.groups' },
      want: ['CN=alice', 'O=ops', 'O=dev'],
    },
    {
      name: 'keeps the order of the configuration',
      input: { O: 'identity.groups', OU: '"x"', CN: 'identity.user' },
      want: ['O=ops', 'O=dev', 'OU=x', 'CN=alice'],
    },
    {
      name: 'keeps a group that occurs twice',
      input: { O: '["a", "b", "a"]' },
      want: ['O=a', 'O=b', 'O=a'],
    },
    {
      name: 'is without the attribute for an empty list',
      input: { CN: 'identity.user', O: 'identity.groups' },
      identity: { groups: [] },
      want: ['CN=alice'],
    },
    {
      name: 'is without an attribute for an empty list in the middle',
      input: { CN: 'identity.user', O: 'identity.extra["none"]', UID: 'identity.uid' },
      want: ['CN=alice', 'UID=42'],
    },
    {
      name: 'is without an attribute for an absent optional value',
      input: { CN: 'identity.user', UID: 'has(identity.uid) ? [identity.uid] : []' },
      identity: {},
      want: ['CN=alice'],
    },
    {
      name: 'has values of expressions',
      input: { CN: '"oidc:" + identity.user', O: 'identity.groups.filter(g, g != "ops")' },
      want: ['CN=oidc:alice', 'O=dev'],
    },
    {
      name: 'has attributes by OID',
      input: { '2.5.4.3': 'identity.user', '2.5.4.999': '"x"' },
      want: ['CN=alice', '2.5.4.999=x'],
    },
    {
      name: 'has text beyond ASCII',
      input: { CN: 'identity.user' },
      identity: { user: 'jürgen ✓ 😀' },
      want: ['CN=jürgen ✓ 😀'],
    },
  ]
  for (const { name, input, identity, want } of CASES) {
    it(name, () => assert.deepEqual(subjectOf(input, identity), want))
  }

  it('has the string types of RFC 5280', () => {
    const { subject } = contents({
      subject: { CN: '"a"', C: '"DE"', serialNumber: '"1"', DC: '"b"', emailAddress: '"c@d"' },
    })
    const tags = [0x0c, 0x13, 0x13, 0x16, 0x16]
    const values = ['a', 'DE', '1', 'b', 'c@d']
    for (const [index, value] of values.entries()) {
      const text = Buffer.from(value)
      const written = Buffer.concat([Buffer.of(tags[index] ?? 0, text.length), text])
      assert.ok(subject.includes(written), value)
    }
  })

  it('reads the same in OpenSSL and @peculiar/x509', () => {
    const { openssl, peculiar } = openedBy(contents({}))
    assert.equal(openssl.subject, 'CN=alice\nO=ops\nO=dev')
    assert.equal(peculiar.subject, 'CN=alice, O=ops, O=dev')
  })
})

describe('the alternative names of a certificate template', () => {
  const SAN = {
    upn: 'identity.user + "@corp.example"',
    ip: '["192.0.2.7", "2001:db8::7"]',
    email: 'identity.extra["mail"]',
    uri: '"spiffe://example.org/user/" + identity.user',
    dns: '[identity.user + ".example.org", "*.example.org"]',
  }

  it('are of every kind, in a fixed order of kinds and in order of values', () => {
    const { extensions } = contents({ subjectAltName: SAN })
    const san = extensions.find(({ oid }) => oid === EXTENSIONS.subjectAltName)
    assert.ok(san !== undefined && !san.critical)
    assert.deepEqual(
      decodeGeneralNames(san.value).map(({ kind, value }) => `${kind} ${value}`),
      [
        'dns alice.example.org',
        'dns *.example.org',
        'uri spiffe://example.org/user/alice',
        'email alice@example.org',
        'ip 192.0.2.7',
        'ip 2001:db8::7',
        'upn alice@corp.example',
      ],
    )
  })

  it('read the same in OpenSSL and @peculiar/x509', () => {
    const { openssl, peculiar } = openedBy(contents({ subjectAltName: SAN }))
    assert.equal(
      openssl.subjectAltName,
      'DNS:alice.example.org, DNS:*.example.org, URI:spiffe://example.org/user/alice, email:alice@example.org, IP Address:192.0.2.7, IP Address:2001:DB8:0:0:0:0:0:7, othername:UPN:alice@corp.example',
    )
    const names = peculiar.getExtension(x509.SubjectAlternativeNameExtension)?.names.items
    assert.deepEqual(
      names?.map(({ type }) => type),
      ['dns', 'dns', 'url', 'email', 'ip', 'ip', 'upn'],
    )
  })

  it('are absent where there are none', () => {
    for (const subjectAltName of [
      {},
      { dns: '[]' },
      { dns: 'identity.extra["none"]', uri: '[]' },
    ]) {
      assert.equal(valueOf(contents({ subjectAltName }), EXTENSIONS.subjectAltName), undefined)
    }
  })
})

describe('the usages of a certificate template', () => {
  it('are those of a client that is not a CA, by default', () => {
    const { openssl, peculiar } = openedBy(contents({}))
    assert.equal(openssl.ca, false)
    assert.deepEqual(openssl.keyUsage, ['1.3.6.1.5.5.7.3.2'])
    const usages = peculiar.getExtension(x509.KeyUsagesExtension)
    assert.equal(usages?.usages, x509.KeyUsageFlags.digitalSignature)
    const constraints = peculiar.getExtension(x509.BasicConstraintsExtension)
    assert.deepEqual(
      [usages.critical, constraints?.critical, constraints?.ca, constraints?.pathLength],
      [true, true, false, undefined],
    )
    assert.equal(peculiar.getExtension(x509.CertificatePolicyExtension), null)
  })

  it('are the configured ones', () => {
    const made = contents({
      keyUsage: ['keyAgreement', 'digitalSignature'],
      extendedKeyUsage: ['emailProtection', 'clientAuth', '1.3.6.1.4.1.99999.1'],
      policies: ['1.3.6.1.4.1.99999.2', '2.5.29.32.0'],
    })
    const { openssl, peculiar } = openedBy(made)
    assert.deepEqual(openssl.keyUsage, [
      '1.3.6.1.5.5.7.3.4',
      '1.3.6.1.5.5.7.3.2',
      '1.3.6.1.4.1.99999.1',
    ])
    assert.equal(
      peculiar.getExtension(x509.KeyUsagesExtension)?.usages,
      x509.KeyUsageFlags.digitalSignature | x509.KeyUsageFlags.keyAgreement,
    )
    const policies = peculiar.getExtension(x509.CertificatePolicyExtension)?.policies
    assert.deepEqual([...(policies ?? [])], ['1.3.6.1.4.1.99999.2', '2.5.29.32.0'])
  })

  it('have the expected bytes', () => {
    const made = contents({ policies: ['2.5.29.32.0'] })
    assert.equal(valueOf(made, EXTENSIONS.keyUsage), '03020780')
    assert.equal(valueOf(made, EXTENSIONS.extendedKeyUsage), '300a06082b06010505070302')
    assert.equal(valueOf(made, EXTENSIONS.basicConstraints), '3000')
    assert.equal(valueOf(made, EXTENSIONS.certificatePolicies), '300830060604551d2000')
  })

  it('omit basic constraints when so configured', () => {
    const made = contents({ basicConstraints: false })
    assert.equal(valueOf(made, EXTENSIONS.basicConstraints), undefined)
    assert.equal(openedBy(made).openssl.ca, false)
  })

  it('never include CA:TRUE, whatever the identity', () => {
    const { extensions } = contents({}, { user: 'ca', groups: ['TRUE'] })
    const constraints = extensions.find(({ oid }) => oid === EXTENSIONS.basicConstraints)
    assert.ok(constraints !== undefined && !decodeIsAuthority(constraints.value))
  })
})

describe('the further extensions of a certificate template', () => {
  const [TEXT, FIXED] = ['1.3.6.1.4.1.99999.1', '1.3.6.1.4.1.99999.2']

  it('are as configured, after the built-in ones and in order', () => {
    const made = contents({
      policies: ['2.5.29.32.0'],
      subjectAltName: { dns: '"a"' },
      extensions: {
        [FIXED]: { critical: true, der: Buffer.from('0500', 'hex').toString('base64') },
        [TEXT]: { utf8String: 'identity.user + "/ü"' },
      },
    })
    assert.deepEqual(
      made.extensions.map(({ oid, critical }) => `${oid}${critical ? ' critical' : ''}`),
      [
        `${EXTENSIONS.keyUsage} critical`,
        EXTENSIONS.extendedKeyUsage,
        `${EXTENSIONS.basicConstraints} critical`,
        EXTENSIONS.subjectAltName,
        EXTENSIONS.certificatePolicies,
        `${FIXED} critical`,
        TEXT,
      ],
    )
    assert.equal(valueOf(made, FIXED), '0500')
    assert.equal(valueOf(made, TEXT), '0c08616c6963652fc3bc')
  })

  const CASES: readonly { name: string; input: string }[] = [
    { name: 'several texts', input: 'identity.groups' },
    { name: 'no text', input: '[]' },
    { name: 'an empty text', input: '""' },
    { name: 'a missing text', input: 'identity.extra["missing"]' },
  ]
  for (const { name, input } of CASES) {
    it(`refuse ${name}`, () => {
      const config = certificateConfigOf({ extensions: { [TEXT]: { utf8String: input } } })
      assert.equal(compileTemplate(config).apply(identityOf(IDENTITY)), undefined)
    })
  }

  it('accept a list of one text', () => {
    const made = contents({ extensions: { [TEXT]: { utf8String: 'identity.extra["mail"]' } } })
    assert.equal(valueOf(made, TEXT), `0c11${Buffer.from('alice@example.org').toString('hex')}`)
  })
})

describe('a certificate template', () => {
  it('yields equal bytes for equal identities, without a cache', () => {
    const template = compileTemplate(
      certificateConfigOf({ subjectAltName: { uri: '"a:" + identity.user' } }),
    )
    const first = template.apply(identityOf(IDENTITY))
    assert.notDeepEqual(template.apply(identityOf({ ...IDENTITY, user: 'bob' })), first)
    assert.deepEqual(template.apply(identityOf(structuredClone(IDENTITY))), first)
  })
})
