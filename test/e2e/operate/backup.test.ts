// docs/operate/backup.md: a backup while requests pass, and a restore onto a machine that has nothing else.

import assert from 'node:assert/strict'
import { rm, stat } from 'node:fs/promises'
import { DatabaseSync } from 'node:sqlite'
import { after, before, describe, it } from 'node:test'
import { textOf } from '../../docs/markdown.ts'
import { skipWithoutEnvoy } from '../../servers/envoy.ts'
import { basic, call, Callers, publishedKeys, type Caller } from './callers.ts'
import { isLoggedIn, logIn } from './logins.ts'
import { startOperatedSite, type OperatedSite } from './operated-site.ts'
import { receivedSchema } from './upstream.ts'

const PAGE = 'docs/operate/backup.md'

describe('the page "Back up and restore"', { skip: skipWithoutEnvoy() }, () => {
  let site: OperatedSite
  before(async () => {
    site = await startOperatedSite()
  })
  after(() => site[Symbol.asyncDispose]())

  /** What logins take of the state, by the file's own count (src/state/sqlite/schema.ts). */
  const bytesOfState = (): number => {
    const file = site.machine.path('/var/lib/countersign/authz/state.db')
    const database = new DatabaseSync(file, { readOnly: true })
    const bytes = database.prepare('SELECT bytes FROM usage WHERE kind = 1').get()?.['bytes']
    database.close()
    return Number(bytes)
  }

  it('a login takes as much of the state as the page "Size a deployment" says', async (t) => {
    await logIn(site, 'alice')
    const empty = bytesOfState()
    for (let count = 0; count < 4; count++) await logIn(site, 'alice')
    const kilobytes = (bytesOfState() - empty) / 4 / 1_000
    t.diagnostic(`${kilobytes} KB for each login`)
    const [, written] =
      /login with a session \| ([\d.]+) KB/.exec(textOf('docs/operate/sizing.md')) ?? []
    assert.ok(Math.abs(kilobytes - Number(written)) < 2, `${kilobytes} KB, and not ${written}`)
  })

  it('restores sessions, sign-outs and keys on an empty machine', async () => {
    const { machine } = site
    const alice: Caller = { user: 'alice', headers: basic('alice') }
    const ci: Caller = { user: 'ci', headers: () => ({ 'x-api-key': site.apiKey }) }
    const session = await logIn(site, 'alice')
    const ended = await logIn(site, 'bob')
    await machine.must('countersign sessions end --user bob --config countersign.yaml')
    assert.deepEqual([await isLoggedIn(session), await isLoggedIn(ended)], [true, false])
    const keys = await publishedKeys(site)

    const callers = new Callers(site, [alice, ci])
    await callers.again()
    await machine.follow(PAGE, { part: 'backup' })
    assert.equal(
      (await stat(machine.path('/var/backups/countersign/state.db'))).mode & 0o777,
      0o600,
    )
    await callers.again()
    assert.ok((await callers.end()) > 0)
    const later = await logIn(site, 'alice')

    await machine.must('systemctl stop envoy countersign-authz countersign-signer')
    for (const folder of ['/etc/countersign', '/etc/envoy', '/var/lib', '/var/log', '/run']) {
      await rm(machine.path(folder), { recursive: true })
    }
    for (const folder of ['/etc/countersign', '/run/envoy']) await machine.makeFolder(folder)
    await machine.follow(PAGE, { part: 'restore' })

    assert.deepEqual(
      [await isLoggedIn(session), await isLoggedIn(ended), await isLoggedIn(later)],
      [true, false, false],
      'as at the backup',
    )
    assert.equal(await publishedKeys(site), keys)
    for (const caller of [alice, ci]) {
      const { user, subject, issuer } = receivedSchema.parse(
        JSON.parse((await call(site, caller)).body),
      )
      assert.deepEqual([user, subject, issuer], [caller.user, caller.user, 'Signer CA'])
    }
    await machine.follow(PAGE, { part: 'all' })
    assert.equal(await isLoggedIn(session), false)
  })
})
