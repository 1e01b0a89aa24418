// The sources of revocation combined: which ones are queried, in which order, and how a missing answer is judged.

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

/** A source with one status, or one for each serial number; it records the serial numbers that it is queried for. */
const sourceOf = (
  said: SourceStatus | Readonly<Record<string, SourceStatus>>,
): RevocationSource & { readonly lookups: string[] } => {
  const lookups: string[] = []
  return {
    lookups,
    async status({ certificate }) {
      const serial = serialText(certificate.serialNumber)
      lookups.push(serial)
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
  for (const [subject, line] of [
    ['the leaf', 'serial a0'],
    ['an intermediate CA', 'subject CN=Middle CA'],
    ['the trust anchor', 'subject CN=Root CA'],
  ] as const) {
    it(`denies ${subject} without a query to any source`, async () => {
      const source = sourceOf(GOOD)
      const status = await check({ denied: denying(line), sources: [source], chain: 'leaf' })
      assert.deepEqual([status, source.lookups], [{ outcome: 'denied' }, []])
    })
  }

  it('suffices where no source is configured', async () => {
    assert.deepEqual(await check({ denied: denying('serial 99') }), { outcome: 'good' })
  })

  it('cannot be compared with a malformed certificate: the status is unavailable', async () => {
    const status = await check({ denied: denying('serial 99') }, [Buffer.of(0x30, 0)])
    assert.equal(status.outcome, 'unavailable')
  })
})

describe('the revocation of a path', () => {
  it('is checked for each certificate except the trust anchor', async () => {
    const source = sourceOf(GOOD)
    assert.deepEqual(await check({ sources: [source] }), GOOD)
    assert.deepEqual(source.lookups.toSorted(), ['a0', 'b0'])
  })

  it('is checked for the leaf alone where `chain` is leaf', async () => {
    const source = sourceOf({ a0: GOOD })
    assert.deepEqual(await check({ sources: [source], chain: 'leaf' }), GOOD)
  })

  it('is checked for a leaf right under the trust anchor', async () => {
    const source = sourceOf(REVOKED)
    const path = [middleDer, root.der]
    assert.deepEqual(await check({ sources: [source], chain: 'leaf' }, path), REVOKED)
  })

  it('is not checked where the leaf is the trust anchor', async () => {
    assert.deepEqual(await check({ sources: [sourceOf(REVOKED)] }, [leaf]), { outcome: 'good' })
  })

  it('is valid until the first of the answers ends', async () => {
    const source = sourceOf({ a0: GOOD, b0: { outcome: 'good', until: NOW + 7 } })
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
    it(`is ${want} where the leaf is ${a0.outcome} and its CA is ${b0.outcome}`, async () => {
      assert.equal((await check({ sources: [sourceOf({ a0, b0 })] })).outcome, want)
    })
  }
})

describe('two sources of revocation', () => {
  const allow = { unknown: 'allow', unavailable: 'allow' } as const
  const cases: readonly {
    readonly first: SourceStatus
    readonly second: SourceStatus
    readonly want: string
    readonly options?: Partial<Pick<RevocationOptions, 'unknown' | 'unavailable'>>
    readonly lookups?: number
  }[] = [
    { first: GOOD, second: REVOKED, want: 'good', lookups: 0 },
    { first: REVOKED, second: GOOD, want: 'revoked', lookups: 0 },
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
  for (const { first, second, want, options = {}, lookups = 1 } of cases) {
    const changed = Object.entries(options).map(([what, then]) => `, ${what}: ${then}`)
    it(`${first.outcome}, then ${second.outcome}${changed.join('')}: ${want}`, async () => {
      const next = sourceOf(second)
      const sources = [sourceOf(first), next]
      const status = await check({ sources, chain: 'leaf', ...options })
      assert.deepEqual([status.outcome, next.lookups.length], [want, lookups])
    })
  }

  it('are queried again soon where `unavailable: allow` made the answer good', async () => {
    const status = await check({ sources: [sourceOf(DOWN)], unavailable: 'allow' })
    assert.deepEqual(status, { outcome: 'good', until: NOW + 5_000 })
  })
})

describe('the revocation checker', () => {
  it('does not reject where a source throws or a certificate is malformed', async () => {
    const broken: RevocationSource = { status: () => Promise.reject(new Error('a bug')) }
    assert.equal((await check({ sources: [broken] })).outcome, 'unavailable')
    const garbage = [leaf, Buffer.from('garbage')]
    assert.equal((await check({ sources: [sourceOf(GOOD)] }, garbage)).outcome, 'unavailable')
  })

  it('passes its caller’s signal to the source', async () => {
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
