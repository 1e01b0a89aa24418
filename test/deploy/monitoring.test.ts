// The dashboard and the alert rules of deploy/monitoring: their metrics exist, their runbooks exist, Prometheus accepts them, and each
// fires and ends.

import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { describe, it } from 'node:test'
import { parse } from 'yaml'
import { z } from 'zod'
import { AUTHZ_METRICS, processMetrics, SIGNER_METRICS } from '../../scripts/reference/metrics.ts'
import { withAlerts } from '../../scripts/alert-table.ts'
import { promtool, skipWithoutPromtool } from '../servers/promtool.ts'

const root = resolve(import.meta.dirname, '../..')
const folder = resolve(root, 'deploy/monitoring')
const RULES = 'countersign.rules.yaml'

const rulesSchema = z.object({
  groups: z.array(
    z.object({
      rules: z.array(
        z.object({
          alert: z.string(),
          expr: z.string(),
          labels: z.object({ severity: z.enum(['critical', 'warning']) }),
          annotations: z.object({ summary: z.string(), runbook: z.string() }),
        }),
      ),
    }),
  ),
})

const readText = (file: string): string => readFileSync(file, 'utf8')

const rules = rulesSchema
  .parse(parse(readText(resolve(folder, RULES))))
  .groups.flatMap((group) => group.rules)

const testedSchema = z.object({ tests: z.array(z.object({ name: z.string() })) })

/** The anchor of a heading, as GitHub makes it. */
const anchorOf = (heading: string): string =>
  heading
    .toLowerCase()
    .replaceAll(/[^\w\- ]/g, '')
    .replaceAll(' ', '-')

/** The metrics that an expression names. */
const metricsIn = (expression: string): readonly string[] =>
  [...expression.matchAll(/\b(?:up\b|(?:countersign|nodejs|process|grpc)_\w+)/g)]
    .map(([name]) => name.replace(/_(?:bucket|sum|count)$/, ''))
    .filter((name) => !LABELS.has(name))

// Labels of metrics that begin as metrics do.
const LABELS: ReadonlySet<string> = new Set(['grpc_method', 'grpc_code', 'grpc_service'])

const knownMetrics = async (): Promise<ReadonlySet<string>> =>
  new Set([
    'up',
    ...[...AUTHZ_METRICS, ...SIGNER_METRICS].map(({ name }) => name),
    ...(await processMetrics()).map(([name = '']) => name),
  ])

const dashboardSchema = z.object({
  panels: z.array(
    z.object({
      id: z.int(),
      title: z.string(),
      gridPos: z.object({ x: z.int(), y: z.int(), w: z.int(), h: z.int() }),
      targets: z.array(z.object({ expr: z.string() })).default([]),
    }),
  ),
})

describe('the dashboard', () => {
  const { panels } = dashboardSchema.parse(
    JSON.parse(readText(resolve(folder, 'countersign.dashboard.json'))),
  )

  it('shows metrics that exist', async () => {
    const known = await knownMetrics()
    const used = panels.flatMap(({ targets }) => targets.flatMap(({ expr }) => metricsIn(expr)))
    assert.ok(used.length > 25, String(used.length))
    assert.deepEqual(
      used.filter((name) => !known.has(name)),
      [],
    )
  })

  it('has panels that do not overlap, each with a number of its own', () => {
    assert.equal(new Set(panels.map(({ id }) => id)).size, panels.length)
    const cells = panels.map(({ gridPos: { x, y } }) => `${x} ${y}`)
    assert.equal(new Set(cells).size, panels.length)
  })
})

describe('the alert rules', () => {
  it('use metrics that exist', async () => {
    const known = await knownMetrics()
    const used = rules.flatMap(({ expr }) => metricsIn(expr))
    assert.ok(used.length >= rules.length)
    assert.deepEqual(
      used.filter((name) => !known.has(name)),
      [],
    )
  })

  for (const { alert, annotations } of rules) {
    it(`name a page and a section that exist: ${alert}`, () => {
      const [page = '', section] = annotations.runbook.split('#')
      const text = readText(resolve(root, page))
      if (section === undefined) return
      const anchors = [...text.matchAll(/^#+ (.+)$/gm)].map(([, title = '']) => anchorOf(title))
      assert.ok(anchors.includes(section), `${page} has no section ${section}`)
    })
  }

  it('are all in docs/operate/monitoring.md, with their runbooks', () => {
    const page = readText(resolve(root, 'docs/operate/monitoring.md'))
    assert.equal(page, withAlerts(page, readText(resolve(folder, RULES))))
    for (const { alert } of rules) assert.ok(page.includes(`| \`${alert}\` |`), alert)
  })

  it('have a test each', () => {
    const text = readText(resolve(folder, 'countersign.rules.test.yaml'))
    const tested = testedSchema.parse(parse(text)).tests.map(({ name }) => name)
    assert.deepEqual(
      tested,
      rules.map(({ alert }) => alert),
    )
  })

  it('are accepted by Prometheus', { skip: skipWithoutPromtool() }, async () => {
    assert.match(
      await promtool(folder, 'check', 'rules', RULES),
      new RegExp(`SUCCESS: ${rules.length} rules found`),
    )
  })

  it('fire, and end', { skip: skipWithoutPromtool() }, async () => {
    assert.match(await promtool(folder, 'test', 'rules', 'countersign.rules.test.yaml'), /SUCCESS/)
  })
})
