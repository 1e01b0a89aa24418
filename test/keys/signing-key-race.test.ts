// A private key that is swapped while it is read: its mode is judged by the file that was read, not by
// what is at its path a moment later.

import assert from 'node:assert/strict'
import { chmod, copyFile, rename, rm, symlink, writeFile } from 'node:fs/promises'
import { test } from 'node:test'
import { ConfigurationFiles } from '../../src/config/files.ts'
import { readSigningKeys, signingKeyFile } from '../../src/keys/signing-key-folder.ts'
import { writeSigningKeys } from '../fakes/signing-key-files.ts'
import { madeKey } from '../fakes/signing-keys.ts'
import { temporaryFolder } from '../servers/temporary.ts'
import { HOUR, START } from './lists.ts'

const ROUNDS = 400

test('a key that every user can read is refused, though its path leads to another meanwhile', async () => {
  await using folder = await temporaryFolder()
  const key = await madeKey('ES256', START)
  await writeSigningKeys(folder.path, [key])
  const path = signingKeyFile(folder.path, key.entry.kid)
  // The key that belongs to the list may be read by all; the private file holds no key.
  const [exposed, empty] = [folder.file('exposed'), folder.file('empty')]
  await copyFile(path, exposed)
  await rm(path)
  await writeFile(empty, 'no key', { mode: 0o600 })
  await chmod(exposed, 0o644)
  const over = new AbortController()
  const swapper = (async () => {
    for (let round = 0; !over.signal.aborted; round++) {
      await symlink(round % 2 === 0 ? exposed : empty, folder.file('next'))
      await rename(folder.file('next'), path)
    }
  })()
  const outcomes = new Set<string>()
  for (let round = 0; round < ROUNDS; round++) {
    const outcome = await readSigningKeys(folder.path, new ConfigurationFiles(), START + HOUR).then(
      () => 'read',
      (cause: unknown) => (cause instanceof Error ? cause.message.replace(/^\S+ /, '') : ''),
    )
    outcomes.add(outcome.slice(0, 20))
  }
  over.abort()
  await swapper
  assert.ok(!outcomes.has('read'), [...outcomes].join('; '))
  assert.ok(outcomes.size > 1, 'it was swapped meanwhile')
})
