// The certificates that the CAs of `countersign ca` issue, as other readers see them: OpenSSL's strict
// verification, Go's verifier, and the path validation for clients.

import assert from 'node:assert/strict'
import { createPublicKey, X509Certificate } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import { describe, it } from 'node:test'
import { createAuthority, type Authority } from '../../../src/cli/ca/authority.ts'
import { issue, issueFor, type Issued, type Profile } from '../../../src/cli/ca/issue.ts'
import { KEY_KINDS, newKey } from '../../../src/cli/ca/keys.ts'
import { nameConstraintsFor, type Subtree } from '../../../src/cli/ca/name-constraints.ts'
import { namesFor } from '../../../src/cli/ca/names.ts'
import type { NameOptions } from '../../../src/cli/ca/options.ts'
import { readChainCertificate } from '../../../src/pki/chain-certificate.ts'
import { decodePem } from '../../../src/x509/pem.ts'
import { goVerify, openssl, without } from '../../ca/other-readers.ts'
import { temporaryFolder } from '../../servers/temporary.ts'

const issued = async (
  authority: Authority,
  profile: Profile,
  options: NameOptions,
): Promise<Issued> => await issue(authority, { profile, ...namesFor(profile, options) })

const leafOf = ({ certificate }: Issued): X509Certificate => new X509Certificate(certificate)

/** `openssl verify -x509_strict` for the purpose; throws with what it prints. */
const verifyStrictly = async (
  { certificate }: Issued,
  root: Authority,
  purpose: 'sslserver' | 'sslclient',
): Promise<void> => {
  await using folder = await temporaryFolder()
  const [chain, anchor] = [folder.file('chain.pem'), folder.file('root.pem')]
  await writeFile(chain, certificate)
  await writeFile(anchor, root.certificates)
  const options = ['-x509_strict', '-purpose', purpose, '-CAfile', anchor, '-untrusted', chain]
  openssl(['verify', ...options, chain])
}

const SERVER = { dns: ['*.example.org', 'example.org'], ip: ['127.0.0.1', '::1'] }
const CLIENT = {
  user: '#0c"Jürgen", x+y',
  group: ['dev', 'ops'],
  uid: '1001',
  spiffe: 'spiffe://example.org/ns/dev',
}

describe('a certificate of a server', () => {
  it('has serverAuth and its names, and no other usage', async () => {
    const root = await createAuthority({ commonName: 'root' })
    const leaf = leafOf(await issued(root, 'server', SERVER))
    assert.equal(leaf.subject, 'CN=*.example.org')
    assert.equal(leaf.issuer, 'CN=root')
    assert.deepEqual(leaf.keyUsage, ['1.3.6.1.5.5.7.3.1'])
    assert.equal(
      leaf.subjectAltName,
      'DNS:*.example.org, DNS:example.org, IP Address:127.0.0.1, IP Address:0:0:0:0:0:0:0:1',
    )
    const { constraints, usages } = readChainCertificate(leaf.raw)
    assert.equal(constraints.isAuthority, false)
    assert.deepEqual(usages, ['digitalSignature'])
  })

  it('lets an RSA key encrypt as well, for key exchange in TLS 1.2', async () => {
    const root = await createAuthority({ commonName: 'root' })
    const { publicKey } = leafOf(
      await issue(root, { profile: 'server', ...namesFor('server', SERVER) }, 'rsa-2048'),
    )
    const request = { profile: 'server', ...namesFor('server', SERVER) } as const
    const again = new X509Certificate(await issueFor(root, request, publicKey))
    const { usages } = readChainCertificate(again.raw)
    assert.deepEqual(usages, ['digitalSignature', 'keyEncipherment'])
  })

  it('has a critical subjectAltName where no name is short enough for a subject', async () => {
    const long = `${'a'.repeat(60)}.example.org`
    const root = await createAuthority({ commonName: 'root' })
    const { parts } = readChainCertificate(
      leafOf(await issued(root, 'server', { dns: [long] })).raw,
    )
    assert.deepEqual(parts.subject, Buffer.from('3000', 'hex'))
    assert.deepEqual(
      parts.extensions.filter(({ critical }) => critical).map(({ oid }) => oid),
      ['2.5.29.19', '2.5.29.15', '2.5.29.17'],
    )
  })
})

