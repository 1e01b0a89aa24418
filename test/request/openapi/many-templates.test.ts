// Descriptions whose templates are alike: what a request is compared with is bounded.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { OperationIndex } from '../../../src/request/openapi/operation-index.ts'
import type { Operation } from '../../../src/request/openapi/operation.ts'
import { cpuTime } from '../../fakes/cpu-time.ts'
import { openapi, operation, read } from './documents.ts'

// Measured: 1 to 3 ms. 858 ms with 50,000 templates of one place and no limit.
const MOST_MS = 20

const operationAt = (template: string): Operation => ({
  id: `GET ${template}`,
  method: 'GET',
  template,
  tags: [],
  deprecated: false,
  scopes: [[]],
})

const indexOf = (templates: readonly string[]): OperationIndex =>
  new OperationIndex(templates.map(operationAt), '')

const range = (count: number): readonly number[] => Array.from({ length: count }, (_, n) => n)

/** CPU time in milliseconds, the least of three. */
const timeOf = (find: () => unknown): number =>
  Math.min(
    ...range(3).map(() => {
      const started = cpuTime()
      find()
      return cpuTime() - started
    }),
  )

describe('segments with parameters and text in one place', () => {
  const templates = (count: number): readonly string[] => range(count).map((n) => `/{a}-x${n}-{b}`)

  it('may be 100', () => {
    const finding = indexOf(templates(100)).find('GET', '/one-x99-two')
    assert.equal(finding.outcome, 'matched')
    assert.deepEqual({ ...finding.parameters }, { a: 'one', b: 'two' })
  })

  it('may not be more, as the reading of the description says', async () => {
    const document = openapi({
      paths: Object.fromEntries(templates(101).map((path) => [path, { get: operation() }])),
    })
    await assert.rejects(read(document), {
      code: 'malformed-openapi',
      message: /^#\/paths\/~1\{a\}-x100-\{b\}: more than 100 different segments with a parameter/,
    })
  })

  it('are counted in each place alone', () =>
    assert.equal(
      indexOf(range(200).map((n) => `/${n % 4}/{a}.${n}`)).find('GET', '/3/name.199').outcome,
      'matched',
    ))
})

describe('a path that many templates fit', () => {
  const HOSTILE = {
    'of two places': [
      range(100).flatMap((n) =>
        range(100).map((m) => `/{a}-${'x'.repeat(n)}{b}/{c}-${'y'.repeat(m)}{d}`),
      ),
      `/a-${'x'.repeat(8_000)}/a-${'y'.repeat(8_000)}`,
    ],
    'of one place': [range(100).map((n) => `/{a}-${'x'.repeat(n)}{b}`), `/a-${'x'.repeat(16_000)}`],
    'with parameters or text in each place': [
      range(4_096).map(
        (n) =>
          `/${range(12)
            .map((at) => ((n >> at) % 2 === 1 ? 'x' : `{p${at}}`))
            .join('/')}`,
      ),
      '/x'.repeat(12),
    ],
  } as const
  for (const [name, [templates, path]] of Object.entries(HOSTILE)) {
    it(`${name} is ambiguous, and soon`, () => {
      const index = indexOf(templates)
      assert.equal(index.find('GET', path).outcome, 'ambiguous')
      const took = timeOf(() => index.find('GET', path))
      assert.ok(took < MOST_MS, `${took} ms`)
    })
  }
})
