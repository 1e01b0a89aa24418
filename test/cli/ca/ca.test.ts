// `countersign ca` as a process: what it writes where, what it refuses, and what it prints.

import assert from 'node:assert/strict'
import { X509Certificate, createPrivateKey } from 'node:crypto'
import { chmod, readdir, stat, writeFile } from 'node:fs/promises'
import { describe, it } from 'node:test'
import { createAuthority } from '../../../src/cli/ca/authority.ts'
import { openssl, without } from '../../ca/other-readers.ts'
import { startSigner } from '../../../src/signer.ts'
import { SdsClient } from '../../fakes/sds-client.ts'
import { signerSite } from '../../fakes/signer-site.ts'
import { caFolder, type CaFolder } from './folder.ts'

const modeOf = async (path: string): Promise<number> => (await stat(path)).mode & 0o7777

const certificateIn = (folder: CaFolder, name: string): X509Certificate =>
  new X509Certificate(folder.text(name))

describe('countersign ca', { concurrency: true }, () => {
  it('makes a root, a CA below it, and certificates of both', async () => {
    await using folder = await caFolder()
    await folder.made('create', '--out', './root', '--name', 'Root', '--days', '100')
    await folder.made('create', '--out', './ca', '--issuer', './root', '--name', 'Below')
    await folder.made('server', '--ca', './root', '--dns', 'a.example.org', '--out', './tls')
    await folder.made(
      'client',
      '--ca',
      './ca',
      '--user',
      'alice',
      '--out',
      './tls',
      '--as',
      'alice',
    )
    const files = await readdir(folder.path, { recursive: true })
    assert.deepEqual(files.toSorted(), [
      'ca',
      'ca/ca.key',
      'ca/ca.pem',
      'root',
      'root/ca.key',
      'root/ca.pem',
      'tls',
      'tls/alice.key',
      'tls/alice.pem',
      'tls/server.key',
      'tls/server.pem',
    ])
    for (const name of ['root/ca.key', 'ca/ca.key', 'tls/server.key', 'tls/alice.key']) {
      assert.equal(await modeOf(folder.file(name)), 0o600, name)
    }
    for (const name of ['root/ca.pem', 'tls/server.pem']) {
      assert.equal(await modeOf(folder.file(name)), 0o644, name)
    }
    assert.equal(await modeOf(folder.file('root')), 0o700)
    const alice = certificateIn(folder, 'tls/alice.pem')
    assert.ok(alice.checkIssued(certificateIn(folder, 'ca/ca.pem')))
    assert.ok(alice.checkPrivateKey(createPrivateKey(folder.text('tls/alice.key'))))
    assert.equal(folder.text('ca/ca.pem').match(/BEGIN CERTIFICATE/g)?.length, 2)
  })

  it('replaces no file without --force, and both with it', async () => {
    await using folder = await caFolder()
    await folder.made('create', '--out', './ca')
    const [key, certificate] = [folder.text('ca/ca.key'), folder.text('ca/ca.pem')]
    const refused = await folder.ca('create', '--out', './ca')
    assert.equal(refused.status, 1)
    assert.match(refused.stderr, /ca\.key exists already and is not replaced\. .* --force/)
    assert.equal(folder.text('ca/ca.key'), key)
    assert.equal(folder.text('ca/ca.pem'), certificate)
    await folder.made('create', '--out', './ca', '--force')
    assert.notEqual(folder.text('ca/ca.key'), key)
    assert.equal(await modeOf(folder.file('ca/ca.key')), 0o600)
    assert.deepEqual((await readdir(folder.file('ca'))).toSorted(), ['ca.key', 'ca.pem'])
    const pair = certificateIn(folder, 'ca/ca.pem')
    assert.ok(pair.checkPrivateKey(createPrivateKey(folder.text('ca/ca.key'))))
  })

  it('leaves a key that a group may read to that group with --force, and no other mode', async () => {
    await using folder = await caFolder()
    const made = async (...force: readonly string[]) =>
      await folder.made('create', '--out', './ca', ...force)
    await made()
    for (const [mode, want] of [
      [0o640, 0o640],
      [0o644, 0o600],
      [0o666, 0o600],
    ] as const) {
      await chmod(folder.file('ca/ca.key'), mode)
      await made('--force')
      assert.equal(await modeOf(folder.file('ca/ca.key')), want)
    }
  })

  it('writes neither file where only the certificate exists', async () => {
    await using folder = await caFolder()
    await folder.writeCa('ca')
    await writeFile(folder.file('server.pem'), 'mine')
    const args = ['--ca', './ca', '--dns', 'a.example.org', '--out', folder.path] as const
    const { status, stderr } = await folder.ca('server', ...args)
    assert.equal(status, 1)
    assert.match(stderr, /server\.pem exists already/)
    assert.equal(folder.text('server.pem'), 'mine')
    assert.deepEqual((await readdir(folder.path)).toSorted(), ['ca', 'server.pem'])
  })

  it('leaves a matching pair where two commands write the same files', async () => {
    await using folder = await caFolder()
    const results = await Promise.all(
      [1, 2, 3].map(async () => await folder.ca('create', '--out', './ca')),
    )
    assert.equal(results.filter(({ status }) => status === 0).length, 1)
    const pair = certificateIn(folder, 'ca/ca.pem')
    assert.ok(pair.checkPrivateKey(createPrivateKey(folder.text('ca/ca.key'))))
  })

  it('creates a CA with which the signer issues certificates', async () => {
    await using folder = await caFolder()
    await folder.made('create', '--out', './root')
    const limits = ['--only', 'client', '--key', 'ec-p384']
    await folder.made('create', '--out', './ca', '--issuer', './root', ...limits)
    await using site = await signerSite()
    await writeFile(site.file('ca.pem'), folder.text('ca/ca.pem'))
    await writeFile(site.file('ca.key'), folder.text('ca/ca.key'))
    await using _ = await startSigner(site.config)
    using client = new SdsClient({ kind: 'unix', path: site.file('run/signer.sock') })
    const stream = client.open()
    stream.subscribe(site.handle())
    const { secrets } = await stream.next()
    const minted = new X509Certificate(secrets[0]?.certificate ?? '')
    const ca = certificateIn(folder, 'ca/ca.pem')
    assert.ok(minted.checkIssued(ca) && minted.verify(ca.publicKey))
  })

  it('signs with a CA by OpenSSL', { skip: without('openssl') }, async () => {
    await using folder = await caFolder()
    const [key, pem] = [folder.file('ca.key'), folder.file('ca.pem')]
    openssl(['genrsa', '-traditional', '-out', key, '2048'])
    const subject = ['-subj', '/C=DE/O=Example/CN=By OpenSSL', '-days', '30']
    openssl(['req', '-x509', '-new', '-key', key, '-sha256', ...subject, '-out', pem])
    await folder.made('server', '--ca', folder.path, '--dns', 'a.example.org', '--out', './tls')
    openssl(['verify', '-purpose', 'sslserver', '-CAfile', pem, folder.file('tls/server.pem')])
  })
})

