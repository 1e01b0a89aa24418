// What an audit log counts, and where it shows: metrics, and a warning in the readiness probe.

import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { rm, symlink } from 'node:fs/promises'
import { describe, it } from 'node:test'
import { commonChecks, commonMetrics } from '../../src/audit/metrics.ts'
import { JsonLinesSink } from '../../src/audit/sink.ts'
import { ReloadStatus } from '../../src/config/reload-status.ts'
import { GrpcStatistics } from '../../src/runtime/grpc/statistics.ts'
import { FakeClock } from '../fakes/clock.ts'
import { temporaryFolder } from '../servers/temporary.ts'

const EVENT = { event: 'configuration-loaded', generation: 1, file: 'f' } as const

const partsWith = (audit: JsonLinesSink) => ({
  audit,
  reloads: new ReloadStatus(new FakeClock()),
  grpc: new GrpcStatistics(),
})

const stateOf = (audit: JsonLinesSink): string | undefined =>
  commonChecks(partsWith(audit))
    .find(({ name }) => name === 'audit')
    ?.condition().state

describe('the metrics of an audit log', () => {
  it('count written and waiting events', async () => {
    await using folder = await temporaryFolder()
    using sink = new JsonLinesSink(folder.file('audit.jsonl'))
    const writes = [sink.write(EVENT), sink.write(EVENT)]
    assert.deepEqual(sink.statistics(), { written: 0, lost: 0, waiting: 2, failing: false })
    await Promise.all(writes)
    assert.deepEqual(sink.statistics(), { written: 2, lost: 0, waiting: 0, failing: false })
    assert.equal(stateOf(sink), 'ok')
  })

  it('warn while events are lost', { skip: !existsSync('/dev/full') }, async () => {
    await using folder = await temporaryFolder()
    const path = folder.file('audit.jsonl')
    await symlink('/dev/full', path)
    using sink = new JsonLinesSink(path)
    await Promise.allSettled([sink.write(EVENT), sink.write(EVENT)])
    assert.deepEqual(sink.statistics(), { written: 0, lost: 2, waiting: 0, failing: true })
    assert.equal(stateOf(sink), 'warning')
    await rm(path)
    sink.reopen()
    await sink.write(EVENT)
    assert.deepEqual(sink.statistics(), { written: 1, lost: 2, waiting: 0, failing: false })
    assert.equal(stateOf(sink), 'ok')
    const events = commonMetrics(partsWith(sink)).find(({ name }) => name.includes('events_total'))
    assert.deepEqual(
      [...(events?.read() ?? [])].map(({ value }) => value),
      [1, 2],
    )
  })
})
