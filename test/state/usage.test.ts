// How much of its room each kind of record takes, as metrics have it.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { stateMetrics } from '../../src/check/state-metrics.ts'
import type { StateSettings } from '../../src/state/settings.ts'
import { temporaryFolder, type TemporaryFolder } from '../servers/temporary.ts'
import { fileSettings, opened as openedState } from './opening.ts'

const LIFETIME = 60_000

const STORES: readonly {
  readonly name: string
  readonly settings: (folder: TemporaryFolder) => StateSettings
}[] = [
  { name: 'memory', settings: () => ({ kind: 'memory' }) },
  { name: 'a state file', settings: (folder) => fileSettings(folder.file('state.db')) },
]

for (const { name, settings } of STORES) {
  describe(`the room in ${name}`, () => {
    it('is counted by kind, and given back', async () => {
      await using folder = await temporaryFolder()
      await using opened = await openedState(settings(folder))
      const metrics = stateMetrics(opened.store)
      const bytesOf = (suffix: string, kind: string): number | undefined => {
        const metric = metrics.find((one) => one.name === `countersign_state_${suffix}`)
        const sample = [...(metric?.read() ?? [])].find(({ labels }) => labels['kind'] === kind)
        return typeof sample?.value === 'number' ? sample.value : undefined
      }
      const { records } = opened.state
      assert.equal(bytesOf('bytes', 'login'), 0)
      const text = 'x'.repeat(10_000)
      await records.put('one', { text, lifetime: LIFETIME, kind: 'login' })
      const one = bytesOf('bytes', 'login') ?? 0
      assert.ok(one >= 10_000, String(one))
      await records.put('two', { text, lifetime: LIFETIME, kind: 'login' })
      assert.equal(bytesOf('bytes', 'login'), 2 * one)
      assert.equal(bytesOf('bytes', 'anonymous'), 0)
      assert.ok((bytesOf('max_bytes', 'login') ?? 0) > 2 * one)
      await records.remove(['one', 'two'])
      assert.equal(bytesOf('bytes', 'login'), 0)
    })
  })
}
