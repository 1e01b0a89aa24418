// Rules in shadow, replayed: what they would have said is compared with what they say.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { Replay } from '../../../src/tools/replay/replay.ts'
import { askedIn, decisionLine, type EventFields } from '../../fakes/audit-lines.ts'
import { fakeAuthenticator } from '../../fakes/authenticator.ts'
import { routesOf } from '../../fakes/route.ts'
import type { RuleParts } from '../../fakes/rules.ts'

const STAFF = fakeAuthenticator('staff', { outcome: 'not-applicable' })

describe('rules in shadow', () => {
  const shadowsOf = (line: EventFields, ...rules: readonly RuleParts[]): unknown => {
    const routes = routesOf({ authenticators: [STAFF], rules: [...rules, { allow: 'all' }] })
    const now = new Replay(routes).decide(askedIn(line))
    assert.equal(now.outcome, 'same')
    return now.shadows
  }

  it('are compared with what they said then', () => {
    const before = [
      { rule: 'gone', decision: 'deny' },
      { rule: 'kept', decision: 'allow' },
      { rule: 'turned', decision: 'allow' },
    ]
    assert.deepEqual(
      shadowsOf(
        decisionLine({ shadow: before }),
        { allow: 'kept', shadow: true },
        { deny: 'turned', shadow: true },
        { deny: 'new', shadow: true, methods: ['GET'] },
        { deny: 'missed', shadow: true, methods: ['PUT'] },
      ),
      [
        { rule: 'gone', before: 'deny', after: 'none' },
        { rule: 'turned', before: 'allow', after: 'deny' },
        { rule: 'new', before: 'none', after: 'deny' },
      ],
    )
  })

  it('are not said to fail for what the log does not tell', () => {
    const line = decisionLine({ shadow: [{ rule: 'odd', decision: 'allow' }] })
    assert.deepEqual(shadowsOf(line, { allow: 'odd', shadow: true, when: 'has(identity.uid)' }), [])
    assert.deepEqual(shadowsOf(line, { allow: 'odd', shadow: true, subjectAccessReview: true }), [])
    const failing = 'request.path.split("/")[7] == ""'
    assert.deepEqual(shadowsOf(line, { allow: 'odd', shadow: true, when: failing }), [
      { rule: 'odd', before: 'allow', after: 'failed' },
    ])
  })
})
