// docs/reference/audit-log.md lists the reasons of refusals that the code has, and no other.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { PUBLIC_ANSWERS } from '../../src/check/answer/public-answers.ts'
import { codeSpansOf, textOf } from './markdown.ts'

describe('the page of the audit log', () => {
  it('lists every reason of a decision', () => {
    const row = textOf('docs/reference/audit-log.md')
      .split('\n')
      .find((line) => line.startsWith('| `reason` | why'))
    const [, , ...reasons] = codeSpansOf(row ?? '') // after `reason` and `permitted`
    assert.deepEqual(reasons.toSorted(), Object.keys(PUBLIC_ANSWERS).toSorted())
  })
})
