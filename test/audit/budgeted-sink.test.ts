// Clients that have not authenticated can fill little of the audit log, and each of their requests is counted.
//
// Slow: it writes some hundred thousand events.

import assert from 'node:assert/strict'
import { rename } from 'node:fs/promises'
import { describe, it } from 'node:test'
import type { AuditEvent } from '../../src/audit/event.ts'
import { temporaryFolder } from '../servers/temporary.ts'
import {
  BUDGET,
  FLOODING,
  login,
  LONGEST_SUMMARY,
  MOST_SUMMARIES,
  open,
  readLog,
  refusal,
  SOURCE_BURST,
  total,
  TOTAL_BURST,
} from './budgeting.ts'

describe('10,000 refusals of one source in the audit log', () => {
  it('take the budget of the source and one summary, and each is counted', async () => {
    await using folder = await temporaryFolder()
    await using written = open(folder)
    const { audit } = written
    await Promise.all(Array.from({ length: 9_000 }, () => audit.write(refusal(FLOODING))))
    const wrong = { reason: 'credential-wrong', route: 'api', user: 'alice' } as const
    await Promise.all(Array.from({ length: 1_000 }, () => audit.write(refusal(FLOODING, wrong))))
    await audit.summarise()
    const { bytes, decisions, summaries } = await readLog(folder.file('audit.jsonl'))
    // Wrong passwords have a budget of their own.
    assert.ok(bytes <= 2 * SOURCE_BURST + LONGEST_SUMMARY, `${bytes} bytes`)
    assert.ok(decisions.length > 10)
    const [summary, ...more] = summaries
    assert.ok(summary !== undefined && more.length === 0)
    assert.equal(decisions.length + summary.count, 10_000)
    assert.equal(summary.source, FLOODING)
    const guesses = 1_000 - decisions.filter(({ user }) => user === 'alice').length
    const others = summary.count - guesses
    assert.ok(guesses < 1_000 && others < 9_000)
    assert.deepEqual(summary.reasons, [
      { reason: 'credential-missing', count: others },
      { reason: 'credential-wrong', count: guesses },
    ])
    assert.deepEqual(summary.routes, [
      { route: 'app', count: others },
      { route: 'api', count: guesses },
    ])
    assert.deepEqual(summary.users, [{ user: 'alice', count: guesses }])
    assert.ok(summary.bytes > summary.count * 500)
    assert.equal(audit.statistics().summarised, summary.count)
  })

  it('leave the events of other sources, permits and refusals after authentication complete', async () => {
    await using folder = await temporaryFolder()
    await using written = open(folder)
    const { audit } = written
    await Promise.all(Array.from({ length: 10_000 }, () => audit.write(refusal(FLOODING))))
    const permit = { decision: 'allow', reason: 'permitted', status: 200 } as const
    const whole: readonly AuditEvent[] = [
      refusal('198.51.100.1', { id: 'another-source' }),
      refusal('2001:db8::1', { id: 'another-source-6' }),
      refusal(FLOODING, { id: 'anonymous', ...permit, authentication: 'anonymous' }),
      refusal(FLOODING, { id: 'permit', ...permit, authentication: 'basic', user: 'alice' }),
      refusal(FLOODING, { id: 'no-rule', reason: 'no-rule', authentication: 'basic' }),
      refusal(FLOODING, { id: 'proven', reason: 'identity-unmapped' }),
    ]
    await Promise.all(whole.map((event) => audit.write(event)))
    await audit.write(login({ outcome: 'succeeded', authentication: 'basic' }))
    await audit.write(login({ reason: 'identity-reserved', authentication: 'basic' }))
    const { decisions, logins } = await readLog(folder.file('audit.jsonl'))
    assert.deepEqual(
      decisions.slice(-whole.length).map(({ id }) => id),
      ['another-source', 'another-source-6', 'anonymous', 'permit', 'no-rule', 'proven'],
    )
    assert.deepEqual(
      logins.map(({ outcome }) => outcome),
      ['succeeded', 'refused'],
    )
  })

  it('include refused and challenged logins', async () => {
    await using folder = await temporaryFolder()
    await using written = open(folder)
    const { audit } = written
    await Promise.all(Array.from({ length: 500 }, () => audit.write(refusal(FLOODING))))
    await Promise.all(Array.from({ length: 500 }, () => audit.write(login())))
    await audit.write(login({ outcome: 'challenged', reason: undefined }))
    await audit.summarise()
    const { decisions, logins, summaries } = await readLog(folder.file('audit.jsonl'))
    assert.equal(decisions.length + logins.length + total(summaries), 1_001)
    assert.equal(summaries[0]?.logins, 501 - logins.length)
    const reasons = new Map(summaries[0].reasons.map(({ reason, count }) => [reason, count]))
    const wrong = logins.filter(({ reason }) => reason === 'credential-wrong').length
    assert.equal(reasons.get('credential-wrong'), 500 - wrong)
    assert.equal(reasons.get('challenged') ?? 0, wrong === logins.length ? 1 : 0)
  })

  it('have an event each with `unauthenticated: unlimited`', async () => {
    await using folder = await temporaryFolder()
    await using written = open(folder, 'unlimited')
    const { audit } = written
    await Promise.all(Array.from({ length: 1_000 }, () => audit.write(refusal(FLOODING))))
    assert.equal((await readLog(folder.file('audit.jsonl'))).decisions.length, 1_000)
  })

  it('have events again once the source has paused', async () => {
    await using folder = await temporaryFolder()
    await using written = open(folder)
    const { audit, clock } = written
    await Promise.all(Array.from({ length: 100 }, () => audit.write(refusal(FLOODING))))
    const before = (await readLog(folder.file('audit.jsonl'))).decisions.length
    clock.advance(60_000)
    await audit.write(refusal(FLOODING))
    assert.equal((await readLog(folder.file('audit.jsonl'))).decisions.length, before + 1)
  })
})

