// A signer's configuration with all the files that it names: every problem at once, and what outlives
// a configuration.

import assert from 'node:assert/strict'
import { chmod, writeFile } from 'node:fs/promises'
import { describe, it } from 'node:test'
import { buildSigner, SignerResources } from '../../src/ca/snapshot.ts'
import { ConfigurationFiles } from '../../src/config/files.ts'
import { ConfigurationError, formatProblem } from '../../src/config/problem.ts'
import { octal } from '../../src/config/file-modes.ts'
import { newGrantKeyLine } from '../../src/keys/grant-keys.ts'
import { FakeClock } from '../fakes/clock.ts'
import { temporaryFolder, type TemporaryFolder } from '../servers/temporary.ts'
import { makeCa } from './authorities.ts'

const authority = (name: string, more = ''): string =>
  `{ version: 1, listen: 'unix:s.sock', authorities: { ${name}: { certificate: ca.pem, key: 'file:ca.key' ${more} } } }`

const PRIVATE = { mode: 0o600 }

const prepare = async (): Promise<TemporaryFolder> => {
  const folder = await temporaryFolder()
  const ca = await makeCa()
  await writeFile(folder.file('ca.pem'), ca.certificate)
  await writeFile(folder.file('ca.key'), ca.key.export({ type: 'pkcs8', format: 'pem' }), PRIVATE)
  await writeFile(folder.file('grant.keys'), newGrantKeyLine(), PRIVATE)
  await writeFile(folder.file('signer.yaml'), authority('kube'))
  return folder
}

const build = async (
  folder: TemporaryFolder,
  resources = new SignerResources(new FakeClock()),
  files = new ConfigurationFiles(),
) => await buildSigner(folder.file('signer.yaml'), files, resources)

const problemsOf = async (folder: TemporaryFolder): Promise<readonly string[]> => {
  try {
    await build(folder)
  } catch (cause) {
    assert.ok(cause instanceof ConfigurationError, String(cause))
    return cause.problems.map((problem) => formatProblem(problem).replaceAll(folder.path, ''))
  }
  return []
}

