// Decisions → answers: what the caller sees of every refusal, and what Envoy is told of an allow.

import assert from 'node:assert/strict'
import { STATUS_CODES } from 'node:http'
import { describe, it } from 'node:test'
import type { DenyAnswer } from '../../src/check/answer.ts'
import { PUBLIC_ANSWERS, type Refusal, type Trail } from '../../src/check/decision.ts'
import { DECISION_HEADER, respond } from '../../src/check/response.ts'
import { fakeAuthenticator } from '../fakes/authenticator.ts'
import { requestOf } from '../fakes/envoy.ts'
import { permitFor } from '../fakes/permit.ts'
import { routeOf } from '../fakes/route.ts'

const ID = '6f1d'
const NOW = Date.UTC(2026, 0, 1)

/** Every refusal that there is: the compiler sees to it that none is left out. */
const STATUS: Readonly<Record<Refusal, number>> = {
  'malformed-method': 400,
  'malformed-host': 400,
  'malformed-path': 400,
  'ambiguous-path': 400,
  'duplicate-credential': 400,
  'connection-nomination': 400,
  impersonation: 403,
  'no-route': 403,
  'credential-missing': 401,
  'credential-unsupported': 401,
  'credential-conflict': 400,
  'credential-malformed': 401,
  'credential-wrong': 401,
  'user-unknown': 401,
  'user-disabled': 401,
  'user-locked': 401,
  'user-expired': 401,
  'user-not-now': 401,
  'password-expired': 401,
  'password-must-change': 401,
  'second-factor-required': 401,
  'too-many-attempts': 429,
  'token-expired': 401,
  'token-not-yet-valid': 401,
  'token-audience': 401,
  'token-signature': 401,
  'token-algorithm': 401,
  'token-type': 401,
  'token-claims': 401,
  'token-key-unknown': 401,
  'token-unbound': 401,
  'token-inactive': 401,
  'proof-invalid': 401,
  'proof-replayed': 401,
  'api-key-unknown': 401,
  'api-key-expired': 401,
  'certificate-untrusted': 401,
  'certificate-expired': 401,
  'certificate-not-yet-valid': 401,
  'certificate-purpose': 401,
  'certificate-weak': 401,
  'certificate-revoked': 401,
  'certificate-denied': 401,
  'certificate-status-unknown': 401,
  'identity-reserved': 403,
  'identity-unrepresentable': 403,
  'identity-unmapped': 403,
  'identity-too-large': 403,
  'authenticator-unavailable': 503,
  'rule-denied': 403,
  'no-rule': 403,
  'header-unrepresentable': 403,
  'headers-too-large': 403,
  'certificate-unrepresentable': 403,
  'certificate-reserved': 403,
  'certificate-too-large': 403,
  'certificate-missing': 403,
  'certificate-unreadable': 403,
  'credential-expired': 401,
  'transform-unavailable': 503,
  cancelled: 503,
  'too-slow': 503,
  fault: 503,
  'audit-unavailable': 503,
}

const REFUSALS = Object.keys(PUBLIC_ANSWERS).filter(
  (reason): reason is Refusal => reason in PUBLIC_ANSWERS,
)

// google.rpc.Code, which Envoy's access log shows.
const GRPC: Readonly<Record<number, number>> = { 400: 3, 401: 16, 403: 7, 429: 8, 503: 14 }

const refuse = (reason: Refusal, trail: Trail = {}): DenyAnswer => {
  const answer = respond(
    ID,
    { outcome: 'deny', reason, rule: 'a-rule', cause: 'secret' },
    trail,
    NOW,
  )
  assert.ok(!answer.allow)
  return answer
}

const valuesOf = ({ headers }: DenyAnswer, name: string): readonly string[] =>
  headers.filter(([candidate]) => candidate === name).map(([, value]) => value)

const route = routeOf({
  authenticators: [
    fakeAuthenticator('a', { outcome: 'not-applicable' }, 'Bearer'),
    fakeAuthenticator('b', { outcome: 'not-applicable' }, 'Basic realm="x"'),
  ],
})

const accepting = (accept: string): Trail => ({
  request: requestOf({ headers: [['accept', accept]] }),
})

