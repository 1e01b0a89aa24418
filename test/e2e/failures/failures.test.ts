import assert from 'node:assert/strict'
import { rm, symlink } from 'node:fs/promises'
import { after, before, describe, it } from 'node:test'
import { http1, openHttp2 } from '../../servers/client.ts'
import { skipWithoutEnvoy } from '../../servers/envoy.ts'
import { ALICE, basic, eventually, HOST, startSite, type Site } from '../site.ts'

// A wrong password for a bcrypt user takes long enough (some 200 ms) to be caught in the middle, the
// first time that it is shown.
const SLOW = basic('bob', 'wrong')

describe('failures of authz and of callers', { skip: skipWithoutEnvoy() }, () => {
  let site: Site
  before(async () => (site = await startSite({ edge: { authzTimeout: '4s' } })))
  after(() => site[Symbol.asyncDispose]())

  const statusOf = async (line = ALICE): Promise<number> =>
    (await http1(site.target, { path: '/x', headers: [line] })).status

  /** Waits until so many checks are on their way. */
  const checking = async (count: number): Promise<string> =>
    await eventually(
      () => site.envoy.admin('/stats?filter=^cluster.countersign_authz.upstream_rq_active$'),
      (text) => text.trim().endsWith(`: ${count}`),
    )

  it('1. a caller that disconnects is audited once, and other callers are served', async () => {
    assert.equal(await statusOf(), 200)
    const earlier = (await site.events()).length
    const session = await openHttp2(site.target)
    const stream = session.request({ ':path': '/x', ':authority': HOST, authorization: SLOW[1] })
    stream.on('error', () => undefined)
    await checking(1)
    session.destroy()
    const events = await eventually(
      async () => (await site.events()).slice(earlier),
      ({ length }) => length > 0,
    )
    assert.deepEqual(
      events.map(({ decision, reason }) => [decision, reason]),
      [['deny', 'cancelled']],
    )
    assert.equal(await statusOf(), 200)
    assert.equal((await site.events()).length, earlier + 2)
  })

  it('2. authz killed in the middle of a check: 503, never 200', async () => {
    site.upstream.clear()
    const pending = Promise.all(
      ['wronger', 'wrongest'].map((password) => statusOf(basic('bob', password))),
    )
    await checking(2)
    await site.authz.end('SIGKILL')
    assert.deepEqual(await pending, [503, 503])
    assert.deepEqual(
      await Promise.all(Array.from({ length: 10 }, () => statusOf())),
      Array(10).fill(503),
    )
    assert.equal(site.upstream.requests.length, 0)
  })

  it('3. authz restarted while Envoy runs: recovers without intervention', async () => {
    await site.authz.start()
    const began = performance.now()
    await eventually(statusOf.bind(undefined, ALICE), (status) => status === 200)
    assert.ok(performance.now() - began < 10_000)
  })

  it('4. authz hung: refused at Envoy’s timeout, never forwarded', async () => {
    site.upstream.clear()
    site.authz.signal('SIGSTOP')
    try {
      const began = performance.now()
      assert.equal(await statusOf(), 503)
      assert.ok(performance.now() - began >= 1_000)
      assert.equal(site.upstream.requests.length, 0)
    } finally {
      site.authz.signal('SIGCONT')
    }
    await eventually(statusOf.bind(undefined, ALICE), (status) => status === 200)
  })

  it('5. SIGTERM: requests in progress are answered, then authz ends with status 0', async () => {
    const pending = statusOf(SLOW)
    await checking(1)
    const ended = site.authz.end('SIGTERM')
    assert.equal(await pending, 401)
    assert.equal(await ended, 0)
    assert.equal(await statusOf(), 503)
  })
})

describe('an audit log that cannot be written', { skip: skipWithoutEnvoy() }, () => {
  for (const { onAuditFailure, status } of [
    { onAuditFailure: 'deny', status: 503 },
    { onAuditFailure: 'allow', status: 200 },
  ]) {
    it(`with onAuditFailure: ${onAuditFailure} answers ${status}`, async () => {
      await using site = await startSite({ route: { onAuditFailure } })
      await fillDisk(site)
      const answer = await http1(site.target, { headers: [ALICE] })
      assert.equal(answer.status, status)
      assert.match(site.authz.log, /audit event lost/)
      assert.equal(site.upstream.requests.length, status === 200 ? 1 : 0)
    })
  }
})

/** Puts a file in the audit log's place to which nothing can be written, and lets authz reopen it. */
const fillDisk = async ({ files, authz }: Site): Promise<void> => {
  await rm(files.audit)
  await symlink('/dev/full', files.audit)
  authz.signal('SIGHUP')
  await eventually(
    () => Promise.resolve(authz.log),
    (log) => log.includes('audit event lost'), // that the configuration was reloaded
  )
}
