// Rules at large, one of each kind: what they decide, what the caller gets, what audit and metrics
// tell of those in shadow. Steps are in README.md.

import assert from 'node:assert/strict'
import { dirname, join, resolve } from 'node:path'
import { after, before, describe, it } from 'node:test'
import type { DecisionEvent } from '../../../src/audit/event.ts'
import { scrape, seriesOf } from '../../fakes/scraping.ts'
import { http1, http2 } from '../../servers/client.ts'
import { skipWithoutEnvoy } from '../../servers/envoy.ts'
import { ALICE, HOST, type Site } from '../site.ts'
import { ask, caseOf, CASES, PLANETS, startRulesSite, verdictIn, type Case } from './rules.ts'
import { assertExplained, assertReplayed, eventOf, expectedOf, explain } from './tools.ts'
import { singleOf } from '../asking.ts'

const GALAXY = resolve(import.meta.dirname, '../../fixtures/openapi/scalar-galaxy-3.1.yaml')

const expectedFreeze = ({ method = 'GET', host }: Case): DecisionEvent['shadow'] =>
  host === PLANETS
    ? []
    : method === 'GET'
      ? [{ rule: 'freeze-readers', decision: 'allow' }]
      : [{ rule: 'freeze-all', decision: 'deny' }]

describe('rules of every kind', { skip: skipWithoutEnvoy(), timeout: 120_000 }, () => {
  let site: Site
  before(async () => {
    site = await startRulesSite(GALAXY)
  })
  after(() => site[Symbol.asyncDispose]())

  const CASES_OVER = [
    ...CASES.map((one) => ({ version: 'HTTP/1.1', over: http1, ...one })),
    ...CASES.flatMap((one) =>
      one.from === undefined ? [{ version: 'HTTP/2', over: http2, ...one }] : [],
    ),
  ]
  for (const { version, over, ...one } of CASES_OVER) {
    it(`7. ${one.name}, over ${version}: ${one.want}`, async () => {
      site.upstream.clear()
      const answer = await ask(site, one, over)
      const event = await eventOf(site, answer)
      assert.equal(verdictIn(event), one.want)
      assert.equal(answer.status, event.status)
      assert.equal(event.source, one.from ?? '127.0.0.1')
      const shadows = [...(expectedFreeze(one) ?? []), ...(one.shadow ?? [])]
      assert.deepEqual(event.shadow ?? [], shadows)
      assert.equal(site.upstream.requests.length, event.decision === 'allow' ? 1 : 0)
    })
  }

  it('8. that cannot be evaluated are named to the caller, and audit has the field', async () => {
    const answer = await ask(site, caseOf('/odd'))
    assert.match(answer.body, /^403 Forbidden\n\n.*could not be evaluated.*\nRule: odd\n/)
    assert.match((await eventOf(site, answer)).detail ?? '', /x-sure|key|1:/i)
  })

  it('8. with a redirect have the URL and the decision id in it', async () => {
    const { path, ...rest } = caseOf('/old/a%20b?c=d')
    const answer = await ask(site, { path, ...rest })
    const id = singleOf(answer, 'x-countersign-decision')
    const from = encodeURIComponent(`https://${HOST}${path}`)
    assert.equal(
      singleOf(answer, 'location'),
      `https://new.example.org/?from=${from}&decision=${id}`,
    )
  })

  it('8. with a message have that in the answer', async () => {
    const answer = await ask(site, caseOf('/hidden/a'))
    const id = singleOf(answer, 'x-countersign-decision')
    assert.equal(answer.status, 404)
    assert.equal(singleOf(answer, 'content-type'), 'application/json')
    assert.equal(singleOf(answer, 'x-hint'), 'ask Jane')
    assert.deepEqual(JSON.parse(answer.body), { error: 'none', rule: 'hidden', id })
  })

  it('9. in shadow are counted in the metrics as audit has them', async () => {
    const wanted = new Map<string, number>()
    for (const { route, decision: decided, shadow = [] } of await site.events()) {
      for (const { rule, decision } of shadow) {
        const labels = `decided=${decided},decision=${decision},route=${route},rule=${rule}`
        wanted.set(labels, (wanted.get(labels) ?? 0) + 1)
      }
    }
    const path = join(dirname(site.files.config), 'authz-admin.sock')
    const series = await scrape({ kind: 'unix', path })
    const counted = Object.entries(seriesOf(series, 'countersign_shadow_decisions_total'))
    assert.deepEqual(
      Object.fromEntries(counted.filter(([, value]) => value > 0)),
      Object.fromEntries(wanted),
    )
    assert.ok(wanted.size >= 5, [...wanted.keys()].join('; '))
  })

  // What the condition asks is in a header, which is not in the log.
  const isUndetermined = ({ path }: DecisionEvent): boolean => path === '/odd'

  it('10. are explained by countersign explain, which is right or undetermined', async () => {
    await assertExplained(site, await site.events(), isUndetermined)
  })

  it('10. are replayed by countersign replay, which claims no undetermined change', async () => {
    await assertReplayed(site, isUndetermined)
  })

  it('10. are explained over HTTP as decided, by headers too', async () => {
    for (const one of CASES.filter(({ path }) => path === '/odd')) {
      const event = await eventOf(site, await ask(site, one))
      const lines = [ALICE, ...(one.headers ?? [])].flatMap(([name, value]) => [
        '-H',
        `${name}: ${value}`,
      ])
      const words = ['curl', ...lines, `https://${HOST}${one.path}`]
      assert.deepEqual(await explain(site, ['--', ...words]), expectedOf(event))
    }
  })
})
