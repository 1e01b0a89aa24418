// `countersign ca csr`, `sign` and `show`: requests, their proof of possession, and what of them is taken.

import assert from 'node:assert/strict'
import { createPrivateKey, X509Certificate } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import { describe, it } from 'node:test'
import { openssl, without } from '../../ca/other-readers.ts'
import { createAuthority } from '../../../src/cli/ca/authority.ts'
import type { Subtree } from '../../../src/cli/ca/name-constraints.ts'
import type { NameOptions } from '../../../src/cli/ca/options.ts'
import { decodePem, encodePem } from '../../../src/x509/pem.ts'
import { caFolder, type CaFolder } from './folder.ts'

const LABEL = 'CERTIFICATE REQUEST'

const NAMES = { dns: ['a.example.org', 'b.example.org'] }

/** A folder with a CA, and a request for two names. */
const withRequest = async (more: NameOptions = {}): Promise<CaFolder> => {
  const folder = await caFolder()
  await folder.writeCa('ca')
  await folder.writeRequest('r', { ...NAMES, ...more })
  return folder
}

const SIGN = ['sign', '--ca', './ca', '--csr', './r/request.csr', '--profile'] as const

describe('a certificate request', { concurrency: true }, () => {
  it('is signed for the names of the command line only', async () => {
    await using folder = await withRequest()
    const { status, stdout, stderr } = await folder.ca(...SIGN, 'server', '--dns', 'a.example.org')
    assert.equal(status, 0, stderr)
    assert.match(stderr, /^Left out, .*: dns:b\.example\.org$/m)
    const leaf = new X509Certificate(stdout)
    assert.equal(leaf.subjectAltName, 'DNS:a.example.org')
    assert.equal(leaf.subject, 'CN=a.example.org')
    assert.ok(leaf.checkPrivateKey(createPrivateKey(folder.text('r/request.key'))))
    assert.ok(leaf.checkIssued(new X509Certificate(folder.text('ca/ca.pem'))))
  })

  it('is not signed before the command line repeats its names, which the error lists', async () => {
    await using folder = await withRequest()
    const { status, stdout, stderr } = await folder.ca(...SIGN, 'server')
    assert.equal(status, 1)
    assert.equal(stdout, '')
    assert.match(
      stderr,
      /contains CN=a\.example\.org, dns:a\.example\.org, dns:b\.example\.org\. Repeat/,
    )
  })

  it('becomes a certificate of a client with the user and groups of the command line', async () => {
    await using folder = await withRequest({ user: 'root', group: ['system:masters'] })
    const args = ['client', '--user', 'alice', '--group', 'dev', '--output', './alice.pem'] as const
    await folder.made(...SIGN, ...args)
    const leaf = new X509Certificate(folder.text('alice.pem'))
    assert.equal(leaf.subject, 'CN=alice\nO=dev')
    assert.equal(leaf.subjectAltName, undefined)
    const again = await folder.ca(...SIGN, ...args)
    assert.equal(again.status, 1)
    assert.match(again.stderr, /alice\.pem exists already/)
  })

  it('is refused with options of the other profile', async () => {
    await using folder = await withRequest()
    const server = await folder.ca(...SIGN, 'server', '--dns', 'a.example.org', '--user', 'alice')
    assert.match(server.stderr, /--user names a client/)
    const client = await folder.ca(...SIGN, 'client', '--user', 'alice', '--dns', 'a.example.org')
    assert.match(client.stderr, /--dns names a server/)
  })

  it('is refused where its signature is not by its own key', async () => {
    await using folder = await withRequest()
    const [der = Buffer.of()] = decodePem(LABEL, folder.text('r/request.csr'))
    const at = der.indexOf('b.example.org')
    der[at] = 'c'.charCodeAt(0)
    await writeFile(folder.file('r/request.csr'), encodePem(LABEL, der))
    const { status, stderr } = await folder.ca(...SIGN, 'server', '--dns', 'a.example.org')
    assert.equal(status, 1)
    assert.match(stderr, /signature of the request does not hold by its own key/)
    assert.match(await folder.made('show', './r/request.csr'), /signature\s+DOES NOT HOLD/)
  })

  const HOSTILE: readonly { name: string; key: readonly string[]; says: RegExp }[] = [
    { name: 'an RSA key of 1024 bits', key: ['genrsa', '1024'], says: /the key is too weak/ },
    {
      name: 'a key on an unknown curve',
      key: ['ecparam', '-name', 'secp256k1', '-genkey', '-noout'],
      says: /request\.csr: the (key is too weak|certificate request cannot be read)/,
    },
  ]
  for (const { name, key, says } of HOSTILE) {
    it(`is refused with ${name}`, { skip: without('openssl') }, async () => {
      await using folder = await withRequest()
      await writeFile(folder.file('k'), openssl(key))
      const args = ['req', '-new', '-key', folder.file('k'), '-sha256', '-subj', '/CN=a']
      await writeFile(folder.file('r/request.csr'), openssl(args))
      const { status, stderr } = await folder.ca(...SIGN, 'server', '--dns', 'a.example.org')
      assert.equal(status, 1)
      assert.match(stderr, says)
    })
  }

  it('is refused where it is too long', async () => {
    await using folder = await withRequest()
    await writeFile(folder.file('r/request.csr'), 'x'.repeat(70_000))
    const { status, stderr } = await folder.ca(...SIGN, 'server', '--dns', 'a.example.org')
    assert.equal(status, 1)
    assert.match(stderr, /request\.csr: .* 65536 bytes at most/)
  })

  it('is refused when it is signed with SHA-1', { skip: without('openssl') }, async () => {
    await using folder = await withRequest()
    const args = ['req', '-new', '-key', folder.file('r/request.key'), '-sha1', '-subj', '/CN=a']
    await writeFile(folder.file('r/request.csr'), openssl(args))
    const { status, stderr } = await folder.ca(...SIGN, 'server', '--dns', 'a.example.org')
    assert.equal(status, 1)
    assert.match(stderr, /SHA-256 or better/)
  })

  it('yields no CA, whatever extensions it has', { skip: without('openssl') }, async () => {
    await using folder = await withRequest()
    const extensions = [
      'basicConstraints=critical,CA:TRUE',
      'keyUsage=critical,keyCertSign',
      'extendedKeyUsage=anyExtendedKeyUsage',
      'subjectAltName=DNS:evil.example.org,otherName:1.2.3.4;UTF8:x',
    ]
    const args = extensions.flatMap((extension) => ['-addext', extension])
    const key = ['-key', folder.file('r/request.key')]
    const pem = openssl(['req', '-new', ...key, '-subj', '/CN=evil', ...args])
    await writeFile(folder.file('r/request.csr'), pem)
    const { stdout, stderr } = await folder.ca(...SIGN, 'server', '--dns', 'a.example.org')
    const leaf = new X509Certificate(stdout)
    assert.equal(leaf.ca, false)
    assert.equal(leaf.subjectAltName, 'DNS:a.example.org')
    assert.deepEqual(leaf.keyUsage, ['1.3.6.1.5.5.7.3.1'])
    assert.match(stderr, /Left out, .*dns:evil\.example\.org/)
  })

  const UNREADABLE: readonly { name: string; extension: string }[] = [
    { name: 'is not DER', extension: 'subjectAltName=DER:ff:ff' },
    { name: 'is truncated', extension: 'subjectAltName=DER:30:10:82:01:61' },
    { name: 'has a name of no known type', extension: 'subjectAltName=DER:30:03:9f:1f:00' },
  ]
  for (const { name, extension } of UNREADABLE) {
    it(`is refused when its subjectAltName ${name}`, { skip: without('openssl') }, async () => {
      await using folder = await withRequest()
      const key = ['-key', folder.file('r/request.key')]
      const pem = openssl(['req', '-new', ...key, '-subj', '/CN=a', '-addext', extension])
      await writeFile(folder.file('r/request.csr'), pem)
      const { status, stderr } = await folder.ca(...SIGN, 'server', '--dns', 'a.example.org')
      assert.equal(status, 1)
      assert.match(stderr, /^countersign: .*request\.csr: the certificate request cannot be read/)
      const result = await folder.ca('show', './r/request.csr')
      assert.match(result.stderr, /^countersign: .*request\.csr cannot be read as/)
    })
  }

  it('is accepted where OpenSSL accepts it', { skip: without('openssl') }, async () => {
    await using folder = await caFolder()
    const names = ['--dns', 'a.example.org', '--ip', '::1', '--spiffe', 'spiffe://a.example/b']
    await folder.made('csr', '--out', './r', '--key', 'ec-p521', ...names)
    openssl(['req', '-in', folder.file('r/request.csr'), '-verify', '-noout'])
  })

  for (const text of [
    '',
    'no PEM',
    '-----BEGIN CERTIFICATE REQUEST-----\nAAAA\n-----END CERTIFICATE REQUEST-----\n',
  ]) {
    it(`is refused where the file contains ${JSON.stringify(text.slice(0, 12))}`, async () => {
      await using folder = await withRequest()
      await writeFile(folder.file('r/request.csr'), text)
      const { status, stderr } = await folder.ca(...SIGN, 'server', '--dns', 'a.example.org')
      assert.equal(status, 1)
      assert.match(stderr, /^countersign: .*request\.csr: /)
    })
  }
})

