// The dashboards and the alert rules: their metrics, links and runbooks exist, Grafana's types and Prometheus accept them, and each
// alert fires and ends.

import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { describe, it } from 'node:test'
import { parse } from 'yaml'
import { z } from 'zod'
import { dashboardFiles } from '../../deploy/monitoring/dashboards/index.ts'
import { escaped } from '../../deploy/monitoring/pictures/svg.ts'
import { AUTHZ_METRICS, processMetrics, SIGNER_METRICS } from '../../scripts/reference/metrics.ts'
import { withAlerts } from '../../scripts/alert-table.ts'
import { runProgram } from '../servers/daemon.ts'
import { goProgram, skipWithoutGoProgram } from '../servers/go-program.ts'
import { promtool, skipWithoutPromtool } from '../servers/promtool.ts'

const root = resolve(import.meta.dirname, '../..')
const folder = resolve(root, 'deploy/monitoring')
const CHART_FILES = resolve(root, 'deploy/kubernetes/chart/files/monitoring')
const RULES = resolve(CHART_FILES, 'countersign.rules.yaml')
const READER = goProgram('grafana-dashboards')

/** Metrics that no dashboard shows, each with the reason. */
const NOT_SHOWN: ReadonlySet<string> = new Set([
  'countersign_config_generation', // counts the reloads of one process: the age of the configuration is shown
  'countersign_signing_keys', // the keys are listed, with their ages
])

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

const rules = rulesSchema.parse(parse(readText(RULES))).groups.flatMap((group) => group.rules)

const testedSchema = z.object({ tests: z.array(z.object({ name: z.string() })) })

/** The anchor of a heading, as GitHub makes it. */
const anchorOf = (heading: string): string =>
  heading
    .toLowerCase()
    .replaceAll(/[^\w\- ]/g, '')
    .replaceAll(' ', '-')

/** The metrics that an expression names. */
const metricsIn = (expression: string): readonly string[] =>
  [
    ...expression
      .replaceAll(/"[^"]*"/g, '')
      .matchAll(/\b(?:up\b|(?:countersign|nodejs|process|grpc)_\w+)/g),
  ]
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

const panelSchema = z.object({
  id: z.int(),
  type: z.string(),
  title: z.string(),
  description: z.string().default(''),
  gridPos: z.object({ x: z.int(), y: z.int(), w: z.int(), h: z.int() }),
  fieldConfig: z
    .object({
      defaults: z.object({ links: z.array(z.object({ url: z.string() })).default([]) }),
    })
    .optional(),
  targets: z.array(z.object({ expr: z.string() })).default([]),
})
const dashboardSchema = z.object({
  uid: z.string(),
  title: z.string(),
  templating: z.object({
    list: z.array(z.object({ name: z.string(), definition: z.string().default('') })),
  }),
  panels: z.array(panelSchema),
})

const PICTURES = resolve(root, 'docs/operate/images')

const dashboards = dashboardFiles().map(({ contents }) =>
  dashboardSchema.parse(JSON.parse(contents)),
)

describe('the dashboards', () => {
  const uids = dashboards.map(({ uid }) => uid)

  it('show metrics that exist', async () => {
    const known = await knownMetrics()
    const used = dashboards.flatMap(({ panels }) =>
      panels.flatMap(({ targets }) => targets.flatMap(({ expr }) => metricsIn(expr))),
    )
    assert.ok(used.length > 100, String(used.length))
    assert.deepEqual(
      used.filter((name) => !known.has(name)),
      [],
    )
  })

  it('show every metric of authz and the signer, except those that are not for a dashboard', () => {
    const shown = new Set(
      dashboards.flatMap(({ panels, templating }) =>
        [
          ...panels.flatMap(({ targets }) => targets.map(({ expr }) => expr)),
          ...templating.list.map(({ definition }) => definition),
        ].flatMap(metricsIn),
      ),
    )
    const names = [...AUTHZ_METRICS, ...SIGNER_METRICS].map(({ name }) => name)
    assert.deepEqual(
      names.filter((name) => !shown.has(name) && !NOT_SHOWN.has(name)),
      [],
    )
  })

  for (const { title, panels, templating } of dashboards) {
    describe(title, () => {
      it('has panels that do not overlap, each with a number of its own', () => {
        assert.equal(new Set(panels.map(({ id }) => id)).size, panels.length)
        const cells = panels.flatMap(({ gridPos: { x, y, w, h } }) =>
          Array.from(
            { length: w * h },
            (_none, cell) => `${x + (cell % w)} ${y + Math.floor(cell / w)}`,
          ),
        )
        assert.equal(new Set(cells).size, cells.length)
      })

      it('says of every panel what it shows', () => {
        const silent = panels.filter(
          ({ targets, description }) => targets.length > 0 && description === '',
        )
        assert.deepEqual(silent, [])
      })

      it('has only variables that exist', () => {
        const known = new Set([
          '__rate_interval',
          '__range',
          ...templating.list.map(({ name }) => name),
        ])
        const used = panels.flatMap(({ targets }) =>
          targets.flatMap(({ expr }) =>
            [...expr.matchAll(/\$(\w+)/g)].map(([, name = '']) => name),
          ),
        )
        assert.deepEqual(
          used.filter((name) => !known.has(name)),
          [],
        )
      })

      it('links to dashboards that exist, with variables that these have', () => {
        for (const { url } of panels.flatMap((panel) => panel.fieldConfig?.defaults.links ?? [])) {
          const [path = '', query = ''] = url.split('?')
          const there = dashboards[uids.indexOf(path.replace('/d/', ''))]
          const names = there?.templating.list.map(({ name }) => name) ?? []
          const given = [...query.matchAll(/var-(\w+)=|\$\{(\w+):queryparam\}/g)]
          for (const [, value, kept] of given) assert.ok(names.includes(value ?? kept ?? ''), url)
        }
      })

      it('names sections of the documents that exist', () => {
        const described = panels.map(({ description }) => description).join(' ')
        const references = [...described.matchAll(/(docs\/[\w/-]+\.md)(?:, "([^"]+)")?/g)]
        for (const [, page = '', section] of references) {
          const headings = [...readText(resolve(root, page)).matchAll(/^#+ (.+)$/gm)]
          if (section !== undefined) {
            assert.ok(
              headings.some(([, heading]) => heading === section),
              `${page}: ${section}`,
            )
          }
        }
      })

      it('has a picture with the same panels', () => {
        const file = `${uids[dashboards.findIndex((one) => one.title === title)]}.svg`
        const picture = readText(resolve(PICTURES, file))
        const missing = panels.filter((panel) => !picture.includes(`>${escaped(panel.title)}<`))
        assert.deepEqual(
          missing.map((panel) => panel.title),
          [],
          'run "npm run docs:images -- dashboards"',
        )
      })
    })
  }

  it('are those of Grafana, strictly', { skip: skipWithoutGoProgram(READER) }, async () => {
    const files = dashboards.map(({ uid }) => resolve(CHART_FILES, `${uid}.json`))
    // It prints what is wrong, and fails.
    assert.equal(await runProgram(READER, files), '')
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
    assert.equal(page, withAlerts(page, readText(RULES)))
    for (const { alert } of rules) assert.ok(page.includes(`| \`${alert}\` |`), alert)
  })

  it('have a test each', () => {
    const text = readText(resolve(folder, 'rules.test.yaml'))
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
    assert.match(await promtool(folder, 'test', 'rules', 'rules.test.yaml'), /SUCCESS/)
  })
})
