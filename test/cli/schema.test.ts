import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { describe, it } from 'node:test'
import { ROOT } from '../docs/markdown.ts'
import { temporaryFolder } from '../servers/temporary.ts'
import { countersign } from './run.ts'

const committed = async (name: string): Promise<string> =>
  await readFile(`${ROOT}/schema/${name}.schema.json`, 'utf8')

describe('countersign schema', () => {
  it('prints the schema of countersign.yaml', async () => {
    const { status, stdout } = await countersign(['schema'])
    assert.equal(status, 0)
    assert.equal(stdout, await committed('countersign'))
  })

  for (const name of ['countersign', 'signer', 'users', 'audit']) {
    it(`prints the schema of ${name} by name, and writes it`, async () => {
      assert.equal((await countersign(['schema', name])).stdout, await committed(name))
      await using folder = await temporaryFolder()
      const { status } = await countersign(['schema', '--output', folder.file('new')])
      assert.equal(status, 0)
      const written = await readFile(folder.file(`new/${name}.schema.json`), 'utf8')
      assert.equal(written, await committed(name))
    })
  }

  it('refuses an unknown name', async () => {
    const { status, stderr } = await countersign(['schema', 'envoy'])
    assert.equal(status, 1)
    assert.match(stderr, /Allowed choices are countersign, signer, users, audit/)
  })
})