describe('a certificate of a client', () => {
  it('has the user as CN, each group as O, the UID, and the SPIFFE ID', async () => {
    const root = await createAuthority({ commonName: 'root' })
    const leaf = leafOf(await issued(root, 'client', CLIENT))
    assert.equal(leaf.toLegacyObject().subject.CN, CLIENT.user)
    assert.match(leaf.subject, /\nO=dev\nO=ops\nUID=1001$/)
    assert.equal(leaf.subjectAltName, `URI:${CLIENT.spiffe}`)
    assert.deepEqual(leaf.keyUsage, ['1.3.6.1.5.5.7.3.2'])
  })
})

describe('every certificate', () => {
  it('has a unique serial number with more than 127 random bits', async () => {
    const root = await createAuthority({ commonName: 'root' })
    const leaves = await Promise.all([1, 2, 3].map(() => issued(root, 'server', SERVER)))
    const serials = leaves.map((leaf) => leafOf(leaf).serialNumber)
    assert.equal(new Set(serials).size, 3)
    for (const serial of serials) assert.match(serial, /^[4-7][0-9A-F]{39}$/)
  })

  it('is valid from some minutes ago, and not from before its CA', async () => {
    const before = Date.now()
    const root = await createAuthority({ commonName: 'root' })
    const [ca] = root.path
    const leaf = leafOf(await issued(root, 'server', SERVER))
    const begin = leaf.validFromDate.getTime()
    assert.ok(begin <= before - 240_000 && begin >= before - 301_000, leaf.validFrom)
    assert.ok(begin >= ca.parts.notBefore * 1_000)
  })

  it('ends with its CA at the latest', async () => {
    const root = await createAuthority({ commonName: 'root', days: 10 })
    const below = await createAuthority({ commonName: 'below' }, root)
    const leaf = leafOf(await issued(below, 'server', SERVER))
    const [rootCertificate] = root.path
    assert.equal(below.path[0].parts.notAfter, rootCertificate.parts.notAfter)
    assert.equal(leaf.validToDate.getTime(), rootCertificate.parts.notAfter * 1_000)
    const request = { profile: 'server', ...namesFor('server', SERVER), days: 11 } as const
    await assert.rejects(issue(below, request), /ends in \d+ days, and nothing .* may outlive it/)
  })

  it('names the keys of its CA and its own by their identifiers', async () => {
    const root = await createAuthority({ commonName: 'root' })
    const leaf = leafOf(await issued(root, 'client', CLIENT))
    const { extensions } = readChainCertificate(leaf.raw).parts
    const [own] = extensions.filter(({ oid }) => oid === '2.5.29.14')
    const [above] = extensions.filter(({ oid }) => oid === '2.5.29.35')
    assert.equal(own?.value.length, 22)
    assert.ok(above?.value.includes(root.keyIdentifier))
  })
})

describe('certificates that both OpenSSL and Go verify:', { concurrency: true }, () => {
  for (const kind of KEY_KINDS) {
    // A longer RSA key takes a second of CPU time, and is no other case in a server's certificate.
    const own = kind.startsWith('rsa-') ? 'rsa-2048' : kind
    it(`a server with a key of ${own} and a client, below an intermediate and a root with ${kind} keys`, async (t) => {
      if (without('openssl') !== false || without('go') !== false) return t.skip()
      const root = await createAuthority({ commonName: 'root', kind })
      const below = await createAuthority({ commonName: 'below', kind }, root)
      const request = { profile: 'server', ...namesFor('server', SERVER) } as const
      await verifyStrictly(await issue(below, request, own), root, 'sslserver')
      const client = await issued(below, 'client', CLIENT)
      await verifyStrictly(client, root, 'sslclient')
      const now = Math.floor(Date.now() / 1_000)
      const chain = {
        leaf: client.certificate,
        intermediates: below.chain,
        roots: root.certificates,
      }
      const [verdict] = goVerify([{ ...chain, now }])
      assert.equal(verdict?.error, undefined)
      assert.equal(verdict?.commonName, CLIENT.user)
      assert.deepEqual(verdict?.organization, CLIENT.group)
      assert.deepEqual(verdict?.uris, [CLIENT.spiffe])
    })
  }

  it('a client below a CA that is limited to names, and that signs for clients alone', async (t) => {
    if (without('openssl') !== false || without('go') !== false) return t.skip()
    const permitted: readonly Subtree[] = [
      { kind: 'dns', value: 'example.org' },
      { kind: 'uri', value: 'example.org' },
    ]
    const root = await createAuthority({ commonName: 'root', permitted, profile: 'client' })
    const client = await issued(root, 'client', CLIENT)
    await verifyStrictly(client, root, 'sslclient')
    const now = Math.floor(Date.now() / 1_000)
    const chain = { leaf: client.certificate, intermediates: '', roots: root.certificates }
    assert.equal(goVerify([{ ...chain, now }])[0]?.error, undefined)
  })
})

