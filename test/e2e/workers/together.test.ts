// What all workers do together: reloads, metrics, health, `countersign debug`, and their end.

import assert from 'node:assert/strict'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { parse, stringify } from 'yaml'
import { z } from 'zod'
import { get } from '../../../src/envoy/admin.ts'
import { countersign } from '../../cli/run.ts'
import { until } from '../../fakes/until.ts'
import { http1, http2On, openHttp2 } from '../../servers/client.ts'
import { skipWithoutEnvoy } from '../../servers/envoy.ts'
import { auditEventsIn, decisionsIn } from '../audit-events.ts'
import { BackgroundCommand } from '../background-command.ts'
import { ALICE, eventually, HOST, startSite, type Site } from '../site.ts'
import { untilGone, workerPids } from './worker-processes.ts'

const MORE = { workers: 2, state: { sqlite: 'state.db' } }
const ADMIN = 'unix:authz-admin.sock'
const ROOT = join(import.meta.dirname, '../../..')

const fileOf = ({ files: { config } }: Site, name: string): string => join(config, '..', name)

const page = async (site: Site, path: string): Promise<{ status: number; body: string }> => {
  const address = { kind: 'unix', path: fileOf(site, 'authz-admin.sock') } as const
  return await get(address, path, { signal: AbortSignal.timeout(10_000), largest: 1_000_000 })
}

const send = async (site: Site, count: number): Promise<void> => {
  const session = await openHttp2(site.target)
  for (let sent = 0; sent < count; sent += 1) {
    const answer = await http2On(session, { host: HOST, headers: [ALICE] })
    assert.equal(
      answer.status,
      200,
      `${JSON.stringify(answer)} ${site.envoy.log()} ${site.authz.log}`,
    )
  }
  session.destroy()
}

/** Sends until both workers have decided something, and gives how much each has. */
const sendToBoth = async (site: Site): Promise<readonly number[]> => {
  const decided = async (): Promise<readonly number[]> => {
    const files = [site.files.audit, fileOf(site, 'audit-1.jsonl')]
    return (await Promise.all(files.map(decisionsIn))).map((events) => events.length)
  }
  await until(async () => {
    await send(site, 20)
    return (await decided()).every((count) => count > 0)
  })
  return await decided()
}

const rulesOf = (text: string): Record<string, unknown> => {
  const config = z.looseObject({ routes: z.array(z.looseObject({})) }).parse(parse(text))
  const routes = config.routes.map((route) => ({ ...route, authorize: [{ deny: 'closed' }] }))
  return { ...config, routes }
}

const eventsOf = async (site: Site, event: string): Promise<readonly number[]> => {
  const files = [site.files.audit, fileOf(site, 'audit-1.jsonl')]
  const all = await Promise.all(files.map(auditEventsIn))
  return all.map((events) => events.filter((one) => one.event === event).length)
}

