// What `countersign keys signing` refuses, and that it leaves everything as it was.

import assert from 'node:assert/strict'
import { chmod, readdir, readFile, rename, rm, symlink, writeFile } from 'node:fs/promises'
import { describe, it } from 'node:test'
import { someKeys, type Keys } from './signing-keys-folder.ts'

const IS_ROOT = process.getuid?.() === 0

describe('countersign keys signing refuses', { concurrency: true }, () => {
  const CASES: readonly {
    readonly name: string
    readonly args: readonly [string, ...string[]]
    readonly spoil?: (keys: Keys) => Promise<unknown>
    readonly says: RegExp
    readonly skip?: boolean
  }[] = [
    {
      name: 'to create a folder inside one that does not exist',
      args: ['rotate'],
      spoil: (keys) => rm(keys.path, { recursive: true }),
      says: /keys does not exist; `countersign keys signing create \S+keys` makes it/,
    },
    {
      name: 'to show a folder that does not exist',
      args: ['show'],
      spoil: (keys) => rm(keys.path, { recursive: true }),
      says: /keys\.json does not exist; `countersign keys signing create/,
    },
    {
      name: 'a folder without a list of keys',
      args: ['rotate'],
      spoil: (keys) => rm(keys.file('keys.json')),
      says: /keys\.json does not exist; `countersign keys signing create/,
    },
    {
      name: 'a file in place of the folder',
      args: ['create'],
      spoil: async (keys) => {
        await rm(keys.path, { recursive: true })
        await writeFile(keys.path, '')
      },
      says: /keys is not a folder/,
    },
    {
      name: 'a link to nowhere',
      args: ['create'],
      spoil: async (keys) => {
        await rm(keys.path, { recursive: true })
        await symlink('/nowhere', keys.path)
      },
      says: /keys cannot be changed: ENOENT/,
    },
    {
      name: 'a truncated list',
      args: ['rotate'],
      spoil: async (keys) =>
        await writeFile(
          keys.file('keys.json'),
          (await readFile(keys.file('keys.json'))).subarray(0, 50),
        ),
      says: /keys\.json is not JSON/,
    },
    {
      name: 'a list that is a link, as in a mounted secret',
      args: ['rotate'],
      spoil: async (keys) => {
        await rename(keys.file('keys.json'), keys.file('real'))
        await symlink('real', keys.file('keys.json'))
      },
      says: /keys\.json is a link, as in a mounted Secret/,
    },
    {
      name: 'a folder without write permission',
      args: ['rotate'],
      spoil: (keys) => chmod(keys.path, 0o500),
      says: /keys cannot be changed: EACCES/,
      skip: IS_ROOT,
    },
    {
      name: 'an algorithm that has no key',
      args: ['rotate', '-a', 'RS256'],
      says: /has no RS256 key to rotate; `countersign keys signing create/,
    },
    {
      name: 'to rotate an empty folder',
      args: ['rotate'],
      spoil: (keys) => writeFile(keys.file('keys.json'), '{"version":1,"keys":[]}'),
      says: /has no key to rotate/,
    },
    {
      name: 'an insecure algorithm',
      args: ['create', '-a', 'HS256'],
      says: /must be of ES256, RS256, EdDSA/,
    },
    { name: 'a missing algorithm', args: ['create', '-a', ''], says: /must be of ES256/ },
    {
      name: 'a mode with access for other users',
      args: ['create', '--mode', '0644'],
      says: /must be 0600, 0640, 0400 or 0440/,
    },
    {
      name: 'private keys that a group can write',
      args: ['create', '--mode', '0660'],
      says: /must be 0600, 0640, 0400 or 0440/,
    },
    {
      name: 'an overlap that is too short',
      args: ['rotate', '--overlap', '599s'],
      says: /must be a duration of 10m to 30d; --now needs none/,
    },
    {
      name: 'an overlap that is too long',
      args: ['rotate', '--overlap', '31d'],
      says: /must be a duration of 10m to 30d/,
    },
    {
      name: 'an invalid overlap',
      args: ['rotate', '--overlap', 'soon'],
      says: /must be a duration/,
    },
    {
      name: '--now together with --overlap',
      args: ['rotate', '--overlap', '1h', '--now'],
      says: /cannot be used with option/,
    },
    { name: 'to revoke without a kid', args: ['revoke'], says: /missing required argument 'kid'/ },
    {
      name: 'a kid that is too short',
      args: ['revoke', 'abcdefg'],
      says: /"abcdefg" is too short: name the key by 8 characters/,
    },
    {
      name: 'an unknown kid',
      args: ['revoke', 'abcdefgh'],
      says: /has no key "abcdefgh"; `countersign keys signing show`/,
    },
    {
      name: 'a kid that is a path',
      args: ['revoke', '../keys.json'],
      says: /has no key "\.\.\/keys\.json"/,
    },
    {
      name: 'a kid with an escape sequence',
      args: ['revoke', '\u001b[31mabcdef'],
      says: /has no key "\\u001b\[31mabcdef"/,
    },
  ]
  for (const { name, args, spoil, says, skip = false } of CASES) {
    it(name, { skip }, async () => {
      await using keys = await someKeys('ES256')
      await spoil?.(keys)
      const [command, ...rest] = args
      const { status, stderr, stdout } = await keys.run(command, ...rest)
      await chmod(keys.path, 0o700).catch(() => undefined) // or it could not be removed
      assert.deepEqual([status, stdout], [1, ''])
      assert.match(stderr, says)
      assert.doesNotMatch(stderr, /\bat .*\.ts:\d|BEGIN/)
      const left = await readdir(keys.path).catch((): string[] => [])
      assert.ok(!left.includes('.lock') && left.length <= 3, left.join())
    })
  }
})
