// What the pages of docs/operate say about messages, reasons, metrics and figures is what the source and the recorded results of
// the bench have.

import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { parse } from 'yaml'
import * as z from 'zod'
import { codeSpansOf, ROOT, textOf } from './markdown.ts'

const source = globSync('src/**/*.ts', { cwd: ROOT })
  .map((path) => readFileSync(join(ROOT, path), 'utf8'))
  .join('\n')
const reasons = new Set(
  [...textOf('docs/reference/reasons.md').matchAll(/^### (\S+)/gm)].map(([, code]) => code),
)
const metrics = textOf('docs/reference/metrics.md')

/** The parts of a quoted message between what varies. */
const partsOf = (message: string): readonly string[] =>
  message
    .split('…')
    .map((part) => part.replaceAll(/^[\s(`]+|[\s)`]+$/g, ''))
    .filter((part) => part.length > 3)

describe('the page "Troubleshoot"', () => {
  const rows = textOf('docs/operate/troubleshooting.md')
    .split('\n')
    .filter((line) => line.startsWith('| '))

  it('quotes messages that the source has', () => {
    // The first cell of a row is a message, or names the log in which it is.
    const messages = rows
      .map((row) => row.split(' | ')[0] ?? '')
      .flatMap((cell) => [...cell.matchAll(/(?:^\| |log )`([^`]+)`/g)].map(([, text = '']) => text))
    const sentences = messages.filter((message) => message.includes(' '))
    assert.ok(sentences.length > 15, String(sentences.length))
    const missing = sentences.filter((message) =>
      partsOf(message).some((part) => !source.includes(part)),
    )
    assert.deepEqual(missing, [])
  })

  it('names reasons that exist', () => {
    const named = rows.flatMap((row) => {
      const [, codes = ''] = /reason ((?:`[a-z-]+`(?:, )?)+)/.exec(row) ?? []
      return [...codes.matchAll(/`([a-z-]+)`/g)].map(([, code]) => code)
    })
    assert.ok(named.length > 12, String(named.length))
    assert.deepEqual(
      named.filter((code) => !reasons.has(code)),
      [],
    )
  })

  it('has a remedy, or where to look, in every row', () => {
    const rules = rows.filter((row) => !/^\| (?:see|message|---)/.test(row))
    assert.deepEqual(
      rules.filter((row) => !/ → /.test(row)),
      [],
    )
  })
})

describe('the metrics of the pages', () => {
  const pages = [
    'monitoring',
    'troubleshooting',
    'rotate-keys',
    'rotate-certificates',
    'audit-files',
  ].map((name) => `docs/operate/${name}.md`)
  const rulesSchema = z.object({
    groups: z.array(
      z.object({ rules: z.array(z.object({ alert: z.string(), expr: z.string() })) }),
    ),
  })
  const alerts = rulesSchema
    .parse(parse(textOf('deploy/kubernetes/chart/files/monitoring/countersign.rules.yaml')))
    .groups.flatMap(({ rules }) => rules)

  it('exist', () => {
    const used = [
      ...pages.flatMap((page) => codeSpansOf(textOf(page))),
      ...alerts.map(({ expr }) => expr),
    ]
      .flatMap((code) => [...code.matchAll(/\b(?:countersign|nodejs|process)_[a-z0-9_]+/g)])
      .map(([name]) => name.replace(/_(?:bucket|sum|count)$/, ''))
      .filter((name) => name !== 'countersign_authz') // a cluster of Envoy
    assert.ok(used.length > 25, String(used.length))
    assert.deepEqual(
      [...new Set(used)].filter((name) => !metrics.includes(`| \`${name}\` |`)),
      [],
    )
  })

  it('have the values of labels that the alerts and queries compare', () => {
    const expressions = [...codeSpansOf(textOf(pages[0] ?? '')), ...alerts.map(({ expr }) => expr)]
    const selectors = expressions.flatMap((code) => [
      ...code.matchAll(/(countersign_[a-z_]+)\{([^}]+)\}/g),
    ])
    const wrong = selectors.flatMap(([, name = '', matchers = '']) => {
      const row = metrics.split('\n').find((line) => line.startsWith(`| \`${name}\` |`)) ?? ''
      return [...matchers.matchAll(/(\w+)=~?"([^"]+)"/g)].flatMap(([, label = '', values = '']) =>
        values
          .split('|')
          .filter((value) =>
            label === 'reason'
              ? !reasons.has(value)
              : !row.includes(`\`${label}\``) || !row.includes(`\`${value}\``),
          ),
      )
    })
    assert.ok(selectors.length > 6, String(selectors.length))
    assert.deepEqual(wrong, [])
  })

  it('are aggregated by labels that they have', () => {
    const queries = codeSpansOf(textOf(pages[0] ?? '')).filter((code) => code.includes(' by ('))
    for (const query of queries) {
      const [, labels = ''] = /by \(([^)]+)\)/.exec(query) ?? []
      const [name = ''] = /countersign_[a-z_]+/.exec(query) ?? []
      const row =
        metrics
          .split('\n')
          .find((line) => line.startsWith(`| \`${name.replace(/_(?:bucket|count)$/, '')}\``)) ?? ''
      for (const label of labels.split(', ').filter((one) => one !== 'le')) {
        assert.ok(row.includes(`\`${label}\``), `${query}: ${label}`)
      }
    }
  })

  it('are those of alerts that name themselves once', () => {
    const names = alerts.map(({ alert }) => alert)
    assert.ok(names.length > 8)
    assert.equal(new Set(names).size, names.length)
  })
})