describe('workers together', { skip: skipWithoutEnvoy() }, () => {
  it('have one page of metrics with the sums, and one of health', async () => {
    await using site = await startSite({ more: MORE, admin: ADMIN })
    const decided = await sendToBoth(site)
    const { body } = await page(site, '/metrics')
    const total = /^countersign_decisions_total\{[^}]*decision="allow"[^}]*\} (\d+)$/m.exec(
      body,
    )?.[1]
    assert.equal(
      Number(total),
      decided.reduce((sum, count) => sum + count, 0),
    )
    const workers = [...body.matchAll(/^process_resident_memory_bytes\{worker="(\w+)"\}/gm)]
    assert.deepEqual(new Set(workers.map(([, name]) => name)), new Set(['0', '1', 'supervisor']))
    assert.match(body, /^countersign_workers_running 2$/m)
    const ready = await page(site, '/readyz?verbose')
    assert.equal(ready.status, 200)
    assert.match(ready.body, /^\[\+\]workers ok$/m)
  })

  it('keep what an ended worker has counted, and warn while it is missing', async () => {
    await using site = await startSite({ more: MORE, admin: ADMIN })
    const decided = await sendToBoth(site)
    const sum = decided.reduce((one, other) => one + other, 0)
    await page(site, '/metrics')
    const pid = (await workerPids(site.authz.pid)).get(1) ?? 0
    process.kill(pid, 'SIGKILL')
    await untilGone(pid)
    const { status, body } = await page(site, '/readyz')
    assert.equal(status, 200, body) // one serves
    const after = (await page(site, '/metrics')).body
    const allowed = /^countersign_decisions_total\{[^}]*decision="allow"[^}]*\} (\d+)$/m.exec(after)
    assert.equal(Number(allowed?.[1]), sum)
    await eventually(
      async () => (await page(site, '/metrics')).body,
      (text) => /^countersign_worker_replacements_total 1$/m.test(text),
    )
  })

  it('reject a configuration together, and load one together', async () => {
    await using site = await startSite({ more: MORE, admin: ADMIN })
    const before = await readFile(site.files.config, 'utf8')
    await writeFile(site.files.config, `${before}\nnothing: 1\n`)
    site.authz.signal('SIGHUP') // watching may be out of the system's instances
    await until(() => site.authz.log.includes('configuration rejected by all workers'))
    assert.match(site.authz.log, /"msg":"configuration rejected by all workers, the previous one/)
    assert.deepEqual(await eventsOf(site, 'configuration-rejected'), [1, 1])
    assert.match((await page(site, '/readyz?verbose')).body, /^\[!\]config warning/m)
    await send(site, 20)
    await writeFile(site.files.config, stringify(rulesOf(before)))
    site.authz.signal('SIGHUP')
    await until(() => site.authz.log.includes('configuration loaded by all workers'))
    const session = await openHttp2(site.target)
    for (let sent = 0; sent < 20; sent += 1) {
      assert.equal((await http2On(session, { host: HOST, headers: [ALICE] })).status, 403)
    }
    session.destroy()
    assert.match((await page(site, '/readyz?verbose')).body, /^\[\+\]config ok$/m)
  })

  it('leave a worker that hangs', async () => {
    await using site = await startSite({ more: MORE })
    await sendToBoth(site)
    const pid = (await workerPids(site.authz.pid)).get(0) ?? 0
    process.kill(pid, 'SIGSTOP')
    try {
      await until(
        async () =>
          /membership_healthy: 1$/m.test(
            await site.envoy.admin('/stats?filter=countersign_authz.membership_healthy'),
          ),
        'Envoy has left the worker',
      )
      await send(site, 20)
    } finally {
      process.kill(pid, 'SIGCONT')
    }
  })

  it('show their checks to one follower', async () => {
    const listen = { authz: 'unix:authz.sock', debug: 'unix:debug.sock' }
    await using site = await startSite({ more: { ...MORE, listen } })
    const socket = `unix:${fileOf(site, 'debug.sock')}`
    const command = `${process.execPath} src/countersign.ts debug --socket ${socket} --json`
    await using follower = new BackgroundCommand(command, ROOT)
    await until(() => /checks are followed[\s\S]*checks are followed/.test(site.authz.log))
    const decided = await sendToBoth(site)
    const sum = decided.reduce((one, other) => one + other, 0)
    await until(() => follower.output.split('"at":').length > sum)
  })

  it('end with their supervisor, however it ends', async () => {
    await using site = await startSite({ more: MORE })
    await send(site, 1)
    const pids = [...(await workerPids(site.authz.pid)).values()]
    assert.equal(pids.length, 2)
    await site.authz.end('SIGKILL')
    for (const pid of pids) await untilGone(pid)
    await site.authz.start()
    await eventually(
      async () => (await http1(site.target, { headers: [ALICE] })).status,
      (status) => status === 200,
    )
    const next = [...(await workerPids(site.authz.pid)).values()]
    assert.equal(await site.authz.end('SIGTERM'), 0)
    for (const pid of next) await untilGone(pid)
    const files = [site.files.audit, fileOf(site, 'audit-1.jsonl')]
    const { status, stderr } = await countersign(['audit', 'verify', ...files])
    assert.equal(status, 0, stderr)
  })
})
