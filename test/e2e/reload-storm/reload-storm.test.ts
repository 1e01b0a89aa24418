import assert from 'node:assert/strict'
import { readFile, rename, writeFile } from 'node:fs/promises'
import { describe, it } from 'node:test'
import { parse, stringify } from 'yaml'
import { http2On, openHttp2 } from '../../servers/client.ts'
import { skipWithoutEnvoy } from '../../servers/envoy.ts'
import {
  ALICE,
  basic,
  eventually,
  HOST,
  PASSWORDS,
  received,
  startSite,
  type Site,
} from '../site.ts'

const RELOADS = 200
const CALLERS = 8

/** What each caller asks, over and over, and what every configuration of the storm must answer. */
const QUESTIONS = [
  { headers: [ALICE], path: '/a', status: 200 },
  { headers: [ALICE], path: '/secrets/1', status: 403 },
  { headers: [], path: '/a', status: 401 },
  { headers: [basic('bob', PASSWORDS.bob)], path: '/not-bob', status: 403 },
  { headers: [basic('alice', 'wrong')], path: '/a', status: 401 },
] as const

describe('reloads under load', { skip: skipWithoutEnvoy() }, () => {
  it(`${RELOADS} in a row, every third with a broken configuration: no failed and no wrong answer`, async (t) => {
    await using site = await startSite()
    const good = await readFile(site.files.config, 'utf8')
    const storm = new AbortController()
    const callers = Array.from({ length: CALLERS }, () => call(site, storm.signal))
    await reloadOften(site)
    storm.abort()
    const requests = (await Promise.all(callers)).reduce((sum, count) => sum + count, 0)

    t.diagnostic(`${requests} answers during ${RELOADS} reloads`)
    assert.ok(requests >= 1_000, `only ${requests} answers during the storm`)
    assert.equal((await site.events()).length, requests)

    // The last good configuration is the one in force, and a good one is still taken.
    const config = parse(good)
    config.routes[0].authorize = [{ deny: 'closed' }]
    await replace(site.files.config, stringify(config))
    const session = await openHttp2(site.target)
    const status = async (): Promise<number> =>
      (await http2On(session, { host: HOST, headers: [ALICE] })).status
    await eventually(status, (seen) => seen === 403)
    session.destroy()
  })
})

/** Asks until the storm is over; every answer must be right. Resolves with how many there were. */
const call = async (site: Site, signal: AbortSignal): Promise<number> => {
  const session = await openHttp2(site.target)
  let count = 0
  while (!signal.aborted) {
    const question = QUESTIONS[count % QUESTIONS.length] ?? QUESTIONS[0]
    const { path, headers, status } = question
    const answer = await http2On(session, { host: HOST, path, headers })
    assert.equal(answer.status, status, `${path}: ${answer.body}`)
    if (status === 200) assert.deepEqual(received(answer, 'x-remote-user'), ['alice'])
    count += 1
  }
  session.destroy()
  return count
}

const reloadOften = async (site: Site): Promise<void> => {
  const { files, authz } = site
  const good = await readFile(files.config, 'utf8')
  const total = async (): Promise<number> => {
    const { loaded, rejected } = await reloads(site)
    return loaded + rejected
  }
  // A change can be read twice, by SIGHUP and by watching, so the reloads are counted, not the changes.
  for (let round = 1, before = 0; before < RELOADS; round += 1) {
    const text = round % 3 === 0 ? BROKEN[round % BROKEN.length] : `${good}# round ${round}\n`
    await replace(files.config, text ?? '')
    if (round % 2 === 0) authz.signal('SIGHUP') // the other half is noticed by watching
    const seen = before
    before = await eventually(total, (count) => count > seen)
  }
  await replace(files.config, good)
  assert.ok((await reloads(site)).rejected >= RELOADS / 5)
}

const BROKEN = ['version: 1\nroutes: [', 'version: 2\n', '', 'version: 1\nsurprise: true\n']

/** As careful editors and configuration management do it: never a half-written file. */
const replace = async (file: string, text: string): Promise<void> => {
  await writeFile(`${file}.new`, text)
  await rename(`${file}.new`, file)
}

/** The reloads so far, by the audit log: the operational log has ten lines of a kind, and then counts. */
const reloads = async ({ files }: Site): Promise<{ loaded: number; rejected: number }> => {
  const log = await readFile(files.audit, 'utf8')
  return {
    loaded: log.split('"configuration-loaded"').length - 1,
    rejected: log.split('"configuration-rejected"').length - 1,
  }
}