describe('refusals of 100,000 sources in the audit log', () => {
  it('take the total budget and a bounded number of summaries', async () => {
    await using folder = await temporaryFolder()
    await using written = open(folder)
    const { audit } = written
    const sources = Array.from({ length: 100_000 }, (_, index) =>
      index % 5 === 0
        ? `198.${(index >> 16) + 18}.${(index >> 8) & 0xff}.${index & 0xff}`
        : `2001:db8:1:${(index & 0xff_ff).toString(16)}::${index.toString(16)}`,
    )
    for (const source of sources) void audit.write(refusal(source))
    const guess = { id: 'guess', reason: 'credential-wrong', user: 'alice' } as const
    await audit.write(refusal('192.0.2.1', guess)) // is not hidden by it
    await audit.summarise()
    const { bytes, decisions, summaries } = await readLog(folder.file('audit.jsonl'))
    assert.equal(decisions.at(-1)?.id, 'guess')
    assert.ok(summaries.length <= MOST_SUMMARIES, `${summaries.length} summaries`)
    assert.ok(bytes <= TOTAL_BURST + MOST_SUMMARIES * LONGEST_SUMMARY, `${bytes} bytes`)
    assert.equal(decisions.length + total(summaries), sources.length + 1)
    assert.ok(summaries.some(({ source }) => source?.endsWith(':0:0:0:0/64')))
    assert.equal(summaries.filter(({ source }) => source === undefined).length, 1)
  })
})

describe('refusals of all 65,536 networks of one IPv6 site', () => {
  it('take the budget of the site, and leave the events of other sources complete', async () => {
    await using folder = await temporaryFolder()
    await using written = open(folder)
    const { audit } = written
    const path = folder.file('audit.jsonl')
    for (let index = 0; index < 65_536; index += 1) {
      void audit.write(refusal(`2001:db8:1:${index.toString(16)}::1`))
    }
    await audit.write(refusal('198.51.100.1', { id: 'another-source' }))
    await audit.write(refusal('2001:db8:2::1', { id: 'another-site' }))
    const { bytes, decisions } = await readLog(path)
    assert.ok(bytes <= 4 * SOURCE_BURST + 2_000, `${bytes} bytes`)
    assert.deepEqual(
      decisions.slice(-2).map(({ id }) => id),
      ['another-source', 'another-site'],
    )
  })
})

describe('a summary of refusals', () => {
  it('is bounded, whatever names it has', async () => {
    await using folder = await temporaryFolder()
    await using written = open(folder)
    const { audit } = written
    const names = Array.from({ length: 5_000 }, (_, index) => ({
      route: `${'r'.repeat(58)}${index}`,
      user: `${index}${'\u{1}'.repeat(500)}`,
    }))
    await Promise.all(names.map((fields) => audit.write(refusal(FLOODING, fields))))
    await audit.summarise()
    const { decisions, summaries } = await readLog(folder.file('audit.jsonl'))
    const [summary] = summaries
    assert.ok(summary !== undefined && summary.line.length <= LONGEST_SUMMARY)
    assert.equal(decisions.length + summary.count, names.length)
  })

  it('is in the file before rotation, and later refusals are in the next', async () => {
    await using folder = await temporaryFolder()
    await using written = open(folder)
    const { audit } = written
    const path = folder.file('audit.jsonl')
    await Promise.all(Array.from({ length: 1_000 }, () => audit.write(refusal(FLOODING))))
    await rename(path, `${path}.1`)
    audit.reopen()
    await Promise.all(Array.from({ length: 1_000 }, () => audit.write(refusal(FLOODING))))
    await audit.summarise()
    const rotated = await readLog(`${path}.1`)
    assert.equal(rotated.decisions.length + total(rotated.summaries), 1_000)
    const { decisions, summaries } = await readLog(path)
    assert.equal(decisions.length + total(summaries), 1_000)
  })

  it('is written when the process ends', async () => {
    await using folder = await temporaryFolder()
    {
      await using written = open(folder)
      for (let count = 0; count < 1_000; count++) void written.audit.write(refusal(FLOODING))
    }
    const { decisions, summaries } = await readLog(folder.file('audit.jsonl'))
    assert.equal(decisions.length + total(summaries), 1_000)
  })

  it('is written after the interval', async () => {
    await using folder = await temporaryFolder()
    await using written = open(folder, { ...BUDGET, summaryInterval: 1 })
    const { audit } = written
    const path = folder.file('audit.jsonl')
    await Promise.all(Array.from({ length: 100 }, () => audit.write(refusal(FLOODING))))
    let log = await readLog(path)
    while (log.decisions.length + total(log.summaries) < 100) log = await readLog(path)
    assert.equal(log.decisions.length + total(log.summaries), 100)
  })
})