describe('countersign ca refuses', { concurrency: true }, () => {
  const CASES: readonly { name: string; args: readonly string[]; says: RegExp }[] = [
    {
      name: 'a folder without a CA',
      args: ['server', '--ca', './none', '--dns', 'a.example.org', '--out', './o'],
      says: /none\/ca\.pem: ENOENT.* has ca\.pem and ca\.key/,
    },
    {
      name: 'a server without a name',
      args: ['server', '--ca', './ca', '--out', './o'],
      says: /a server needs a name: --dns, --ip or --spiffe/,
    },
    {
      name: 'a client without a name',
      args: ['client', '--ca', './ca', '--out', './o', '--group', 'dev'],
      says: /a client needs a name: --user or --spiffe/,
    },
    {
      name: 'a DNS name with a path',
      args: ['server', '--ca', './ca', '--out', './o', '--dns', 'a.example.org/b'],
      says: /must be a DNS name in ASCII/,
    },
    {
      name: 'an IP address as a DNS name',
      args: ['server', '--ca', './ca', '--out', './o', '--dns', '127.0.0.1'],
      says: /must be a DNS name/,
    },
    {
      name: 'an IP address with a zone',
      args: ['server', '--ca', './ca', '--out', './o', '--ip', 'fe80::1%eth0'],
      says: /must be an IPv4 or IPv6 address/,
    },
    {
      name: 'a user with a line feed',
      args: ['client', '--ca', './ca', '--out', './o', '--user', 'a\nb'],
      says: /must be text without control characters/,
    },
    {
      name: 'a SPIFFE ID with a query',
      args: ['client', '--ca', './ca', '--out', './o', '--spiffe', 'spiffe://a.example/b?c'],
      says: /must be a SPIFFE ID/,
    },
    {
      name: 'a SPIFFE ID with a dot segment',
      args: ['client', '--ca', './ca', '--out', './o', '--spiffe', 'spiffe://a.example/b/../c'],
      says: /must be a SPIFFE ID/,
    },
    {
      name: 'an unknown kind of key',
      args: ['create', '--out', './o', '--key', 'rsa-1024'],
      says: /Allowed choices are ec-p256, .*rsa-4096/,
    },
    {
      name: 'a lifetime of no days',
      args: ['create', '--out', './o', '--days', '0'],
      says: /must be a number of days from 1/,
    },
    {
      name: 'a lifetime beyond that of the CA',
      args: ['client', '--ca', './ca', '--out', './o', '--user', 'alice', '--days', '4000'],
      says: /--days: .*ca\/ca\.pem ends in (?:3649|3650) days/,
    },
    {
      name: 'a file name outside of the folder',
      args: ['client', '--ca', './ca', '--out', './o', '--user', 'alice', '--as', '../alice'],
      says: /must be 1 to 64 letters/,
    },
    {
      name: 'a permitted domain with a wildcard',
      args: ['create', '--out', './o', '--permit-dns', '*.example.org'],
      says: /must be a domain such as example\.org/,
    },
  ]
  for (const { name, args, says } of CASES) {
    it(name, async () => {
      await using folder = await caFolder()
      if (args.includes('./ca')) await folder.writeCa('ca')
      const { status, stderr } = await folder.ca(...args)
      assert.equal(status, 1)
      assert.match(stderr.replaceAll(/\s+/g, ' '), says)
      const left = await readdir(folder.path, { recursive: true })
      assert.deepEqual(
        left.filter((path) => path.startsWith('o/')),
        [],
      )
    })
  }

  it('a key that does not belong to the certificate', async () => {
    await using folder = await caFolder()
    await folder.writeCa('ca')
    await folder.writeCa('other', await createAuthority({ commonName: 'Other' }))
    await writeFile(folder.file('ca/ca.key'), folder.text('other/ca.key'))
    const args = ['--ca', './ca', '--user', 'alice', '--out', './o']
    const { status, stderr } = await folder.ca('client', ...args)
    assert.equal(status, 1)
    assert.match(stderr, /ca\/ca\.key: the key does not belong to the certificate/)
  })

  it('a certificate that is not the one of a CA', async () => {
    await using folder = await caFolder()
    await folder.writeCa('ca')
    await folder.made('client', '--ca', './ca', '--user', 'alice', '--out', './leaf', '--as', 'ca')
    const args = ['--ca', './leaf', '--user', 'bob', '--out', './o']
    const { status, stderr } = await folder.ca('client', ...args)
    assert.equal(status, 1)
    assert.match(stderr, /leaf\/ca\.pem: .* is not the certificate of a CA/)
  })

  it('an encrypted key, with a way to use it anyway', async () => {
    await using folder = await caFolder()
    await folder.writeCa('ca')
    const key = createPrivateKey(folder.text('ca/ca.key'))
    const encrypted = {
      type: 'pkcs8',
      format: 'pem',
      cipher: 'aes-256-cbc',
      passphrase: 'x',
    } as const
    await writeFile(folder.file('ca/ca.key'), key.export(encrypted))
    const args = ['--ca', './ca', '--user', 'alice', '--out', './o']
    const { status, stderr } = await folder.ca('client', ...args)
    assert.equal(status, 1)
    assert.match(stderr, /ca\/ca\.key: the key is encrypted/)
  })
})
