// The index against looking at each pattern in turn.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { HostIndex } from '../../src/request/host-index.ts'
import { hostMatcher } from '../../src/request/hosts.ts'
import { Seeded } from '../fakes/seeded.ts'

const NAMES = [
  'a.org',
  'b.a.org',
  'c.b.a.org',
  'org',
  'xa.org',
  'a.org.b',
  '[::1]',
  'b',
  'a..org',
  'localhost',
]
const PATTERNS = ['*', '*.org', '*.a.org', '*.b.a.org', '*.b', ...NAMES] as const

describe('an index of hosts', () => {
  it('finds what a search through all entries finds', () => {
    const seeded = new Seeded(1)
    for (let round = 0; round < 2_000; round++) {
      const entries = Array.from({ length: 1 + seeded.below(6) }, (_, place) => ({
        hosts: Array.from({ length: 1 + seeded.below(3) }, () => seeded.pick(PATTERNS)),
        value: place,
      }))
      const index = new HostIndex(entries)
      const accepted = new Set(entries.map(({ value }) => value).filter(() => seeded.chance(0.7)))
      for (const host of NAMES) {
        const want = entries.find(
          ({ hosts, value }) => accepted.has(value) && hostMatcher(hosts)(host),
        )
        assert.equal(
          index.first(host, (value) => accepted.has(value)),
          want?.value,
          `${host} of ${JSON.stringify(entries)}`,
        )
      }
    }
  })

  it('asks about no entry of another host', () => {
    const entries = Array.from({ length: 10_000 }, (_, place) => ({
      hosts: [`host-${place}.example.org`, `*.host-${place}.example.org`],
      value: place,
    }))
    const index = new HostIndex(entries)
    const requests: number[] = []
    index.first('x.host-9999.example.org', (value) => {
      requests.push(value)
      return false
    })
    assert.deepEqual(requests, [9_999])
  })
})
