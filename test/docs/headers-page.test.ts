// docs/reference/headers.md and http-answers.md: every header and status of the code, and no credential in an example.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { DECISION_HEADER } from '../../src/check/answer/answer.ts'
import { PUBLIC_ANSWERS } from '../../src/check/answer/public-answers.ts'
import { STRIPPED_NAMES, STRIPPED_PREFIXES } from '../../src/request/stripped-headers.ts'
import { textOf } from './markdown.ts'

describe('the page of headers', () => {
  const page = textOf('docs/reference/headers.md')

  it('has every header that is removed from requests', () => {
    for (const name of [...STRIPPED_NAMES, ...STRIPPED_PREFIXES])
      assert.ok(page.includes(name), name)
  })

  it('has an example of each set of identity headers', () => {
    for (const line of [
      'x-remote-user: alice',
      'impersonate-group: ops',
      'x-webauth-user: alice',
      'x-forwarded-user: alice',
    ]) {
      assert.ok(page.includes(line), line)
    }
  })
})

describe('the page of HTTP answers', () => {
  const page = textOf('docs/reference/http-answers.md')

  it('has each reason in the row of its status', () => {
    for (const [reason, { status }] of Object.entries(PUBLIC_ANSWERS)) {
      const row = page.split('\n').find((line) => line.startsWith(`| ${status} |`)) ?? ''
      assert.ok(row.includes(`(reasons.md#${reason})`), reason)
    }
  })

  it('has a body of each form, with the decision id', () => {
    for (const type of [
      'text/plain; charset=utf-8',
      'application/problem+json',
      'application/json',
    ]) {
      assert.ok(page.includes(`content-type: ${type}\n`), type)
    }
    assert.equal(page.split(`${DECISION_HEADER}: 00000000`).length, 5)
  })
})
