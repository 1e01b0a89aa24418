// What log and audit log say of a reload.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { setImmediate } from 'node:timers/promises'
import { KeySets } from '../../src/authenticate/token/key-sets.ts'
import { reloadReports } from '../../src/check/reload-reports.ts'
import type { Snapshot } from '../../src/check/snapshot.ts'
import { ConfigurationError } from '../../src/config/problem.ts'
import type { Config } from '../../src/config/schema.ts'
import { MemoryAudit } from '../fakes/audit-sink.ts'
import { FakeClock } from '../fakes/clock.ts'
import { memoryLogger } from '../fakes/logger.ts'
import { snapshotOf } from '../fakes/snapshot.ts'

const FILE = '/etc/countersign.yaml'

const setUp = () => {
  const audit = new MemoryAudit()
  const { logger, lines } = memoryLogger()
  const keySets = new KeySets(new FakeClock(), logger)
  return { audit, logger, lines, reports: reloadReports(FILE, { audit, logger, keySets }) }
}

const withConfig = (changes: Partial<Config>): Snapshot => {
  const snapshot = snapshotOf([])
  return { ...snapshot, config: { ...snapshot.config, ...changes } }
}

const before = { value: withConfig({}), generation: 1 }

describe('a configuration that came into force', () => {
  it('is audited and logged', () => {
    const { audit, lines, reports } = setUp()
    reports.onLoaded({ value: withConfig({}), generation: 2 }, before)
    assert.deepEqual(audit.events, [{ event: 'configuration-loaded', generation: 2, file: FILE }])
    assert.equal(lines.length, 1)
    assert.match(lines[0] ?? '', /"generation":2.*configuration loaded/)
  })

  it('sets the level of the log', () => {
    const { logger, reports } = setUp()
    reports.onLoaded({ value: withConfig({ log: { level: 'error' } }), generation: 2 }, before)
    assert.equal(logger.level, 'error')
  })

  it('says which changes need a restart', () => {
    const { lines, reports } = setUp()
    const { listen } = before.value.config
    const value = withConfig({
      listen: { authz: { ...listen.authz, mode: '0600' } },
      audit: { query: 'none', file: '/var/log/audit.jsonl' },
    })
    reports.onLoaded({ value, generation: 2 }, before)
    assert.match(lines.join(), /"keys":\["listen","audit\.file"\].*after a restart/)
  })
})

describe('a configuration that was refused', () => {
  it('is audited and logged with every problem', () => {
    const { audit, lines, reports } = setUp()
    const cause = new ConfigurationError([
      { file: FILE, position: { line: 2, column: 3 }, path: 'a.b', message: 'unknown key' },
      { file: '/etc/users.yaml', path: '', message: 'holds no users' },
    ])
    reports.onRejected(cause, before)
    const problems = [`${FILE}:2:3: a.b: unknown key`, '/etc/users.yaml: holds no users']
    assert.deepEqual(audit.events, [
      { event: 'configuration-rejected', generation: 1, file: FILE, problems },
    ])
    assert.match(lines.join(), /configuration rejected, the last good one stays/)
  })

  for (const cause of [new Error('a bug'), 'a bug']) {
    it(`by ${typeof cause === 'string' ? 'something thrown' : 'an error'} is told all the same`, () => {
      const { audit, reports } = setUp()
      reports.onRejected(cause, before)
      const problems = ['a bug']
      assert.deepEqual(audit.events, [
        { event: 'configuration-rejected', generation: 1, file: FILE, problems },
      ])
    })
  }
})

describe('an audit log that is full', () => {
  it('does not stop a reload, and the event is in the log', async () => {
    const { audit, lines, reports } = setUp()
    audit.full = true
    reports.onLoaded({ value: withConfig({}), generation: 2 }, before)
    reports.onRejected(new Error('x'), before)
    await setImmediate() // the reports wait for nobody
    assert.equal(lines.filter((line) => line.includes('audit event lost')).length, 2)
  })
})
