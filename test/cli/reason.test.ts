// `countersign reason`: cause and remedy of a reason code.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { countersign } from './run.ts'

describe('countersign reason', () => {
  it('prints cause, remedy, status and public text of a reason of a decision', async () => {
    const { status, stdout, stderr } = await countersign(['reason', 'token-audience'])
    assert.equal(status, 0)
    assert.equal(stderr, '')
    assert.match(stdout, /^token-audience {2}in decisions of authz\n/)
    assert.match(stdout, /\n {2}cause +The `aud` of the token/)
    assert.match(stdout, /\n {2}remedy +Request a token for this audience/)
    assert.match(stdout, /\n {2}status +401\n {2}response +The credential was not accepted/)
  })

  it('prints both meanings of a code that authz and the signer use', async () => {
    const { stdout } = await countersign(['reason', 'audit-unavailable'])
    assert.match(
      stdout,
      /in decisions of authz\n[^]*\n\naudit-unavailable {2}in refusals of the signer\n/,
    )
  })

  it('prints no HTTP status for a reason that only logins have', async () => {
    const { status, stdout } = await countersign(['reason', 'provider-refused'])
    assert.equal(status, 0)
    assert.match(stdout, /in logins at the issuer/)
    assert.doesNotMatch(stdout, /status|response/)
  })

  it('lists all codes without an argument, sorted', async () => {
    const { status, stdout } = await countersign(['reason'])
    const codes = stdout.trim().split('\n')
    assert.equal(status, 0)
    assert.deepEqual(codes, codes.toSorted())
    assert.ok(codes.includes('grant-forged') && codes.includes('no-rule'))
  })

  for (const code of ['no-such-reason', 'toString', '__proto__']) {
    it(`refuses ${code}, which is not a code, and says how to list them`, async () => {
      const { status, stdout, stderr } = await countersign(['reason', code])
      assert.equal(status, 1)
      assert.equal(stdout, '')
      assert.match(stderr, /is not a reason code; "countersign reason" lists all of them/)
    })
  }
})
