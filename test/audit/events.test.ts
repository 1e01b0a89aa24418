// The schemas of audit events, and the recorded lines that the reference shows.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { recordedLines } from '../../scripts/reference/audit.ts'
import { auditLineSchema, EVENT_SCHEMAS } from '../../src/audit/events/events-schema.ts'
import { auditLine } from '../../src/audit/line.ts'
import { jsonSchema } from '../../src/cli/schemas.ts'
import { textOf } from '../docs/markdown.ts'
import { verifyLines } from '../tools/audit-log/logs.ts'

const lines = recordedLines()

const NAMES = Object.values(EVENT_SCHEMAS)
  .flat()
  .map(({ shape }) => shape.event.value)

describe('the recorded lines of the reference', () => {
  for (const [index, line] of lines.entries()) {
    it(`are as the schema says in line ${index + 1}`, () => {
      const { success, error } = auditLineSchema.safeParse(JSON.parse(line))
      assert.ok(success, String(error))
    })

    it(`are as the code writes them in line ${index + 1}`, () => {
      const event = auditLineSchema.parse(JSON.parse(line))
      const { log: _, time, chain, seq, hash, ...fields } = event
      const written = auditLine(fields, Date.parse(time))
      assert.deepEqual({ ...JSON.parse(`${written}}`), chain, seq, hash }, JSON.parse(line))
      if (event.event === 'decision') assert.ok(line.startsWith(written))
    })
  }

  it('are chained', async () => {
    const { findings, chains } = await verifyLines(lines)
    assert.deepEqual([findings, chains.length], [[], 2])
  })

  for (const name of NAMES) {
    it(`have an event ${name}`, () => {
      assert.ok(lines.some((line) => line.includes(`"event":"${name}"`)))
    })
  }
})

describe('the schema of a line', () => {
  it('has each event of the vocabulary once', () => {
    const all = auditLineSchema.options.map(({ shape }) => shape.event.value)
    assert.deepEqual(all.toSorted(), NAMES.toSorted())
  })

  it('refuses an unknown field, an unknown reason and an unknown event', () => {
    const [line = ''] = lines
    const decision: Record<string, unknown> = JSON.parse(line)
    for (const other of [{ extra: 1 }, { reason: 'because' }, { event: 'decided' }]) {
      assert.equal(auditLineSchema.safeParse({ ...decision, ...other }).success, false)
    }
  })

  it('is published without a ban on further fields, which a later release may add', () => {
    assert.doesNotMatch(jsonSchema(auditLineSchema), /additionalProperties/)
    assert.match(textOf('schema/countersign.schema.json'), /"additionalProperties": false/)
  })

  it('has a meaning for every event', () => {
    for (const schema of Object.values(EVENT_SCHEMAS).flat()) assert.ok(schema.description)
  })
})
