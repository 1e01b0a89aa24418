// Attempts at the login page, again and again: their audit events, and the outcome of logins while
// it cannot be written.

import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { rename, rm, stat, symlink } from 'node:fs/promises'
import { describe, it } from 'node:test'
import type { Browser, Visit } from '../fakes/browser.ts'
import { authorization, configuration, startSite, type Site } from './authorization-server.ts'

const BURST = 4_096
const YAML = configuration().replace(
  'audit: { file: audit.jsonl }',
  `audit: { file: audit.jsonl, unauthenticated: { source: { burst: ${BURST}, perSecond: 1 } } }`,
)
const ATTEMPTS = 100

const open = async (site: Site): Promise<{ readonly browser: Browser; readonly page: Visit }> => {
  const browser = site.browser()
  const { url } = await authorization(await site.client('spa'))
  return { browser, page: await browser.get(url) }
}

/** Wrong passwords, until far beyond the lock-out; the statuses. */
const guess = async (browser: Browser, page: Visit): Promise<readonly number[]> => {
  const statuses: number[] = []
  for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
    const form = { user: 'bob', password: `no-${attempt}` }
    statuses.push((await browser.submit(page, '/password', form)).status)
  }
  return statuses
}

const countedIn = async (site: Site): Promise<number> => {
  const logins = (await site.audit('login')).filter(({ outcome }) => outcome === 'refused')
  const summaries = await site.audit('refusals-summary')
  return logins.length + summaries.reduce((sum, { logins: count }) => sum + Number(count), 0)
}

describe('a flood of attempts at the login page', () => {
  it('takes a bounded part of the audit log, and each attempt is counted', async () => {
    await using site = await startSite(YAML)
    const { browser, page } = await open(site)
    const statuses = await guess(browser, page)
    assert.ok(statuses.every((status) => status === 403 || status === 429))
    const path = site.folder.file('audit.jsonl')
    const { size } = await stat(path)
    assert.ok(size <= 2 * BURST + 1_000, `${size} bytes`)
    await site.authz.reload() // which writes what was counted
    assert.equal(await countedIn(site), ATTEMPTS)
    assert.ok((await stat(path)).size <= 2 * BURST + 7_000)
  })

  it(
    'logs no user in while the audit log cannot be written, and is still counted',
    { skip: !existsSync('/dev/full') },
    async () => {
      await using site = await startSite(YAML)
      const { browser, page } = await open(site)
      const path = site.folder.file('audit.jsonl')
      await rename(path, `${path}.1`)
      await symlink('/dev/full', path)
      await site.authz.reload()
      const statuses = await guess(browser, page)
      // Those that have no event of their own any more are refused as ever.
      const lost = statuses.filter((status) => status === 503).length
      assert.ok(lost > 0 && lost < ATTEMPTS)
      const right = await browser.submit(page, '/password', {
        user: 'alice',
        password: 'wonderland',
      })
      assert.equal(right.status, 503)
      assert.equal(right.url.searchParams.has('code'), false)
      await rm(path)
      await site.authz.reload() // the summary still goes to the file that is full, and is kept
      await site.authz.reload()
      assert.equal(await countedIn(site), ATTEMPTS - lost)
    },
  )
})
