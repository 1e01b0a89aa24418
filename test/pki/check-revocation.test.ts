// The sources put together: who is asked, in which order, and what becomes of not knowing.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { revocationChecker, type RevocationOptions } from '../../src/pki/check-revocation.ts'
import { DenyList } from '../../src/pki/deny-list.ts'
import { serialText } from '../../src/pki/issued.ts'
import type { RevocationSource, SourceStatus } from '../../src/pki/revocation-source.ts'
import { FakeClock } from '../fakes/clock.ts'
import { Authority, newKey, NOW } from './revoking.ts'

const root = new Authority('Root CA')
const key = newKey()
const middle = new Authority('Middle CA', { key })
const middleDer = root.issue({ name: 'Middle CA', serial: 0xb0, key }).der
const leaf = middle.issue({ name: 'alice', serial: 0xa0 }).der
const chain = [leaf, middleDer, root.der]

const GOOD = { outcome: 'good', until: NOW + 1_000 } as const
const REVOKED = { outcome: 'revoked' } as const
const UNKNOWN = { outcome: 'unknown' } as const
const DOWN = { outcome: 'unavailable', cause: new Error('down') } as const

/** A source that says one thing, or one for each serial number; and whom it was asked about. */
const saying = (
  said: SourceStatus | Readonly<Record<string, SourceStatus>>,
): RevocationSource & { readonly asked: string[] } => {
  const asked: string[] = []
  return {
    asked,
    async status({ certificate }) {
      const serial = serialText(certificate.serialNumber)
      asked.push(serial)
      if (isStatus(said)) return said
      const found = said[serial]
      assert.ok(found !== undefined)
      return found
    },
  }
}

const isStatus = (
  said: SourceStatus | Readonly<Record<string, SourceStatus>>,
): said is SourceStatus => typeof said['outcome'] === 'string'

const check = async (
  options: Partial<RevocationOptions>,
  path: readonly Buffer[] = chain,
  signal = new AbortController().signal,
) =>
  await revocationChecker({
    generation: 'g',
    denied: new DenyList(),
    sources: [],
    chain: 'all',
    unknown: 'deny',
    unavailable: 'deny',
    retry: 5_000,
    clock: new FakeClock(NOW),
    ...options,
  }).check(path, signal)

const denying = (line: string): DenyList => {
  const list = new DenyList()
  list.add(line)
  return list
}

describe('the deny-list', () => {
  for (const [who, line] of [
    ['the leaf', 'serial a0'],
    ['an intermediate CA', 'subject CN=Middle CA'],
    ['the trust anchor', 'subject CN=Root CA'],
  ] as const) {
    it(`denies ${who} without asking anybody`, async () => {
      const source = saying(GOOD)
      const status = await check({ denied: denying(line), sources: [source], chain: 'leaf' })
      assert.deepEqual([status, source.asked], [{ outcome: 'denied' }, []])
    })
  }

  it('may be all there is', async () => {
    assert.deepEqual(await check({ denied: denying('serial 99') }), { outcome: 'good' })
  })

  it('that cannot be compared denies: nothing is known', async () => {
    const status = await check({ denied: denying('serial 99') }, [Buffer.of(0x30, 0)])
    assert.equal(status.outcome, 'unavailable')
  })
})

