// A strict reader of Prometheus' text format 0.0.4 and of OpenMetrics 1.0: what either would refuse,
// or silently take for something else, fails the test.

import assert from 'node:assert/strict'

/** What was scraped: the value of each series by its name and labels, the latter in order. */
export type Series = ReadonlyMap<string, number>

const NAME = '[a-zA-Z_:][a-zA-Z0-9_:]*'
const LABEL = String.raw`([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\[\\"n])*)"`
const LABELS = String.raw`(?:\{(${LABEL}(?:,${LABEL})*)\})?`
const SAMPLE = new RegExp(String.raw`^(${NAME})${LABELS} (\S+)$`)
// OpenMetrics 1.0, "Exemplars".
const EXEMPLAR = new RegExp(
  String.raw`^(.* \S+) # \{((?:${LABEL}(?:,${LABEL})*)?)\} (\S+) (\d+\.\d+)$`,
)
const LONGEST_EXEMPLAR = 128
// As Go's ParseFloat reads it, for which the case of the words is nothing.
const VALUE = /^(-?\d+(\.\d+)?(e[+-]\d+)?|[+-]Inf|NaN)$/i

interface Family {
  readonly name: string
  readonly type: string
}

/** Reads Prometheus' own text. */
export const readPrometheus = (text: string): Series => {
  assert.ok(text.endsWith('\n'))
  return readFamilies(
    text.split('\n').filter((line) => line !== ''),
    false,
  )
}

/** Reads OpenMetrics. */
export const readOpenMetrics = (text: string): Series => {
  assert.ok(text.endsWith('\n# EOF\n'), 'it ends with EOF')
  const lines = text.slice(0, -'\n# EOF\n'.length).split('\n')
  assert.ok(!lines.includes(''), 'no empty lines')
  return readFamilies(lines, true)
}

const readFamilies = (lines: readonly string[], open: boolean): Series => {
  const series = new Map<string, number>()
  const seen = new Set<string>()
  let family: Family | undefined
  for (const [index, line] of lines.entries()) {
    if (line.startsWith('# HELP ')) {
      const name = line.split(' ')[2] ?? ''
      assert.match(name, new RegExp(`^${NAME}$`))
      assert.ok(!seen.has(name), `${name} stands in one place`)
      seen.add(name)
      const type = new RegExp(`^# TYPE ${name} (counter|gauge|histogram)$`).exec(
        lines[index + 1] ?? '',
      )?.[1]
      assert.ok(type !== undefined, `${name} has a type`)
      if (type === 'counter') assert.equal(name.endsWith('_total'), !open, name)
      family = { name, type }
    } else if (line.startsWith('# UNIT ')) {
      assert.ok(open && family !== undefined, line)
      assert.equal(line, `# UNIT ${family.name} ${family.name.split('_').at(-1)}`)
    } else if (!line.startsWith('# TYPE ')) {
      assert.ok(family !== undefined)
      readSample(open ? withoutExemplar(line, family) : line, family, series, open)
    }
  }
  checkHistograms(series)
  return series
}

const withoutExemplar = (line: string, { type }: Family): string => {
  if (!line.includes(' # {')) return line
  const [, sample = '', labels = ''] = EXEMPLAR.exec(line) ?? assert.fail(`no exemplar: ${line}`)
  assert.equal(type, 'histogram')
  assert.ok(labels.replaceAll(/[=",]/g, '').length <= LONGEST_EXEMPLAR, line)
  return sample
}

const SUFFIXES: Readonly<Record<string, readonly string[]>> = {
  gauge: [''],
  histogram: ['_bucket', '_sum', '_count'],
}

const readSample = (
  line: string,
  { name, type }: Family,
  series: Map<string, number>,
  open: boolean,
): void => {
  const [, sample = '', labels = ''] = SAMPLE.exec(line) ?? assert.fail(`no sample: ${line}`)
  const suffixes = SUFFIXES[type] ?? [open ? '_total' : '']
  assert.ok(
    suffixes.some((suffix) => sample === name + suffix),
    `${sample} is of ${name}`,
  )
  const text = line.slice(line.lastIndexOf(' ') + 1)
  assert.match(text, VALUE)
  const value = Number(text.replace('Inf', 'Infinity').replace(/nan/i, 'NaN'))
  if (type !== 'gauge') assert.ok(value >= 0, line)
  const pairs = [...labels.matchAll(new RegExp(LABEL, 'g'))].map(([pair]) => pair).toSorted()
  const key = pairs.length === 0 ? sample : `${sample}{${pairs.join(',')}}`
  assert.ok(!series.has(key), `${key} stands there once`)
  series.set(key, value)
}

/** Buckets hold those before them, and the last one all. */
const checkHistograms = (series: Map<string, number>): void => {
  const last = new Map<string, { readonly bound: number; readonly total: number }>()
  for (const [key, total] of series) {
    const bound = /_bucket\{.*?le="([^"]+)"/.exec(key)?.[1]
    if (bound === undefined) continue
    const rest = key.replace(/le="[^"]+",?/, '').replace(/,?\}$/, '}')
    const before = last.get(rest) ?? { bound: Number.NEGATIVE_INFINITY, total: 0 }
    const next = { bound: Number(bound.replace('Inf', 'Infinity')), total }
    assert.ok(next.bound > before.bound && next.total >= before.total, key)
    last.set(rest, next)
  }
  for (const [rest, { bound, total }] of last) {
    assert.equal(bound, Number.POSITIVE_INFINITY)
    const count = rest.replace('_bucket{', '_count{').replace('{}', '')
    assert.equal(series.get(count), total, count)
  }
}
