// A real Prometheus that reads a whole site, with the alert rules: every rule is evaluated, every query of every dashboard is of
// metrics and labels that exist, and every panel has data.

import assert from 'node:assert/strict'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { z } from 'zod'
import { skipWithoutEnvoy } from '../../servers/envoy.ts'
import { skipWithoutOpenssl } from '../../servers/ocsp.ts'
import { skipWithoutSlapd } from '../../servers/openldap.ts'
import {
  skipWithoutPrometheus,
  startPrometheus,
  type Prometheus,
} from '../../servers/prometheus.ts'
import { startMonitoredSite, type MonitoredSite } from './monitored-site.ts'
import { isWriting, pictureOf, writePicture } from './pictures.ts'
import { dashboards, filledIn, FOLDER, readsOf, seriesOf, type ReadPanel } from './queries.ts'
import { offboarding, oneRound } from './traffic.ts'

const RULES = join(FOLDER, 'countersign.rules.yaml')

const rulesSchema = z.object({
  data: z.object({
    groups: z.array(
      z.object({
        rules: z.array(z.object({ name: z.string(), health: z.string(), query: z.string() })),
      }),
    ),
  }),
})
const namesSchema = z.object({ data: z.array(z.string()) })

/** Metrics that need something that the site does not have. */
const ABSENT: Readonly<Record<string, string>> = {
  countersign_state_store_keys: 'of Redis; the store of the site is SQLite',
  countersign_dependency_answers_cached: 'of an API server that reviews accesses',
}

const ABSENT_NAMES = new RegExp(Object.keys(ABSENT).join('|'))

const LONGEST_PICTURE = 60 * 1_024

// While something is missing, callers continue.
const LONGEST_MS = 60_000

const skip =
  skipWithoutPrometheus() || skipWithoutEnvoy() || skipWithoutSlapd() || skipWithoutOpenssl()

const queriesOf = (panels: readonly ReadPanel[]) =>
  panels.flatMap(({ title, targets }) => targets.map(({ expr }) => ({ title, expr })))

const expressions = dashboards.flatMap(({ title, panels, annotations }) => [
  ...queriesOf(panels).map((query) => ({ ...query, title: `${title}: ${query.title}` })),
  ...annotations.list.flatMap(({ expr }) => (expr === undefined ? [] : [{ title, expr }])),
])

describe('Prometheus, of a whole site', { skip, timeout: isWriting ? 600_000 : 120_000 }, () => {
  let site: MonitoredSite
  let prometheus: Prometheus
  let start: number
  before(async () => {
    site = await startMonitoredSite()
    prometheus = await startPrometheus(site.targets, RULES, '2s')
    start = Date.now() / 1_000
  })
  after(async () => {
    await prometheus[Symbol.asyncDispose]()
    await site[Symbol.asyncDispose]()
  })

  const names = async (): Promise<ReadonlySet<string>> =>
    new Set(namesSchema.parse(await prometheus.get('/api/v1/label/__name__/values')).data)

  /** The expressions of panels that have no number at any time since the start. */
  const withoutData = async (among: typeof expressions): Promise<typeof expressions> => {
    const range = { start, end: Date.now() / 1_000, step: 1 }
    const found = await Promise.all(
      among.map(async (query) => {
        const series = await seriesOf(prometheus, query.expr, range)
        const has = series.some(({ values }) => values.some(([, value]) => Number.isFinite(value)))
        return has ? [] : [query]
      }),
    )
    return found.flat()
  }

  it('every panel has data', async () => {
    let missing = expressions.filter(({ expr }) => !ABSENT_NAMES.test(expr))
    const end = Date.now() + LONGEST_MS
    await oneRound(site, 0)
    await offboarding(site)
    for (let number = 1; missing.length > 0; number += 1) {
      await oneRound(site, number)
      missing = await withoutData(missing)
      if (Date.now() > end) break
    }
    assert.deepEqual(missing, [])
  })

  it('every target is read', async () => {
    const up = await seriesOf(prometheus, 'up', { start, end: Date.now() / 1_000, step: 1 })
    const read = up.filter(({ values }) => values.some(([, value]) => value === 1))
    assert.equal(read.length, site.targets.length)
  })

  it('every alert rule is evaluated, and is of metrics that exist', async () => {
    const rulesNow = async () =>
      rulesSchema
        .parse(await prometheus.get('/api/v1/rules'))
        .data.groups.flatMap((group) => group.rules)
    let rules = await rulesNow()
    while (rules.some(({ health }) => health === 'unknown')) rules = await rulesNow()
    assert.ok(rules.length > 10)
    assert.deepEqual(
      rules.filter(({ health }) => health !== 'ok'),
      [],
    )
    const known = await names()
    for (const { name, query } of rules) {
      const { selectors } = await readsOf(prometheus, query)
      const unknown = selectors.filter((selector) => !known.has(selector.name))
      assert.deepEqual(unknown, [], name)
    }
  })

  it('every query is of metrics that exist, and of labels that these have', async () => {
    const known = await names()
    const labelsOf = new Map<string, ReadonlySet<string>>()
    for (const { title, expr } of expressions) {
      if (ABSENT_NAMES.test(expr)) continue
      const { selectors, labels } = await readsOf(prometheus, expr)
      assert.deepEqual(
        selectors.filter(({ name }) => !known.has(name)),
        [],
        title,
      )
      const there = new Set<string>()
      for (const { name, matchers } of selectors) {
        const own = labelsOf.get(name) ?? (await labelsOfMetric(prometheus, name))
        labelsOf.set(name, own)
        const unknown = matchers.filter((matcher) => !own.has(matcher.name))
        assert.deepEqual(unknown, [], `${title}: ${name}`)
        for (const label of own) there.add(label)
      }
      assert.deepEqual(
        labels.filter((label) => !there.has(label)),
        [],
        title,
      )
    }
  })

  it('every variable has values', async () => {
    for (const { title, templating } of dashboards) {
      for (const { name, type, definition } of templating.list) {
        if (type !== 'query') continue
        const [, selector = ''] = /^label_values\((.*), \w+\)$/.exec(definition) ?? []
        const match = new URLSearchParams({ 'match[]': filledIn(selector) })
        const answer = await prometheus.get(`/api/v1/label/${name}/values?${match.toString()}`)
        assert.ok(namesSchema.parse(answer).data.length > 0, `${title}: ${definition}`)
      }
    }
  })

  it('every dashboard can be drawn', async () => {
    // For the documents, with more than a minute of traffic.
    const seconds = isWriting ? 75 : 0
    const until = start + seconds
    for (let number = 1_000; Date.now() / 1_000 < until; number += 1) await oneRound(site, number)
    const end = Date.now() / 1_000
    const range = { start, end, step: Math.max(1, Math.ceil((end - start) / 50)) }
    for (const dashboard of dashboards) {
      const picture = await pictureOf(prometheus, dashboard, range, site.names)
      assert.ok(picture.length < LONGEST_PICTURE, `${dashboard.uid}: ${picture.length} bytes`)
      if (isWriting) await writePicture(dashboard, picture)
    }
  })
})

const labelsOfMetric = async (prometheus: Prometheus, name: string) => {
  const match = new URLSearchParams({ 'match[]': name })
  return new Set(namesSchema.parse(await prometheus.get(`/api/v1/labels?${match.toString()}`)).data)
}