describe('the certificates of a path', () => {
  it('are asked about, but for the trust anchor', async () => {
    const source = saying(GOOD)
    assert.deepEqual(await check({ sources: [source] }), GOOD)
    assert.deepEqual(source.asked.toSorted(), ['a0', 'b0'])
  })

  it('are asked about no further than the leaf where that is wanted', async () => {
    const source = saying({ a0: GOOD })
    assert.deepEqual(await check({ sources: [source], chain: 'leaf' }), GOOD)
  })

  it('are asked about even where the leaf is right under the anchor', async () => {
    const source = saying(REVOKED)
    const path = [middleDer, root.der]
    assert.deepEqual(await check({ sources: [source], chain: 'leaf' }, path), REVOKED)
  })

  it('have nobody to ask where the leaf is the anchor', async () => {
    assert.deepEqual(await check({ sources: [saying(REVOKED)] }, [leaf]), { outcome: 'good' })
  })

  it('are good for as long as the first of them', async () => {
    const source = saying({ a0: GOOD, b0: { outcome: 'good', until: NOW + 7 } })
    assert.deepEqual(await check({ sources: [source] }), { outcome: 'good', until: NOW + 7 })
  })

  const cases: readonly (readonly [SourceStatus, SourceStatus, string])[] = [
    [GOOD, REVOKED, 'revoked'],
    [REVOKED, GOOD, 'revoked'],
    [DOWN, REVOKED, 'revoked'],
    [UNKNOWN, REVOKED, 'revoked'],
    [DOWN, UNKNOWN, 'unknown'],
    [GOOD, DOWN, 'unavailable'],
    [GOOD, UNKNOWN, 'unknown'],
  ]
  for (const [a0, b0, want] of cases) {
    it(`${a0.outcome} under ${b0.outcome} are ${want}`, async () => {
      assert.equal((await check({ sources: [saying({ a0, b0 })] })).outcome, want)
    })
  }
})

describe('two sources', () => {
  const allow = { unknown: 'allow', unavailable: 'allow' } as const
  const cases: readonly {
    readonly first: SourceStatus
    readonly second: SourceStatus
    readonly want: string
    readonly options?: Partial<Pick<RevocationOptions, 'unknown' | 'unavailable'>>
    readonly asked?: number
  }[] = [
    { first: GOOD, second: REVOKED, want: 'good', asked: 0 },
    { first: REVOKED, second: GOOD, want: 'revoked', asked: 0 },
    { first: UNKNOWN, second: GOOD, want: 'good' },
    { first: UNKNOWN, second: REVOKED, want: 'revoked' },
    { first: DOWN, second: GOOD, want: 'good' },
    { first: DOWN, second: REVOKED, want: 'revoked' },
    { first: DOWN, second: REVOKED, want: 'revoked', options: allow },
    { first: UNKNOWN, second: DOWN, want: 'unknown' },
    { first: DOWN, second: UNKNOWN, want: 'unknown' },
    { first: DOWN, second: DOWN, want: 'unavailable' },
    { first: UNKNOWN, second: DOWN, want: 'unavailable', options: { unknown: 'allow' } },
    { first: UNKNOWN, second: DOWN, want: 'unknown', options: { unavailable: 'allow' } },
    { first: UNKNOWN, second: DOWN, want: 'good', options: allow },
  ]
  for (const { first, second, want, options = {}, asked = 1 } of cases) {
    const told = Object.entries(options).map(([what, then]) => `, ${what}: ${then}`)
    it(`${first.outcome}, then ${second.outcome}${told.join('')}: ${want}`, async () => {
      const next = saying(second)
      const sources = [saying(first), next]
      const status = await check({ sources, chain: 'leaf', ...options })
      assert.deepEqual([status.outcome, next.asked.length], [want, asked])
    })
  }

  it('that let somebody pass for want of knowledge are asked again soon', async () => {
    const status = await check({ sources: [saying(DOWN)], unavailable: 'allow' })
    assert.deepEqual(status, { outcome: 'good', until: NOW + 5_000 })
  })
})

describe('a checker', () => {
  it('never rejects', async () => {
    const broken: RevocationSource = { status: () => Promise.reject(new Error('a bug')) }
    assert.equal((await check({ sources: [broken] })).outcome, 'unavailable')
    const garbage = [leaf, Buffer.from('garbage')]
    assert.equal((await check({ sources: [saying(GOOD)] }, garbage)).outcome, 'unavailable')
  })

  it('hands its caller’s signal on', async () => {
    let handed: AbortSignal | undefined
    const source: RevocationSource = {
      async status(_, signal) {
        handed = signal
        return GOOD
      },
    }
    const { signal } = new AbortController()
    await check({ sources: [source], chain: 'leaf' }, chain, signal)
    assert.equal(handed, signal)
  })
})
