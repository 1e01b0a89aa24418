// How much of `state` a login takes: docs/operate/state.md and docs/operate/sizing.md count with 20 KB.

import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { describe, it } from 'node:test'
import { MEMORY_QUOTAS } from '../../../src/state/quotas.ts'
import { scrape, seriesOf } from '../../fakes/scraping.ts'
import { startSite } from '../authorization-server.ts'
import { loggedIn, sessionOn, withSessions } from './browsing.ts'

const FIREFOX = 'Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0'
const LOGINS = 5

describe('a login with a session', () => {
  it('takes 20 KB of memory, as the pages say', async () => {
    const text = withSessions().replace('listen: {', 'listen: { admin: "127.0.0.1:0",')
    await using site = await startSite(text)
    const bytes = async (): Promise<number> =>
      seriesOf(await scrape(site.authz.admin), 'countersign_state_bytes')['kind=login'] ?? 0
    const empty = await bytes()
    for (let count = 0; count < LOGINS; count += 1) {
      const { browser } = await loggedIn(site, undefined, { 'user-agent': FIREFOX })
      await sessionOn(browser)
    }
    const each = ((await bytes()) - empty) / LOGINS
    assert.ok(each > 17_000 && each < 21_000, String(each))
    const page = readFileSync(
      resolve(import.meta.dirname, '../../../docs/operate/state.md'),
      'utf8',
    )
    const [, room = ''] = /some ([\d,]+) with a session on one route/.exec(page) ?? []
    const said = Number(room.replace(',', ''))
    const fits = MEMORY_QUOTAS.login.bytes / each
    assert.ok(said > 0.9 * fits && said < 1.1 * fits, `${said} on the page, ${fits} measured`)
  })
})
