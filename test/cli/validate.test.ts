// `countersign validate`: valid or every problem.

import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { describe, it } from 'node:test'
import { cheapHash } from '../fakes/hashes.ts'
import { temporaryFolder, type TemporaryFolder } from '../servers/temporary.ts'
import { countersign, type Result } from './run.ts'
import { MINIMAL_CONFIGURATION } from '../fakes/minimal-configuration.ts'

const validate = async (
  folder: TemporaryFolder,
  text: string,
  users: string,
  ...more: readonly string[]
): Promise<Result> => {
  await writeFile(folder.file('countersign.yaml'), text)
  await writeFile(folder.file('users.yaml'), users)
  return await countersign(['validate', '--config', folder.file('countersign.yaml'), ...more])
}

describe('countersign validate', { concurrency: true }, () => {
  it('accepts a valid configuration', async () => {
    await using folder = await temporaryFolder()
    const users = `users: { alice: { password: '${await cheapHash('secret')}' } }`
    const { status, stdout, stderr } = await validate(folder, MINIMAL_CONFIGURATION, users)
    assert.deepEqual([status, stderr], [0, ''])
    assert.match(stdout, /countersign\.yaml is valid: 1 route, 2 files read\n$/)
  })

  it('warns about valid settings that are probably mistakes, and fails for them with --strict', async () => {
    await using folder = await temporaryFolder()
    const users = `users: { alice: { password: '${await cheapHash('secret')}' } }`
    const rules =
      '[{ deny: no-secrets, verbs: [get, list, watch], resources: [secrets] }, { allow: all }]'
    const text = MINIMAL_CONFIGURATION.replace('name: app', 'name: app, kind: kubernetes').replace(
      '[{ allow: all }]',
      rules,
    )
    const warned = await validate(folder, text, users)
    assert.equal(warned.status, 0)
    assert.match(warned.stdout, /countersign\.yaml is valid: 1 route, 2 files read\n$/)
    assert.match(
      warned.stderr,
      /\/countersign\.yaml:5:\d+: warning: routes\[0\]\.authorize\[0\]\.verbs: "no-secrets" denies reading, and "all" allows .*: patch, delete, deletecollection\. .*\n$/,
    )
    const strict = await validate(folder, text, users, '--strict')
    assert.deepEqual([strict.status, strict.stderr], [1, warned.stderr])
    assert.equal((await validate(folder, MINIMAL_CONFIGURATION, users, '--strict')).status, 0)
  })

  it('lists every problem of a configuration, with file, line and column', async () => {
    await using folder = await temporaryFolder()
    const text = `${MINIMAL_CONFIGURATION.replace('unix:authz.sock', 'nonsense').replace('verify:', 'verfy:')}\nmore: 1\n`
    const { status, stdout, stderr } = await validate(folder, text, '')
    assert.deepEqual([status, stdout], [1, ''])
    const lines = stderr.replaceAll(folder.path, '').trimEnd().split('\n')
    assert.deepEqual(lines.toSorted(), [
      '/countersign.yaml:3:11: listen.authz: must be "unix:PATH" or "HOST:PORT"',
      '/countersign.yaml:4:37: authenticators.staff.basic.verfy: unknown key; did you mean "verify"?',
      '/countersign.yaml:7:1: more: unknown key',
      '3 problems found.',
    ])
  })

  it('lists every problem of the files of the configuration', async () => {
    await using folder = await temporaryFolder()
    const users = 'users:\n  alice: { password: plain }\n  bob: { password: plain, group: x }\n'
    const first = await validate(folder, MINIMAL_CONFIGURATION, users)
    assert.equal(first.status, 1)
    assert.match(
      first.stderr,
      /\/users\.yaml:3:27: users\.bob\.group: unknown key; did you mean "groups"\?\n1 problem found/,
    )
    const second = await validate(folder, MINIMAL_CONFIGURATION, users.replace(', group: x', ''))
    assert.match(
      second.stderr,
      /alice\.password: is a plain .*\n.*bob\.password: is a plain .*\n2 problems found/,
    )
    assert.doesNotMatch(second.stderr, /\bat .*\.ts:\d/)
  })

  it('reports missing TLS files, as a start would', async () => {
    await using folder = await temporaryFolder()
    const users = `users: { alice: { password: '${await cheapHash('secret')}' } }`
    const tls = "{ address: '127.0.0.1:0', tls: { certificate: c, key: 'file:k', clientCa: a } }"
    const { status, stderr } = await validate(
      folder,
      MINIMAL_CONFIGURATION.replace('unix:authz.sock', tls),
      users,
    )
    assert.equal(status, 1)
    for (const name of ['c', 'k', 'a']) assert.match(stderr, new RegExp(`/${name} does not exist`))
  })

  it('says what to do about a missing file', async () => {
    const { status, stderr } = await countersign(['validate', '-c', '/nonexistent/x.yaml'])
    assert.equal(status, 1)
    assert.equal(stderr, 'countersign: /nonexistent/x.yaml does not exist\n')
  })
})
