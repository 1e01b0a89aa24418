// A folder of signing keys on the disk: the required files, their permissions, and the refusal of
// files that do not fit together.

import assert from 'node:assert/strict'
import { createPrivateKey, generateKeyPairSync } from 'node:crypto'
import { chmod, mkdir, readFile, rename, rm, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { inspect } from 'node:util'
import { ConfigurationFiles } from '../../src/config/files.ts'
import {
  inspectSigningKeys,
  readSigningKeys,
  signingKeyFile,
} from '../../src/keys/signing-key-folder.ts'
import { writeList, writeSigningKeys } from '../fakes/signing-key-files.ts'
import { madeKey, type MadeKey } from '../fakes/signing-keys.ts'
import { temporaryFolder, type TemporaryFolder } from '../servers/temporary.ts'
import { DAY, HOUR, instant, START } from './lists.ts'
import { changed } from './made-keys.ts'

const [retired, signing, next, rsa, weak] = await Promise.all([
  madeKey('ES256', START - DAY),
  madeKey('ES256', START),
  madeKey('ES256', START + DAY),
  madeKey('RS256', START),
  madeKey('ES256', START),
])
const KEYS = [retired, signing, next, rsa]

const revoked = (key: MadeKey): MadeKey => changed(key, { revoked: instant(0) })

const fileOf = (folder: TemporaryFolder, { entry }: MadeKey): string =>
  signingKeyFile(folder.path, entry.kid)

/** `kid kid`: the private keys that were read, or the code and the message of why there are none. */
const read = async (path: string, now = START + HOUR): Promise<string> => {
  try {
    const { privateKeys } = await readSigningKeys(path, new ConfigurationFiles(), now)
    return [...privateKeys.keys()].join(' ')
  } catch (cause) {
    assert.ok(cause instanceof Error && 'code' in cause)
    assert.ok(!inspect(cause, { depth: 9 }).includes('BEGIN'))
    return `${String(cause.code)}: ${cause.message}`
  }
}

const kids = (...keys: readonly MadeKey[]): string => keys.map(({ entry }) => entry.kid).join(' ')

describe('a folder of signing keys', () => {
  it('yields its private keys and the list of its files', async () => {
    await using folder = await temporaryFolder()
    await writeSigningKeys(folder.path, KEYS)
    const files = new ConfigurationFiles()
    const { list, privateKeys } = await readSigningKeys(folder.path, files, START + HOUR)
    assert.deepEqual(
      list.keys,
      KEYS.map(({ entry }) => entry),
    )
    for (const { entry, privateKey } of KEYS) {
      assert.ok(privateKeys.get(entry.kid)?.equals(privateKey))
    }
    assert.deepEqual(files.paths, [
      folder.file('keys.json'),
      ...KEYS.map((key) => fileOf(folder, key)),
    ])
  })

  it('does not print a private key', async () => {
    await using folder = await temporaryFolder()
    await writeSigningKeys(folder.path, KEYS)
    const found = await readSigningKeys(folder.path, new ConfigurationFiles(), START)
    const printed = inspect(found, { depth: 9, showHidden: true }) + JSON.stringify(found)
    for (const { privateKey } of KEYS) {
      const { d = '' } = privateKey.export({ format: 'jwk' })
      assert.ok(!printed.includes(d.slice(0, 12)))
    }
  })

  it('needs no private key that no longer signs', async () => {
    await using folder = await temporaryFolder()
    await writeSigningKeys(folder.path, KEYS)
    await rm(fileOf(folder, retired))
    assert.equal(await read(folder.path), kids(signing, next, rsa))
  })

  it('does not read the private key of a revoked key', async () => {
    await using folder = await temporaryFolder()
    await writeSigningKeys(folder.path, [retired, revoked(signing), next, rsa])
    await writeFile(fileOf(folder, signing), 'whatever', { mode: 0o666 })
    await writeFile(fileOf(folder, retired), 'whatever', { mode: 0o666 })
    assert.equal(await read(folder.path, START + 9 * DAY), kids(next, rsa))
  })

  it('may be a link, and contain links, as a mounted Secret does', async () => {
    await using folder = await temporaryFolder()
    await mkdir(folder.file('..2026'))
    await writeSigningKeys(folder.file('..2026'), KEYS)
    await symlink('..2026', folder.file('..data'))
    for (const name of ['keys.json', ...KEYS.map(({ entry }) => `${entry.kid}.pem`)]) {
      await symlink(join('..data', name), folder.file(name))
    }
    await symlink(folder.path, folder.file('link'))
    assert.equal(await read(folder.path), kids(...KEYS))
    assert.equal(await read(folder.file('link')), kids(...KEYS))
    // The mode that counts is that of the file behind the link, which is 0777 itself.
    await chmod(join(folder.path, '..2026', `${signing.entry.kid}.pem`), 0o644)
    assert.match(await read(folder.path), /^signing-keys-invalid: .* has mode 0644/)
  })

  for (const mode of [0o600, 0o400, 0o640, 0o440]) {
    it(`may contain private keys of mode 0${mode.toString(8)}`, async () => {
      await using folder = await temporaryFolder()
      await writeSigningKeys(folder.path, [signing])
      await chmod(fileOf(folder, signing), mode)
      assert.equal(await read(folder.path), kids(signing))
    })
  }
})

describe('a refused folder of signing keys', () => {
  const CASES: readonly {
    readonly name: string
    readonly keys?: readonly MadeKey[]
    readonly spoil?: (folder: TemporaryFolder) => Promise<unknown>
    readonly want: RegExp
  }[] = [
    {
      name: 'without a list',
      spoil: (folder) => rm(folder.file('keys.json')),
      want: /^file-unreadable: .*keys\.json does not exist; `countersign keys signing create \//,
    },
    {
      name: 'whose list is a folder',
      spoil: async (folder) => {
        await rm(folder.file('keys.json'))
        await mkdir(folder.file('keys.json'))
      },
      want: /^file-unreadable: .*is a folder, not a file/,
    },
    {
      name: 'with a truncated list',
      spoil: async (folder) => {
        const text = await readFile(folder.file('keys.json'), 'utf8')
        await writeFile(folder.file('keys.json'), text.slice(0, text.length / 2))
      },
      want: /^signing-keys-invalid: .*keys\.json is not JSON/,
    },
    {
      name: 'with an empty list',
      keys: [],
      want: /^signing-keys-invalid: .*has no key that signs now; `countersign keys signing create/,
    },
    {
      name: 'where no key signs yet',
      keys: [next],
      want: /^signing-keys-invalid: .*has no key that signs now/,
    },
    {
      name: 'where all keys are revoked',
      keys: [revoked(signing)],
      want: /^signing-keys-invalid: .*has no key that signs now/,
    },
    {
      name: 'without the private key that signs',
      spoil: (folder) => rm(fileOf(folder, signing)),
      want: /^file-unreadable: .*\.pem does not exist: restore it, or revoke the key/,
    },
    {
      name: 'without the private key that is next',
      spoil: (folder) => rm(fileOf(folder, next)),
      want: /^file-unreadable: .*\.pem does not exist: restore it, or revoke the key/,
    },
    {
      name: 'with swapped files',
      spoil: async (folder) => {
        await rename(fileOf(folder, signing), folder.file('aside'))
        await rename(fileOf(folder, next), fileOf(folder, signing))
        await rename(folder.file('aside'), fileOf(folder, next))
      },
      want: /^signing-keys-invalid: .*\.pem does not hold the private key of ".{43}" in keys\.json; .*\.pem does not hold/,
    },
    {
      name: 'with a private key of another type',
      spoil: async (folder) =>
        await writeFile(
          fileOf(folder, signing),
          rsa.privateKey.export({ type: 'pkcs8', format: 'pem' }),
        ),
      want: /does not hold the private key of/,
    },
    {
      name: 'with a private key that a JWK cannot represent',
      spoil: async (folder) => {
        const { privateKey } = generateKeyPairSync('rsa-pss', { modulusLength: 2_048 })
        await writeFile(fileOf(folder, rsa), privateKey.export({ type: 'pkcs8', format: 'pem' }))
      },
      want: /does not hold the private key of/,
    },
    {
      name: 'with a private key that merely contains the public key',
      spoil: async (folder) => {
        const der = weak.privateKey.export({ type: 'pkcs8', format: 'der' })
        const own = signing.privateKey.export({ type: 'pkcs8', format: 'der' })
        const key = Buffer.concat([der.subarray(0, -65), own.subarray(-65)])
        const crossed = createPrivateKey({ key, format: 'der', type: 'pkcs8' })
        await writeFile(fileOf(folder, signing), crossed.export({ type: 'pkcs8', format: 'pem' }))
      },
      want: /does not hold the private key of/,
    },
    {
      name: 'with the wrong private key of a retired key',
      spoil: async (folder) => await rename(fileOf(folder, next), fileOf(folder, retired)),
      want: /does not hold the private key of/,
    },
    {
      name: 'with a public key in place of a private one',
      spoil: async (folder) => {
        const { publicKey } = generateKeyPairSync('ed25519')
        await writeFile(fileOf(folder, signing), publicKey.export({ type: 'spki', format: 'pem' }))
      },
      want: /^signing-keys-invalid: .*holds no private key: PEM, PKCS#8, not encrypted/,
    },
    {
      name: 'with an encrypted private key',
      spoil: async (folder) =>
        await writeFile(
          fileOf(folder, signing),
          signing.privateKey.export({
            type: 'pkcs8',
            format: 'pem',
            cipher: 'aes-256-cbc',
            passphrase: 'x',
          }),
        ),
      want: /holds no private key: PEM, PKCS#8, not encrypted/,
    },
    {
      name: 'with an empty private key',
      spoil: async (folder) => await writeFile(fileOf(folder, signing), ''),
      want: /holds no private key/,
    },
    ...[0o644, 0o604, 0o602, 0o601, 0o660, 0o620].map((mode) => ({
      name: `with a private key of mode 0${mode.toString(8)}`,
      spoil: (folder: TemporaryFolder) => chmod(fileOf(folder, signing), mode),
      want: new RegExp(
        `^signing-keys-invalid: .*\\.pem has mode 0${mode.toString(8)}: a private key is for its owner`,
      ),
    })),
    {
      name: 'with a retired private key that every user can read, whose tokens are still accepted',
      spoil: (folder) => chmod(fileOf(folder, retired), 0o644),
      want: /\.pem has mode 0644/,
    },
    ...[0o666, 0o664, 0o646].map((mode) => ({
      name: `with a list of mode 0${mode.toString(8)}`,
      spoil: (folder: TemporaryFolder) => chmod(folder.file('keys.json'), mode),
      want: new RegExp(
        `^signing-keys-invalid: .*keys\\.json has mode 0${mode.toString(8)}: its group and other users could add a key`,
      ),
    })),
  ]
  for (const { name, keys = KEYS, spoil, want } of CASES) {
    it(`is a folder ${name}`, async () => {
      await using folder = await temporaryFolder()
      await writeSigningKeys(folder.path, keys)
      await spoil?.(folder)
      assert.match(await read(folder.path), want)
    })
  }

  it('is a folder that does not exist', async () => {
    assert.match(
      await read('/nowhere/at/all'),
      /^file-unreadable: .*does not exist; `countersign keys signing create/,
    )
  })
})

describe('an inspection of signing keys', () => {
  it('finds every error, and yields what can be read', async () => {
    await using folder = await temporaryFolder()
    await writeSigningKeys(folder.path, KEYS)
    await chmod(folder.file('keys.json'), 0o666)
    await chmod(fileOf(folder, signing), 0o644)
    await rm(fileOf(folder, next))
    const files = new ConfigurationFiles()
    const { list, problems, privateKeys } = await inspectSigningKeys(
      folder.path,
      files,
      START + HOUR,
    )
    assert.equal(list.keys.length, 4)
    assert.deepEqual([...privateKeys.keys()].join(' '), kids(retired, rsa))
    assert.deepEqual(
      problems.map(({ code }) => code),
      ['signing-keys-invalid', 'signing-keys-invalid', 'file-unreadable'],
    )
  })

  it('notices a change of any file', async () => {
    await using folder = await temporaryFolder()
    await writeSigningKeys(folder.path, KEYS)
    const files = new ConfigurationFiles()
    await inspectSigningKeys(folder.path, files, START + HOUR)
    assert.equal(await files.changed(), false)
    await writeList(folder.path, [signing])
    assert.equal(await files.changed(), true)
  })
})
