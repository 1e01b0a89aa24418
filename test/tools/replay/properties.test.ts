// Checks that were really made and logged, replayed: under the rules that decided nothing changes, and
// under other rules exactly what a check decides otherwise.
//
// Slow: it replays some thousand decisions.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { Replay } from '../../../src/tools/replay/replay.ts'
import { checkedLine } from '../../fakes/audit-lines.ts'
import { FakeClock } from '../../fakes/clock.ts'
import { attributesOf } from '../../fakes/envoy.ts'
import { randomFrom } from '../../fakes/random.ts'
import {
  one,
  outcomeOf,
  randomCaller,
  randomRequest,
  randomRule,
  randomRules,
  replayLine,
  textOf,
  withRules,
} from './replaying.ts'

const SEED = 20_261_125
const POLICIES = 150
const REQUESTS = 25

for (const kind of ['http', 'kubernetes'] as const) {
  describe(`a log of checks on a route of kind ${kind} (seed ${SEED})`, () => {
    it('replayed under the same rules: nothing changes, and every decision is determined', async () => {
      const random = randomFrom(SEED)
      const reasons = new Map<string, number>()
      for (let round = 0; round < POLICIES; round += 1) {
        let who = randomCaller(random)
        const clock = new FakeClock(Date.UTC(2026, 0, 1))
        const query = one(random, ['full', 'names', 'none'] as const)
        const rules = randomRules(random, kind, true)
        const snapshot = withRules(rules, kind, query, () => who, clock)
        const replay = new Replay(snapshot.routes)
        for (let count = 0; count < REQUESTS; count += 1) {
          who = randomCaller(random)
          clock.advance(random(3_600_000))
          const request = attributesOf(randomRequest(random, kind, true))
          const line = await checkedLine(request, snapshot)
          const outcome = outcomeOf(line)
          reasons.set(String(line['reason']), (reasons.get(String(line['reason'])) ?? 0) + 1)
          if (outcome === undefined) continue
          const replayed = replayLine(replay, line)
          const message = JSON.stringify({ line, rules, replayed })
          assert.equal(replayed.outcome, 'same', message)
          assert.deepEqual(replayed.shadows, [], message)
        }
      }
      const wanted = ['permitted', 'rule-denied', 'no-rule', 'rule-failed', 'impersonation']
      for (const reason of [...wanted, 'headers-too-large']) {
        assert.ok((reasons.get(reason) ?? 0) > 20, `${reason}: ${reasons.get(reason)}`)
      }
    })

    it('replayed with one rule changed: what a check decides otherwise, and nothing else', async () => {
      const random = randomFrom(SEED + 1)
      const counts = { same: 0, changed: 0 }
      for (let round = 0; round < POLICIES; round += 1) {
        let who = randomCaller(random)
        const clock = new FakeClock(Date.UTC(2026, 0, 1))
        const rules = randomRules(random, kind, true)
        const at = random(rules.length)
        const others = rules.with(
          at,
          randomRule(random, kind, one(random, [`r${at}`, 'new']), true),
        )
        const [before, after] = [rules, others].map((all) =>
          withRules(all, kind, 'names', () => who, clock),
        )
        assert.ok(before && after)
        const replay = new Replay(after.routes)
        for (let count = 0; count < REQUESTS; count += 1) {
          who = randomCaller(random)
          clock.advance(random(3_600_000))
          const request = attributesOf(randomRequest(random, kind, true))
          const line = await checkedLine(request, before)
          const other = await checkedLine(request, after)
          const then = outcomeOf(line)
          const now = outcomeOf(other)
          assert.equal(then === undefined, now === undefined)
          if (then === undefined || now === undefined) continue
          const replayed = replayLine(replay, line)
          const message = JSON.stringify({ line, other, rules, others, replayed })
          assert.ok(replayed.outcome !== 'undetermined', message)
          assert.equal(textOf(replayed.after), textOf(now), message)
          const wanted = textOf(then) === textOf(now) ? 'same' : 'changed'
          assert.equal(replayed.outcome, wanted, message)
          counts[wanted] += 1
        }
      }
      assert.ok(counts.changed > 100 && counts.same > 100, JSON.stringify(counts))
    })
  })
}

describe(`what is claimed of a log (seed ${SEED})`, () => {
  for (const [kind, other] of [
    ['http', 'http'],
    ['http', 'kubernetes'],
    ['kubernetes', 'http'],
    ['kubernetes', 'kubernetes'],
  ] as const) {
    it(`is what a check decides, whatever the rules look at: ${kind} to ${other}`, async () => {
      const random = randomFrom(SEED + 2)
      const counts = { same: 0, changed: 0, undetermined: 0 }
      for (let round = 0; round < POLICIES; round += 1) {
        let who = randomCaller(random)
        const clock = new FakeClock(Date.UTC(2026, 0, 1))
        const query = one(random, ['full', 'names', 'none'] as const)
        const rules = randomRules(random, other, false)
        const before = withRules([{ allow: 'all' }], kind, query, () => who, clock)
        const after = withRules(rules, other, query, () => who, clock)
        const replay = new Replay(after.routes)
        for (let count = 0; count < REQUESTS; count += 1) {
          who = randomCaller(random)
          clock.advance(random(3_600_000))
          const request = attributesOf(randomRequest(random, 'kubernetes', false))
          const line = await checkedLine(request, before)
          const now = await checkedLine(request, after)
          if (outcomeOf(line) === undefined) continue
          const replayed = replayLine(replay, line)
          counts[replayed.outcome] += 1
          if (replayed.outcome === 'undetermined') continue
          const wanted = outcomeOf(now)
          const text =
            wanted === undefined ? `deny ${String(now['reason'])} undefined` : textOf(wanted)
          const message = JSON.stringify({ line, now, rules, replayed })
          assert.equal(textOf(replayed.after), text, message)
        }
      }
      assert.ok(counts.changed > 100 && counts.undetermined > 100, JSON.stringify(counts))
    })
  }
})