describe('countersign ca show', { concurrency: true }, () => {
  it('prints the fields of a certificate, and the chain', async () => {
    await using folder = await caFolder()
    const permitted: readonly Subtree[] = [{ kind: 'dns', value: 'example.org' }]
    const above = await createAuthority({ commonName: 'Root', permitted })
    await folder.writeCa('root', above)
    await folder.writeCa('ca', await createAuthority({ commonName: 'Below' }, above))
    const client = ['--user', 'alice', '--group', 'dev', '--uid', '7', '--out', './o']
    await folder.made('client', '--ca', './ca', '--spiffe', 'spiffe://example.org/a', ...client)
    const { fingerprint256, serialNumber } = new X509Certificate(folder.text('o/client.pem'))
    const text = await folder.made('show', './o/client.pem')
    const lines = [
      /^certificate 1 of 2$/m,
      /^ {2}subject +CN=alice, O=dev, UID=7$/m,
      /^ {2}issuer +CN=Below$/m,
      new RegExp(`^ {2}serial +${serialNumber.toLowerCase()}$`, 'm'),
      /^ {2}valid +20\d\d-\d\d-\d\dT\d\d:\d\d:\d\dZ to 20.* \(36\d days left\)$/m,
      /^ {2}names +uri:spiffe:\/\/example\.org\/a$/m,
      /^ {2}CA +no$/m,
      /^ {2}key usage +digitalSignature$/m,
      /^ {2}purposes +clientAuth$/m,
      /^ {2}key +EC P-256$/m,
      new RegExp(`^ {2}SHA-256 +${fingerprint256.replaceAll(':', '').toLowerCase()}$`, 'm'),
      /^certificate 2 of 2$/m,
      /^ {2}CA +yes, path length 0$/m,
    ]
    for (const line of lines) assert.match(text, line)
    const root = await folder.made('show', './root/ca.pem')
    assert.match(
      root,
      /name constraints +permits dns:example\.org; excludes ip:0\.0\.0\.0\/0, ip:::\/0$/m,
    )
  })

  it('prints no control characters of a certificate', { skip: without('openssl') }, async () => {
    await using folder = await caFolder()
    const [key, pem] = [folder.file('k'), folder.file('c.pem')]
    openssl(['ecparam', '-name', 'prime256v1', '-genkey', '-noout', '-out', key])
    const subject = ['-utf8', '-subj', '/CN=a\u001b[2J\u202eb', '-days', '1']
    openssl(['req', '-x509', '-new', '-key', key, ...subject, '-out', pem])
    const text = await folder.made('show', './c.pem')
    assert.doesNotMatch(text, /[[\p{Cf}\p{Cc}]--[\n]]/v)
    assert.match(text, /CN=a\?\[2J\?b/)
  })

  it('reads DER, and names a file with another content', async () => {
    await using folder = await caFolder()
    await folder.writeCa('ca')
    const { raw } = new X509Certificate(folder.text('ca/ca.pem'))
    await writeFile(folder.file('ca.der'), raw)
    assert.match(await folder.made('show', './ca.der'), /subject +CN=Test CA/)
    const key = await folder.ca('show', './ca/ca.key')
    assert.equal(key.status, 1)
    assert.match(key.stderr, /holds a private key, which is not shown/)
    assert.doesNotMatch(key.stderr + key.stdout, /MIG/)
    await writeFile(folder.file('x'), 'text')
    const other = await folder.ca('show', './x')
    assert.equal(other.status, 1)
    assert.match(other.stderr, /x cannot be read as a certificate or certificate request/)
  })
})
