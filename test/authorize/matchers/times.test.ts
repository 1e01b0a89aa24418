// The time of a request.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { TimeConfig } from '../../../src/authorize/schema.ts'
import { decide } from '../../fakes/decide.ts'

const WEEKDAYS: TimeConfig['days'] = ['mon', 'tue', 'wed', 'thu', 'fri']

interface Case {
  readonly name: string
  readonly times: readonly Partial<TimeConfig>[]
  readonly yes: readonly string[]
  readonly no: readonly string[]
}

const CASES: readonly Case[] = [
  {
    name: 'office hours, from the first instant and before the last',
    times: [{ days: WEEKDAYS, from: '08:00', to: '18:00' }],
    // 2026-01-05 is a Monday.
    yes: ['2026-01-05T08:00:00Z', '2026-01-09T17:59:59.999Z'],
    no: [
      '2026-01-05T07:59:59.999Z',
      '2026-01-05T18:00:00Z',
      '2026-01-10T12:00:00Z',
      '2026-01-11T12:00:00Z',
    ],
  },
  {
    name: 'lists days only',
    times: [{ days: ['sun'] }],
    yes: ['2026-01-11T00:00:00Z', '2026-01-11T23:59:59Z'],
    no: ['2026-01-10T23:59:59Z', '2026-01-12T00:00:00Z'],
  },
  {
    name: 'hours to the end of the day',
    times: [{ from: '22:00', to: '24:00' }],
    yes: ['2026-01-05T22:00:00Z', '2026-01-05T23:59:59Z'],
    no: ['2026-01-05T00:00:00Z', '2026-01-05T21:59:00Z'],
  },
  {
    name: 'hours over midnight',
    times: [{ from: '22:00', to: '06:00' }],
    yes: [
      '2026-01-05T22:00:00Z',
      '2026-01-05T23:59:00Z',
      '2026-01-06T00:00:00Z',
      '2026-01-06T05:59:00Z',
    ],
    no: ['2026-01-05T21:59:00Z', '2026-01-06T06:00:00Z', '2026-01-06T12:00:00Z'],
  },
  {
    name: 'hours over midnight, by the day on which they began',
    times: [{ days: ['fri'], from: '22:00', to: '06:00' }],
    yes: ['2026-01-09T22:00:00Z', '2026-01-10T05:59:00Z'],
    no: ['2026-01-09T05:59:00Z', '2026-01-10T22:00:00Z', '2026-01-11T05:59:00Z'],
  },
  {
    name: 'hours over midnight from Sunday to Monday',
    times: [{ days: ['sun'], from: '22:00', to: '06:00' }],
    yes: ['2026-01-11T22:00:00Z', '2026-01-12T05:59:00Z'],
    no: ['2026-01-11T05:59:00Z', '2026-01-12T06:00:00Z'],
  },
  {
    name: 'hours and days in a time zone',
    times: [{ days: ['mon'], from: '00:00', to: '09:00', timeZone: 'Asia/Tokyo' }],
    yes: ['2026-01-04T15:00:00Z', '2026-01-04T23:59:59Z'], // Monday, 00:00 to 08:59 in Tokyo
    no: ['2026-01-04T14:59:59Z', '2026-01-05T00:00:00Z'],
  },
  {
    name: 'hours in a time zone with half an hour',
    times: [{ from: '12:00', to: '13:00', timeZone: 'Asia/Kolkata' }],
    yes: ['2026-01-05T06:30:00Z', '2026-01-05T07:29:59Z'],
    no: ['2026-01-05T06:29:59Z', '2026-01-05T07:30:00Z'],
  },
  {
    // 2026-03-29: from 02:00 to 03:00 the clocks of Vienna show nothing.
    name: 'hours on the day when clocks go forward',
    times: [{ from: '02:00', to: '04:00', timeZone: 'Europe/Vienna' }],
    yes: ['2026-03-29T01:00:00Z', '2026-03-29T01:59:00Z'], // 03:00 and 03:59
    no: ['2026-03-29T00:59:00Z', '2026-03-29T02:00:00Z'], // 01:59 and 04:00
  },
  {
    name: 'an hour that does not exist on the day when clocks go forward',
    times: [{ days: ['sun'], from: '02:00', to: '03:00', timeZone: 'Europe/Vienna' }],
    yes: ['2026-03-22T01:30:00Z'],
    no: [
      '2026-03-29T00:30:00Z',
      '2026-03-29T00:59:59Z',
      '2026-03-29T01:00:00Z',
      '2026-03-29T01:30:00Z',
    ],
  },
  {
    // 2026-10-25: from 02:00 to 03:00 they show everything twice.
    name: 'an hour that exists twice on the day when clocks go back',
    times: [{ from: '02:00', to: '03:00', timeZone: 'Europe/Vienna' }],
    yes: [
      '2026-10-25T00:00:00Z',
      '2026-10-25T00:59:00Z',
      '2026-10-25T01:00:00Z',
      '2026-10-25T01:59:00Z',
    ],
    no: ['2026-10-24T23:59:00Z', '2026-10-25T02:00:00Z'],
  },
  {
    name: 'since and until, with any offset',
    times: [{ since: '2026-05-01T00:00:00+02:00', until: '2026-05-02T00:00:00Z' }],
    yes: ['2026-04-30T22:00:00Z', '2026-05-01T23:59:59.999Z'],
    no: ['2026-04-30T21:59:59.999Z', '2026-05-02T00:00:00Z'],
  },
  {
    name: 'since alone, with hours',
    times: [{ since: '2026-05-01T00:00:00Z', from: '10:00', to: '11:00' }],
    yes: ['2026-05-01T10:30:00Z', '2030-05-01T10:30:00Z'],
    no: ['2026-04-30T10:30:00Z', '2026-05-01T09:30:00Z'],
  },
  {
    name: 'any of several ranges',
    times: [{ days: ['mon'] }, { from: '10:00', to: '11:00' }],
    yes: ['2026-01-05T00:00:00Z', '2026-01-06T10:00:00Z'],
    no: ['2026-01-06T11:00:00Z'],
  },
]

describe('the matcher times', () => {
  for (const { name, times, yes, no } of CASES) {
    it(name, () => {
      const rules = [{ allow: 'match', times: times.map((time) => ({ timeZone: 'UTC', ...time })) }]
      const word = (at: string): string => decide(rules, { at: Date.parse(at) })
      for (const at of yes) assert.equal(word(at), 'allow:match', at)
      for (const at of no) assert.equal(word(at), 'no-rule', at)
    })
  }

  it('caches its result for the current minute', () => {
    const rules = [{ allow: 'match', times: [{ from: '10:00', to: '10:01', timeZone: 'UTC' }] }]
    const at = Date.parse('2026-01-05T10:00:00Z')
    for (const [offset, want] of [
      [0, 'allow:match'],
      [59_999, 'allow:match'],
      [60_000, 'no-rule'],
      [59_999, 'allow:match'],
      [-1, 'no-rule'],
    ] as const) {
      assert.equal(decide(rules, { at: at + offset }), want)
    }
  })

  it('evaluates each time zone separately', () => {
    const at = Date.parse('2026-01-05T10:30:00Z')
    const stretch = { from: '10:00', to: '11:00' }
    const rules = [
      { deny: 'tokyo', times: [{ ...stretch, timeZone: 'Asia/Tokyo' }] },
      { allow: 'utc', times: [{ ...stretch, timeZone: 'UTC' }] },
    ]
    assert.equal(decide(rules, { at }), 'allow:utc')
    assert.equal(decide(rules, { at: at - 9 * 3_600_000 }), 'deny:tokyo')
  })
})
