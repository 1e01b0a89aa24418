// `countersign state backup`: what it copies, and what it refuses. test/e2e/operate/backup.test.ts restores a copy.

import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { DatabaseSync } from 'node:sqlite'
import { describe, it } from 'node:test'
import { temporaryFolder } from '../servers/temporary.ts'
import { countersign } from './run.ts'

const configured = (state: string): string => `
version: 1
listen: { authz: unix:authz.sock }
state: ${state}
authenticators: { anyone: { anonymous: {} } }
routes: [{ name: app, match: { hosts: [app.example.org] }, authenticate: [anyone], authorize: [{ allow: all }] }]
`

describe('countersign state backup', () => {
  it('copies the file that the configuration names', async () => {
    await using folder = await temporaryFolder()
    const config = folder.file('countersign.yaml')
    await writeFile(config, configured('{ sqlite: state.db }'))
    using database = new DatabaseSync(folder.file('state.db'))
    database.exec('CREATE TABLE t (n INTEGER)')
    const output = folder.file('copy.db')
    const done = await countersign(['state', 'backup', '--config', config, '--output', output])
    assert.equal(done.status, 0, done.stderr)
    assert.match(done.stderr, /copy\.db: \d+ bytes\n$/)
    const again = await countersign(['state', 'backup', '--config', config, '--output', output])
    assert.equal(again.status, 1)
    assert.match(again.stderr, /copy\.db exists already/)
  })

  it('says where state is that is not in a file', async () => {
    await using folder = await temporaryFolder()
    const config = folder.file('countersign.yaml')
    await writeFile(config, configured('{ memory: {} }'))
    const args = ['state', 'backup', '--config', config, '--output', folder.file('copy.db')]
    const { status, stderr } = await countersign(args)
    assert.equal(status, 1)
    assert.match(stderr, /"state" is not a SQLite file\. Back up Redis by its own means/)
  })
})
