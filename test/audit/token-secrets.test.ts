// Invariant: a bearer token appears in no audit event, no log line and no answer, whatever the
// outcome.

import assert from 'node:assert/strict'
import { before, describe, it } from 'node:test'
import type { RejectionCode } from '../../src/authenticate/authenticator.ts'
import type { KeySet } from '../../src/authenticate/bearer/key-set.ts'
import { bearerWith, conditionOf } from '../authenticate/bearer/asking.ts'
import { claimsOf, keySetOf, makeKey, NOW, type IssuerKey } from '../authenticate/bearer/issuing.ts'
import { startRoute } from '../fakes/service.ts'

let key: IssuerKey
let attacker: IssuerKey
before(async () => {
  key = await makeKey()
  attacker = await makeKey()
})

type Claims = Readonly<Record<string, unknown>>

interface Case {
  readonly reason:
    | 'permitted'
    | 'authenticator-unavailable'
    | 'credential-unsupported'
    | RejectionCode
  readonly token: () => string | Promise<string>
}

const claiming = (claims: Claims, header?: Claims) => (): Promise<string> =>
  key.token(claimsOf({ admin: false, ...claims }), header)

const CASES: readonly Case[] = [
  { reason: 'permitted', token: claiming({}) },
  { reason: 'credential-unsupported', token: claiming({ iss: 'https://other' }) },
  { reason: 'credential-malformed', token: async () => `${await key.token()},x` },
  { reason: 'credential-malformed', token: async () => `${await key.token()}.x` },
  { reason: 'token-expired', token: claiming({ exp: NOW - 60 }) },
  { reason: 'token-not-yet-valid', token: claiming({ nbf: NOW + 60 }) },
  { reason: 'token-audience', token: claiming({ aud: 'other' }) },
  { reason: 'token-signature', token: () => attacker.token() },
  { reason: 'token-algorithm', token: async () => await (await makeKey('RS384')).token() },
  { reason: 'token-type', token: claiming({}, { typ: 'dpop+jwt' }) },
  { reason: 'token-claims', token: claiming({ admin: true }) },
  { reason: 'token-key-unknown', token: claiming({}, { kid: 'k2' }) },
  { reason: 'token-binding', token: claiming({ cnf: { jkt: 'x' } }) },
]

/** Every piece of a token that an attacker could use. */
const assertClean = (token: string, text: string): void => {
  for (const part of token.split(/[.,]/)) {
    if (part.length > 3) assert.ok(!text.includes(part), `${part} in ${text}`)
  }
}

const check = async (keys: KeySet, token: string, reason: string): Promise<void> => {
  const require = conditionOf('!has(claims.admin) || !claims.admin')
  await using service = await startRoute({ authenticators: [bearerWith(keys, { require })] })
  const outcome = await service.client.check({ headers: [['authorization', `Bearer ${token}`]] })
  const reasons = service.audit.events.map((event) => 'reason' in event && event.reason)
  assert.deepEqual(reasons, [reason])
  assertClean(token, JSON.stringify(outcome))
  assertClean(token, JSON.stringify(service.audit.events))
  assertClean(token, service.log.join('\n'))
}

describe('a bearer token, in logs and answers', () => {
  for (const { reason, token } of CASES) {
    it(`leaves no trace: ${reason}`, async () => await check(keySetOf(key), await token(), reason))
  }

  it('leaves no trace when its issuer is down', async () => {
    const cause = new Error('no route to host')
    const keys: KeySet = {
      current: () => undefined,
      newer: () => Promise.resolve({ outcome: 'unavailable', cause }),
    }
    await check(keys, await key.token(), 'authenticator-unavailable')
  })
})
