// The comparison of clocks.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { ClockComparison } from '../../../src/tools/doctor/clock.ts'

const NOW = 1_800_000_000_000

describe('the clock of this machine', () => {
  const CASES = [
    { name: 'the same second', time: NOW, outcome: 'ok', says: /^within 1 s of a$/ },
    { name: 'the end of the second', time: NOW - 999, outcome: 'ok', says: /^within 1 s of a$/ },
    { name: 'four seconds later', time: NOW + 4_000, outcome: 'ok', says: /^within 5 s of a$/ },
    { name: 'ten seconds later', time: NOW + 10_000, outcome: 'warning', says: /^10 s behind a$/ },
    {
      name: 'ten seconds earlier',
      time: NOW - 11_000,
      outcome: 'warning',
      says: /^10 s ahead of a$/,
    },
    { name: 'a minute later', time: NOW + 60_000, outcome: 'error', says: /^60 s behind a$/ },
    { name: 'no date', time: Number.NaN, outcome: 'skipped', says: /no queried server/ },
  ] as const
  for (const { name, time, outcome, says } of CASES) {
    it(`is compared with a server that has ${name}`, () => {
      const comparison = new ClockComparison(() => NOW)
      comparison.note('a', time, NOW)
      const finding = comparison.finding()
      assert.equal(finding.outcome, outcome)
      assert.match(finding.message, says)
    })
  }

  it('is not wrong because an answer took long', () => {
    const comparison = new ClockComparison(() => NOW + 60_000)
    comparison.note('a', NOW + 30_000, NOW)
    assert.equal(comparison.finding().outcome, 'ok')
  })

  it('is judged by the server that differs most', () => {
    const comparison = new ClockComparison(() => NOW)
    for (const [source, time] of [
      ['a', NOW],
      ['b', NOW - 90_000],
      ['c', NOW],
    ] as const) {
      comparison.note(source, time, NOW)
    }
    assert.match(comparison.finding().message, /ahead of b$/)
  })
})
