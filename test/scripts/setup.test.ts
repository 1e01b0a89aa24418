// Slow: npm starts.
// `npm run countersign` and `npm run cluster` run where the user is.

import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { readdir } from 'node:fs/promises'
import { resolve } from 'node:path'
import { describe, it } from 'node:test'
import { skipWithoutApiServer } from '../servers/kube-apiserver.ts'
import { temporaryFolder } from '../servers/temporary.ts'

const ROOT = resolve(import.meta.dirname, '../..')

describe('npm run countersign', () => {
  it('takes paths from the folder in which npm is called', async () => {
    await using folder = await temporaryFolder()
    const args = ['run', '--silent', '--prefix', ROOT, 'countersign', '--', 'schema', '-o', 'made']
    const { status, stderr } = spawnSync('npm', args, { cwd: folder.path, encoding: 'utf8' })
    assert.equal(status, 0, stderr)
    assert.ok((await readdir(folder.file('made'))).includes('countersign.schema.json'))
  })
})

describe('npm run cluster', { skip: skipWithoutApiServer() }, () => {
  it('makes its folder where npm is called', async () => {
    await using folder = await temporaryFolder()
    const script = ['run', 'cluster', '--prefix', ROOT, '--', 'made', '--', '--no-such-flag']
    const { status, stderr } = spawnSync('npm', script, { cwd: folder.path, encoding: 'utf8' })
    assert.equal(status, 1)
    assert.match(stderr, /unknown flag: --no-such-flag/)
    assert.ok((await readdir(folder.file('made'))).includes('admin.kubeconfig'))
  })
})