describe('a CA of countersign ca', () => {
  const LIMITED: readonly { name: string; permitted: readonly Subtree[]; options: NameOptions }[] =
    [
      {
        name: 'a domain refuses another domain',
        permitted: [{ kind: 'dns', value: 'example.org' }],
        options: { dns: ['api.example.org', 'example.com'] },
      },
      {
        name: 'a domain refuses a name that only ends like it',
        permitted: [{ kind: 'dns', value: 'example.org' }],
        options: { dns: ['badexample.org'] },
      },
      {
        name: 'a domain refuses an IPv4 address',
        permitted: [{ kind: 'dns', value: 'example.org' }],
        options: { ip: ['127.0.0.1'] },
      },
      {
        name: 'a domain refuses an IPv6 address',
        permitted: [{ kind: 'dns', value: 'example.org' }],
        options: { ip: ['::1'] },
      },
      {
        name: 'a trust domain refuses a SPIFFE ID of another one',
        permitted: [{ kind: 'uri', value: 'example.org' }],
        options: { spiffe: 'spiffe://example.com/a' },
      },
    ]
  for (const { name, permitted, options } of LIMITED) {
    it(`a CA of countersign ca that is limited to ${name}`, async () => {
      const root = await createAuthority({ commonName: 'root', permitted }, undefined, 'root.pem')
      await assert.rejects(
        issued(root, 'server', options),
        /root\.pem|its name constraints do not permit every name of (dns|ip|uri):/,
      )
    })
  }

  it('a CA of countersign ca that is limited to a domain excludes every address, and one limited to URIs none', () => {
    const domain = nameConstraintsFor([{ kind: 'dns', value: 'example.org' }])
    assert.equal(domain?.excluded.length, 2)
    assert.deepEqual(nameConstraintsFor([{ kind: 'uri', value: 'example.org' }])?.excluded, [])
    assert.equal(nameConstraintsFor([]), undefined)
  })

  it('a CA of countersign ca that signs for clients alone refuses a server', async () => {
    const root = await createAuthority({ commonName: 'root', profile: 'client' })
    await assert.rejects(
      issued(root, 'server', SERVER),
      /its extended key usage does not permit certificates of servers/,
    )
  })

  it('may have as many CAs below it as its path length says', async () => {
    const root = await createAuthority({ commonName: 'root', pathLength: 2 })
    const first = await createAuthority({ commonName: 'first', pathLength: 1 }, root)
    const second = await createAuthority({ commonName: 'second' }, first)
    assert.equal(second.path.length, 3)
    await issued(second, 'server', SERVER)
    await assert.rejects(
      createAuthority({ commonName: 'third' }, second),
      /its path length permits no CA below it/,
    )
    await assert.rejects(
      createAuthority({ commonName: 'wide', pathLength: 2 }, root),
      /--path-length: 1 at most/,
    )
  })

  it('has a unique name, since two CAs of one name cannot be distinguished', async () => {
    const root = await createAuthority({ commonName: 'root' })
    await assert.rejects(createAuthority({ commonName: 'root' }, root), /--name: .* has the same/)
  })

  it('is signed by its own key only where it is a root', async () => {
    const { path } = await createAuthority({ commonName: 'root' })
    const [root] = path
    assert.ok(root.x509.verify(root.x509.publicKey))
    assert.equal(path.length, 1)
  })

  it('sends the intermediates after the leaf, and never the root', async () => {
    const root = await createAuthority({ commonName: 'root' })
    const below = await createAuthority({ commonName: 'below' }, root)
    const { certificate } = await issued(below, 'server', SERVER)
    const subjects = decodePem('CERTIFICATE', certificate).map(
      (der) => new X509Certificate(der).subject,
    )
    assert.deepEqual(subjects, ['CN=*.example.org', 'CN=below'])
  })

  it('certifies a given public key', async () => {
    const root = await createAuthority({ commonName: 'root' })
    const key = await newKey('ed25519')
    const request = { profile: 'server', ...namesFor('server', SERVER) } as const
    const pem = await issueFor(root, request, createPublicKey(key))
    assert.ok(new X509Certificate(pem).checkPrivateKey(key))
  })
})
