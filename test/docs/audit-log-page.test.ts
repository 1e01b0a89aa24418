// docs/reference/audit-log.md and reasons.md speak of the events and reasons that the code has.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { EVENT_SCHEMAS } from '../../src/audit/events/events-schema.ts'
import { reasonCodes } from '../../src/audit/reasons/reasons.ts'
import { codeSpansOf, headingsOf, textOf } from './markdown.ts'

const NAMES = Object.values(EVENT_SCHEMAS)
  .flat()
  .map(({ shape }) => shape.event.value)

describe('the page of the audit log', () => {
  it('names events of the vocabulary alone', () => {
    const events = codeSpansOf(textOf('docs/reference/audit-log.md')).filter((code) =>
      /^(login|session|sessions|tokens|certificate|configuration|refusals)-[a-z-]+$/.test(code),
    )
    // `session-ended` and its like are reasons.
    const unknown = events.filter(
      (code) => !NAMES.some((name) => name === code) && !reasonCodes().includes(code),
    )
    assert.deepEqual(unknown, [])
    assert.ok(events.length > 5)
  })
})

it('the page of reason codes has a heading for each code', () => {
  const headings = headingsOf(textOf('docs/reference/reasons.md'), 3)
  assert.deepEqual(
    [...new Set(headings.map((heading) => heading.replace(' (signer)', '')))].toSorted(),
    reasonCodes(),
  )
})

it('the page of audit events has a heading for each event', () => {
  const headings = headingsOf(textOf('docs/reference/audit-events.md'), 3)
  assert.deepEqual(headings.toSorted(), NAMES.toSorted())
})