describe('the configuration of a signer', () => {
  it('is built from its files, which are then watched', async () => {
    await using folder = await prepare()
    const files = new ConfigurationFiles()
    const { authorities } = await build(folder, undefined, files)
    assert.deepEqual([...authorities.keys()], ['kube'])
    const names = files.paths.map((path) => path.replace(`${folder.path}/`, ''))
    assert.deepEqual(names.toSorted(), ['ca.key', 'ca.pem', 'grant.keys', 'signer.yaml'])
  })

  it('may have an encrypted key and a passphrase file', async () => {
    await using folder = await prepare()
    const ca = await makeCa()
    const cipher = { cipher: 'aes-256-cbc', passphrase: 'correct horse' }
    await writeFile(folder.file('ca.pem'), ca.certificate)
    const pem = ca.key.export({ type: 'pkcs8', format: 'pem', ...cipher })
    await writeFile(folder.file('ca.key'), pem)
    await writeFile(folder.file('pass'), 'correct horse\n', PRIVATE)
    await writeFile(folder.file('signer.yaml'), authority('kube', ", passphrase: 'file:pass'"))
    assert.deepEqual(await problemsOf(folder), [])
    await writeFile(folder.file('pass'), 'wrong\n')
    assert.match(
      (await problemsOf(folder)).join(),
      /authorities\.kube\.key: .* passphrase is not its own/,
    )
  })

  it('reports every problem of its files, with their positions', async () => {
    await using folder = await prepare()
    const text = `
version: 1
listen: unix:s.sock
authorities:
  a: { certificate: ca.pem, key: 'file:none.key' }
  b: { certificate: none.pem, key: 'file:ca.key' }
  c: { certificate: ca.key, key: 'file:ca.pem' }
  d: { certificate: ca.pem, key: 'file:other.key' }
  e: { certificate: ca.pem, key: 'file:ca.key', passphrase: 'env:COUNTERSIGN_TEST_UNSET' }
keyring: file:bad.keys`
    await writeFile(folder.file('signer.yaml'), text)
    await writeFile(folder.file('bad.keys'), 'not-a-key', PRIVATE)
    await chmod(folder.file('ca.pem'), 0o600)
    const other = await makeCa()
    const pem = other.key.export({ type: 'pkcs8', format: 'pem' })
    await writeFile(folder.file('other.key'), pem, PRIVATE)
    assert.deepEqual(await problemsOf(folder), [
      '/signer.yaml:10:1: keyring: /bad.keys:1 is not a key: 43 characters of base64url (32 bytes)',
      '/signer.yaml:5:29: authorities.a.key: /none.key does not exist',
      '/signer.yaml:6:8: authorities.b.certificate: /none.pem does not exist',
      '/signer.yaml:7:8: authorities.c.certificate: the file holds no certificate in PEM',
      '/signer.yaml:7:29: authorities.c.key: the key is not a private key in PEM',
      '/signer.yaml:8:29: authorities.d.key: the key does not belong to the certificate',
      '/signer.yaml:9:29: authorities.e.key: the environment variable COUNTERSIGN_TEST_UNSET is not set',
    ])
  })

  for (const mode of [0o400, 0o600, 0o440, 0o640]) {
    it(`may have keys of mode ${octal(mode)}, as a Secret with fsGroup has`, async () => {
      await using folder = await prepare()
      await chmod(folder.file('ca.key'), mode)
      await chmod(folder.file('grant.keys'), mode)
      assert.deepEqual(await problemsOf(folder), [])
    })
  }

  for (const mode of [0o604, 0o644, 0o660, 0o602, 0o601]) {
    it(`is refused with keys of mode ${octal(mode)}`, async () => {
      await using folder = await prepare()
      const text = authority('kube', ", passphrase: 'file:pass'")
      await writeFile(folder.file('signer.yaml'), text)
      await writeFile(folder.file('pass'), 'unused')
      for (const file of ['ca.key', 'grant.keys', 'pass']) await chmod(folder.file(file), mode)
      const [keyring, key] = await problemsOf(folder)
      assert.match(keyring ?? '', /keyring: \/grant\.keys has mode 0\d+: the keyring of /)
      assert.match(
        key ?? '',
        /authorities\.kube\.key: \/ca\.key has mode 0\d+: the key of a CA is /,
      )
      await chmod(folder.file('ca.key'), 0o600)
      const [, passphrase] = await problemsOf(folder)
      assert.match(passphrase ?? '', /\.key: \/pass has mode 0\d+: the passphrase of a CA is /)
    })
  }

  it('is refused where the CA has expired meanwhile', async () => {
    await using folder = await prepare()
    const clock = new FakeClock(Date.UTC(2045, 0, 1))
    await assert.rejects(build(folder, new SignerResources(clock)), /expired at 2045-01-01/)
  })
})

describe('state of the signer over a reload:', () => {
  it('generated keys and the used rate are kept', async () => {
    await using folder = await prepare()
    using resources = new SignerResources(new FakeClock())
    const before = (await build(folder, resources)).authorities.get('kube')
    const after = (await build(folder, resources)).authorities.get('kube')
    assert.notEqual(before, after)
    assert.equal(before?.keys, after?.keys)
    assert.equal(before?.rate, after?.rate)
  })

  it('a changed rate starts anew, and so do keys of another algorithm', async () => {
    await using folder = await prepare()
    using resources = new SignerResources(new FakeClock())
    const before = (await build(folder, resources)).authorities.get('kube')
    await writeFile(
      folder.file('signer.yaml'),
      authority('kube', ', keys: p384, limits: { rate: { burst: 5 } }'),
    )
    const after = (await build(folder, resources)).authorities.get('kube')
    assert.notEqual(before?.keys, after?.keys)
    assert.notEqual(before?.rate, after?.rate)
  })

  it('the rate of one CA is not shared with another', async () => {
    await using folder = await prepare()
    const two = authority('kube').replace(
      'authorities: {',
      "authorities: { other: { certificate: ca.pem, key: 'file:ca.key' },",
    )
    await writeFile(folder.file('signer.yaml'), two)
    const { authorities } = await build(folder)
    assert.notEqual(authorities.get('kube')?.rate, authorities.get('other')?.rate)
    assert.equal(authorities.get('kube')?.keys, authorities.get('other')?.keys)
  })
})
