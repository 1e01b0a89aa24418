// docs/operate/rotate-secrets.md, done on real processes: the secrets that Countersign shares with callers.

import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { after, before, describe, it } from 'node:test'
import { until } from '../../fakes/until.ts'
import { skipWithoutEnvoy } from '../../servers/envoy.ts'
import { basic, call, Callers, type Caller } from './callers.ts'
import { isLoggedIn, logIn } from './logins.ts'
import { startOperatedSite, type OperatedSite } from './operated-site.ts'

const PAGE = 'docs/operate/rotate-secrets.md'

describe('the page "Rotate secrets"', { skip: skipWithoutEnvoy() }, () => {
  let site: OperatedSite
  before(async () => {
    site = await startOperatedSite()
  })
  after(() => site[Symbol.asyncDispose]())

  /** Changes a file of the configuration, as an editor does. */
  const edit = async (file: string, change: (text: string) => string): Promise<void> => {
    const old = await readFile(site.machine.path(`/etc/countersign/${file}`), 'utf8')
    const changed = change(old)
    assert.notEqual(changed, old)
    await site.machine.write(`/etc/countersign/${file}.new`, changed)
    await site.machine.must(`mv ${file}.new ${file}`)
  }

  it('replaces an API key: no request fails, and the old key is refused at the end', async () => {
    const { machine, apiKey } = site
    let key = apiKey
    const ci: Caller = { user: 'ci', headers: () => ({ 'x-api-key': key }) }
    const callers = new Callers(site, [ci])
    await callers.again()
    const give = async (): Promise<void> => {
      // What the page's command has printed is known to its reader alone: another one, for this caller.
      const printed = await machine.must(
        'countersign keys api --user ci --id ci-test --file api-keys.yaml',
      )
      const [next = ''] = /csk_\S+/.exec(printed) ?? []
      const renewed: Caller = { user: 'ci', headers: () => ({ 'x-api-key': next }) }
      await until(async () => (await call(site, renewed)).status === 200)
      key = next
      await callers.again()
      await edit('api-keys.yaml', (text) =>
        text.replace('  ci-2026:\n', '  ci-2026:\n    disabled: true\n'),
      )
    }
    await machine.follow(PAGE, { part: 'api', edits: { disable: give } })
    await callers.again()
    await callers.end()
    const old: Caller = { user: 'ci', headers: () => ({ 'x-api-key': apiKey }) }
    await until(async () => (await call(site, old)).status === 401)
    assert.equal((await call(site, ci)).status, 200)
  })

  it('replaces the password of a user, and ends the logins', async () => {
    const session = await logIn(site, 'bob')
    assert.equal(await isLoggedIn(session), true)
    const change = async (): Promise<void> => {
      const hash = /\$argon2id\S+/.exec(
        await site.machine.must("printf 'a new password' | countersign hash-password"),
      )?.[0]
      assert.ok(hash !== undefined)
      await edit('users.yaml', (text) => text.replace(/(?<=bob: \{ password: ")[^"]+/, () => hash))
      const renewed: Caller = {
        user: 'bob',
        headers: () => ({
          authorization: `Basic ${Buffer.from('bob:a new password').toString('base64')}`,
        }),
      }
      await until(async () => (await call(site, renewed)).status === 200)
    }
    await site.machine.follow(PAGE, { part: 'user', edits: { password: change } })
    assert.equal(await isLoggedIn(session), false)
    const old: Caller = { user: 'bob', headers: basic('bob') }
    assert.equal((await call(site, old)).status, 401)
  })
})