describe('a refusal', () => {
  it('has a public face for every reason', () => {
    assert.deepEqual(new Set(REFUSALS), new Set(Object.keys(STATUS)))
  })

  for (const reason of REFUSALS) {
    it(`for ${reason} is explicit, with its status, its id and no cause`, () => {
      const answer = refuse(reason, { route, claimedUser: 'alice' })
      const status = STATUS[reason]
      assert.equal(answer.httpStatus, status)
      assert.equal(answer.grpcStatus, GRPC[status])
      assert.deepEqual(valuesOf(answer, DECISION_HEADER), [ID])
      assert.deepEqual(valuesOf(answer, 'cache-control'), ['no-store'])
      assert.deepEqual(valuesOf(answer, 'x-content-type-options'), ['nosniff'])
      assert.deepEqual(valuesOf(answer, 'content-type'), ['text/plain; charset=utf-8'])
      assert.deepEqual(valuesOf(answer, 'retry-after'), [429, 503].includes(status) ? ['5'] : [])
      const challenges = status === 401 ? ['Bearer', 'Basic realm="x"'] : []
      assert.deepEqual(valuesOf(answer, 'www-authenticate'), challenges)
      assert.equal(
        answer.body,
        `${status} ${STATUS_CODES[status]}\n\n${PUBLIC_ANSWERS[reason].text}\nDecision: ${ID}\n`,
      )
      // Neither who, nor by which rule, nor why exactly.
      assert.doesNotMatch(JSON.stringify(answer), /secret|alice|a-rule/)
    })
  }

  it('says the same of an unknown user, a wrong password and a disabled account', () => {
    const answers = (['user-unknown', 'credential-wrong', 'user-disabled'] as const).map((reason) =>
      refuse(reason, { route }),
    )
    assert.deepEqual(new Set(answers.map((answer) => JSON.stringify(answer))).size, 1)
  })

  it('says when to come back, where that is known', () => {
    const trail: Trail = { retryAfter: 900 }
    assert.deepEqual(valuesOf(refuse('too-many-attempts', trail), 'retry-after'), ['900'])
    assert.deepEqual(valuesOf(refuse('credential-wrong', trail), 'retry-after'), [])
  })

  it('does not tell a rule that refuses from none that allows', () => {
    assert.deepEqual(refuse('rule-denied', { route }), refuse('no-rule', { route }))
  })

  it('has no challenge where no route is known', () => {
    assert.deepEqual(valuesOf(refuse('credential-missing'), 'www-authenticate'), [])
  })
})

describe('the body of a refusal', () => {
  const CASES = [
    { accept: 'application/json', json: true },
    { accept: 'application/problem+json', json: true },
    { accept: 'application/json, */*', json: true },
    { accept: 'Application/JSON;q=0.9', json: true },
    { accept: 'text/html,application/xhtml+xml,application/json;q=0.9', json: false },
    { accept: 'text/html', json: false },
    { accept: '*/*', json: false },
    { accept: '', json: false },
    { accept: 'application/jsonx', json: false },
    { accept: 'application/vnd.kubernetes.protobuf', json: false },
  ]
  for (const { accept, json } of CASES) {
    it(`is ${json ? 'problem+json' : 'text'} for "${accept}"`, () => {
      const answer = refuse('no-rule', accepting(accept))
      const type = json ? 'application/problem+json' : 'text/plain; charset=utf-8'
      assert.deepEqual(valuesOf(answer, 'content-type'), [type])
      if (!json) return
      assert.deepEqual(JSON.parse(answer.body), {
        title: 'Forbidden',
        status: 403,
        detail: PUBLIC_ANSWERS['no-rule'].text,
        decision: ID,
      })
    })
  }
})

describe('an allow', () => {
  it('hands on what was made, and the id for the caller', () => {
    const credentials = {
      setHeaders: [['x-remote-user', 'alice']],
      removeHeaders: ['authorization'],
      repeatedHeaders: [{ name: 'x-remote-group', values: ['a', 'b'] }],
      kinds: ['headers'],
    } as const
    const permit = permitFor()
    const decision = { outcome: 'allow', reason: 'permitted', permit, credentials } as const
    assert.deepEqual(respond(ID, decision, {}, NOW), {
      allow: true,
      setHeaders: [['x-remote-user', 'alice']],
      removeHeaders: ['authorization'],
      repeatedHeaders: [{ name: 'x-remote-group', values: ['a', 'b'] }],
      responseHeaders: [[DECISION_HEADER, ID]],
    })
  })

  it('hands on the name of the certificate, and not what logs call it', () => {
    const credentials = {
      setHeaders: [],
      removeHeaders: [],
      repeatedHeaders: [],
      secret: { name: 'a-handle', digest: 'its-digest' },
      kinds: ['certificate'],
    } as const
    const decision = {
      outcome: 'allow',
      reason: 'permitted',
      permit: permitFor(),
      credentials,
    } as const
    const answer = respond(ID, decision, {}, NOW)
    assert.ok(answer.allow)
    assert.equal(answer.upstreamSecret, 'a-handle')
    assert.doesNotMatch(JSON.stringify(answer), /its-digest/)
  })

  const ENDS: readonly { name: string; expires: number | undefined; want: string | undefined }[] = [
    { name: 'has no end', expires: undefined, want: undefined },
    { name: 'ends in a minute', expires: NOW + 60_000.7, want: '60000' },
    { name: 'ended within the skew of clocks', expires: NOW - 5_000, want: '1000' },
    { name: 'ends in a month and a half', expires: NOW + 45 * 86_400_000, want: undefined },
  ]
  for (const { name, expires, want } of ENDS) {
    it(`ends with its credential, which ${name}`, () => {
      const credentials = { setHeaders: [], removeHeaders: [], repeatedHeaders: [], kinds: [] }
      const permit = permitFor({ expires })
      const decision = { outcome: 'allow', reason: 'permitted', permit, credentials } as const
      const answer = respond(ID, decision, {}, NOW)
      assert.ok(answer.allow)
      assert.deepEqual(
        answer.setHeaders,
        want === undefined ? [] : [['x-envoy-upstream-stream-duration-ms', want]],
      )
    })
  }
})
