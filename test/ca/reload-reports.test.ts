// What log and audit log say of a reload of the signer.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { signerReloadReports } from '../../src/ca/reload-reports.ts'
import type { SignerConfig } from '../../src/ca/schema.ts'
import { MemoryAudit } from '../fakes/audit-sink.ts'
import { makeGrantKey } from '../fakes/grant.ts'
import { memoryLogger } from '../fakes/logger.ts'
import { signerSnapshot } from './issuing.ts'

const FILE = '/etc/signer.yaml'
const snapshot = signerSnapshot([makeGrantKey()], {})
const before = { value: snapshot, generation: 1 }

const reload = (changes: Partial<SignerConfig>) => {
  const audit = new MemoryAudit()
  const { logger, lines } = memoryLogger()
  const value = { ...snapshot, config: { ...snapshot.config, ...changes } }
  const reports = signerReloadReports(FILE, audit, logger)
  reports.onLoaded({ value, generation: 2 }, before)
  return { audit, logger, lines: lines.join('') }
}

describe('a reload of the signer', () => {
  it('is an audit event and a line of the log', () => {
    const { audit, lines } = reload({})
    assert.deepEqual(audit.events, [{ event: 'configuration-loaded', generation: 2, file: FILE }])
    assert.match(lines, /configuration loaded/)
    assert.doesNotMatch(lines, /restart/)
  })

  it('sets the configured log level', () => {
    assert.equal(reload({ log: { level: 'warn' } }).logger.level, 'warn')
  })

  it('names the changes that need a restart', () => {
    const { lines } = reload({
      listen: { ...snapshot.config.listen, mode: '0600' },
      admin: { address: { kind: 'unix', path: '/run/admin.sock' }, mode: '0600' },
      audit: { ...snapshot.config.audit, file: '/var/log/issued.jsonl' },
    })
    assert.match(lines, /"keys":\["listen","admin","audit\.file"\].*after a restart/)
  })
})
