// Workers that are killed under load, behind a real Envoy.

import assert from 'node:assert/strict'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import type { DecisionEvent } from '../../../src/audit/event.ts'
import { countersign } from '../../cli/run.ts'
import { until } from '../../fakes/until.ts'
import { http2On, openHttp2, valuesOf, type Answer } from '../../servers/client.ts'
import { skipWithoutEnvoy } from '../../servers/envoy.ts'
import { decisionsIn } from '../audit-events.ts'
import { ALICE, HOST, startSite, type Site } from '../site.ts'
import { workerPids } from './worker-processes.ts'

const CALLERS = 8
const KILLS = 6
// Between two deaths: enough to reach both workers.
const REQUESTS_BETWEEN = 200

const DECISION = 'x-countersign-decision'

const TWO_WORKERS = { workers: 2, state: { sqlite: 'state.db' } }

interface Sent extends Answer {
  readonly caller: number
  readonly began: number
  readonly ended: number
}

/** Callers that send one request after the other, until they are stopped. */
class Load {
  readonly answers: Sent[] = []
  readonly #stopped = new AbortController()
  readonly #callers: Promise<unknown>

  constructor(site: Site) {
    const callers = Array.from({ length: CALLERS }, (_, caller) => this.#call(site, caller))
    this.#callers = Promise.all(callers)
  }

  async more(count: number): Promise<void> {
    const wanted = this.answers.length + count
    await until(() => this.answers.length >= wanted)
  }

  async stop(): Promise<void> {
    this.#stopped.abort()
    await this.#callers
  }

  async #call(site: Site, caller: number): Promise<void> {
    const session = await openHttp2(site.target)
    while (!this.#stopped.signal.aborted) {
      const began = performance.now()
      const answer = await http2On(session, { host: HOST, headers: [ALICE] })
      this.answers.push({ ...answer, caller, began, ended: performance.now() })
    }
    session.destroy()
  }
}

/** When a worker was killed, and when it had ended. */
interface Death {
  readonly killed: number
  readonly gone: number
}

/** The audit files of both workers. */
const auditFiles = ({ files: { audit } }: Site): readonly string[] => [
  audit,
  join(audit, '../audit-1.jsonl'),
]

const decisionsOf = async (site: Site): Promise<readonly DecisionEvent[]> =>
  (await Promise.all(auditFiles(site).map(decisionsIn))).flat()

const bothHealthy = async (site: Site): Promise<boolean> =>
  /membership_healthy: 2$/m.test(
    await site.envoy.admin('/stats?filter=countersign_authz.membership_healthy'),
  )

const count = (text: string, what: RegExp): number => [...text.matchAll(what)].length

describe('workers that are killed under load', { skip: skipWithoutEnvoy() }, () => {
  it('are replaced, and no request is decided twice', async (test) => {
    await using site = await startSite({ more: TWO_WORKERS })
    const load = new Load(site)
    await load.more(REQUESTS_BETWEEN)
    const deaths: Death[] = []
    for (let kill = 0; kill < KILLS; kill += 1) {
      await until(async () => await bothHealthy(site), 'Envoy uses both workers')
      const pid = (await workerPids(site.authz.pid)).get(kill % 2) ?? 0
      const killed = performance.now()
      process.kill(pid, 'SIGKILL')
      // Its first thread ends before its last one, which closes its sockets: the supervisor waits for that.
      await until(() => count(site.authz.log, /"worker ended, another one starts"/g) > kill)
      deaths.push({ killed, gone: performance.now() })
      await load.more(REQUESTS_BETWEEN)
      await until(() => count(site.authz.log, /"worker serves again"/g) > kill)
    }
    await load.stop()
    const passed = load.answers.filter(({ status }) => status === 200)
    const refused = load.answers.filter(({ status }) => status !== 200)
    test.diagnostic(`${refused.length} of ${load.answers.length} were refused, ${KILLS} deaths`)
    // Envoy's own answer to a check that was on its way to the worker when it died: it may have been decided, so it is not
    // repeated. Later requests are not refused; the first one of a caller may be what shows its thread of Envoy the death.
    assert.deepEqual(
      refused.filter(({ status }) => status !== 503),
      [],
    )
    const isOf = ({ killed, gone }: Death, { caller, began, ended }: Sent): boolean => {
      if (ended < killed) return false
      const first = load.answers.find((one) => one.caller === caller && one.began > gone)
      return began <= gone || began === first?.began
    }
    assert.deepEqual(
      refused.filter((one) => !deaths.some((death) => isOf(death, one))),
      [],
    )
    const permitted = (await decisionsOf(site)).filter(({ decision }) => decision === 'allow')
    const ids = permitted.map(({ id }) => id)
    assert.equal(new Set(ids).size, ids.length)
    // Every request at the upstream has one permit, which its answer names.
    assert.equal(site.upstream.requests.length, passed.length)
    const named = passed.flatMap((answer) => valuesOf(answer, DECISION))
    assert.equal(new Set(named).size, passed.length)
    assert.deepEqual(
      named.filter((id) => !ids.includes(id)),
      [],
    )
    // And a permit without a request is one whose answer was lost with the worker.
    assert.ok(ids.length - named.length <= refused.length)
    const { status, stderr } = await countersign(['audit', 'verify', ...auditFiles(site)])
    assert.equal(status, 0, stderr)
  })
})
