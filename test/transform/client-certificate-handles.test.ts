// How many handles, and so certificates and connections, the credentials of one account come to.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { identityOf } from '../fakes/identity.ts'
import { Granting } from './granting.ts'

describe('the end of a credential', () => {
  it('of thousands of tokens of three accounts makes a bounded number of handles', () => {
    const route = new Granting()
    const now = route.clock.now()
    const handles = new Set<string>()
    for (let token = 1; token <= 6_000; token++) {
      const user = `account-${token % 3}`
      const handle = route.handle(identityOf({ user, expires: now + token * 1_200 }))
      handles.add(`${user} ${handle}`)
    }
    assert.ok(handles.size <= 3 * 60, `${handles.size} handles`)
  })
})
