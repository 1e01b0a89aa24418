// Refusals → answers: what the caller sees of each, in text or problem+json. The form of Kubernetes is
// in kubernetes-status.test.ts, what rules say themselves in rule-answer.test.ts.

import assert from 'node:assert/strict'
import { STATUS_CODES } from 'node:http'
import { describe, it } from 'node:test'
import { DECISION_HEADER } from '../../../src/check/answer/answer.ts'
import { PUBLIC_ANSWERS, statusOf } from '../../../src/check/answer/public-answers.ts'
import type { Refusal } from '../../../src/check/answer/public-refusal.ts'
import type { CheckContext } from '../../../src/check/context.ts'
import { deny } from '../../../src/check/decision.ts'
import { fakeAuthenticator } from '../../fakes/authenticator.ts'
import { requestOf } from '../../fakes/envoy.ts'
import { routeOf } from '../../fakes/route.ts'
import { ID, refuse, refuseBy, valuesOf } from './refusing.ts'
import { REFUSALS } from './refusals.ts'

/** Every refusal that there is: the compiler sees to it that none is left out. */
const STATUS: Readonly<Record<Refusal, number>> = {
  'target-too-long': 414,
  'header-fields-too-large': 431,
  'too-many-parameters': 400,
  'malformed-method': 400,
  'malformed-host': 400,
  'malformed-path': 400,
  'ambiguous-path': 400,
  'ambiguous-query': 400,
  'duplicate-credential': 400,
  'connection-nomination': 400,
  impersonation: 403,
  'impersonation-malformed': 400,
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
  'user-restricted': 401,
  'password-expired': 401,
  'password-must-change': 401,
  'second-factor-required': 401,
  'too-many-attempts': 429,
  'rate-limited': 429,
  'token-expired': 401,
  'token-not-yet-valid': 401,
  'token-audience': 401,
  'token-signature': 401,
  'token-algorithm': 401,
  'token-type': 401,
  'token-claims': 401,
  'token-key-unknown': 401,
  'token-binding': 401,
  'token-inactive': 401,
  'proof-invalid': 401,
  'proof-replayed': 401,
  'api-key-unknown': 401,
  'api-key-expired': 401,
  'session-ended': 401,
  'cross-origin': 403,
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
  'rule-failed': 403,
  'operation-undefined': 403,
  'scope-missing': 403,
  'authorizer-unavailable': 503,
  'header-unrepresentable': 403,
  'header-unmapped': 403,
  'header-reserved': 403,
  'headers-too-large': 403,
  'token-unmapped': 403,
  'token-reserved': 403,
  'token-missing': 403,
  'exchange-refused': 403,
  'certificate-unrepresentable': 403,
  'certificate-reserved': 403,
  'certificate-too-large': 403,
  'certificate-missing': 403,
  'certificate-unreadable': 403,
  'credential-expired': 401,
  'transform-unavailable': 503,
  cancelled: 503,
  'deadline-exceeded': 503,
  'internal-error': 503,
  'audit-unavailable': 503,
}

// google.rpc.Code, which Envoy's access log shows.
const GRPC: Readonly<Record<number, number>> = {
  400: 3,
  401: 16,
  403: 7,
  414: 3,
  429: 8,
  431: 3,
  503: 14,
}

/** Those of which a rule is the reason. */
const BY_RULE: ReadonlySet<Refusal> = new Set(['rule-denied', 'rule-failed'])

const route = routeOf({
  authenticators: [
    fakeAuthenticator('a', { outcome: 'not-applicable' }, 'Bearer'),
    fakeAuthenticator('b', { outcome: 'not-applicable' }, 'Basic realm="x"'),
  ],
})

const accepting = (accept: string): CheckContext => ({
  request: requestOf({ headers: [['accept', accept]] }),
})

describe('the answer to a refusal', () => {
  it('has a public message for every reason', () => {
    assert.deepEqual(new Set(REFUSALS), new Set(Object.keys(STATUS)))
  })

  for (const reason of REFUSALS) {
    it(`for ${reason} is an explicit deny, with its status, its id and without a cause`, () => {
      const known = { claimedUser: 'alice', detail: 'hidden', rule: 'a-rule', cause: 'secret' }
      const answer = refuse({ reason, ...known }, { route })
      const status = STATUS[reason]
      assert.equal(answer.httpStatus, status)
      assert.equal(statusOf(deny({ route }, reason, known)), status) // as audit has it
      assert.equal(answer.grpcStatus, GRPC[status])
      assert.deepEqual(valuesOf(answer, DECISION_HEADER), [ID])
      assert.deepEqual(valuesOf(answer, 'cache-control'), ['no-store'])
      assert.deepEqual(valuesOf(answer, 'x-content-type-options'), ['nosniff'])
      assert.deepEqual(valuesOf(answer, 'content-type'), ['text/plain; charset=utf-8'])
      assert.deepEqual(valuesOf(answer, 'retry-after'), [429, 503].includes(status) ? ['5'] : [])
      const challenges = status === 401 ? ['Bearer', 'Basic realm="x"'] : []
      const scopes = reason === 'scope-missing' ? ['Bearer error="insufficient_scope"'] : []
      assert.deepEqual(valuesOf(answer, 'www-authenticate'), [...challenges, ...scopes])
      const rule = BY_RULE.has(reason) ? 'Rule: a-rule\n' : ''
      assert.equal(
        answer.body,
        `${status} ${STATUS_CODES[status]}\n\n${PUBLIC_ANSWERS[reason].text}\n${rule}Decision: ${ID}\n`,
      )
      // Neither who, nor why exactly; the rule only where it is the reason.
      assert.doesNotMatch(JSON.stringify(answer), /secret|alice|hidden/)
      assert.equal(JSON.stringify(answer).includes('a-rule'), BY_RULE.has(reason))
    })
  }

  it('is the same for an unknown user, a wrong password and a disabled account', () => {
    const answers = (['user-unknown', 'credential-wrong', 'user-disabled'] as const).map((reason) =>
      refuse({ reason }, { route }),
    )
    assert.deepEqual(new Set(answers.map((answer) => JSON.stringify(answer))).size, 1)
  })

  it('has Retry-After where that is known', () => {
    const retryAfter = 900
    assert.deepEqual(valuesOf(refuse({ reason: 'too-many-attempts', retryAfter }), 'retry-after'), [
      '900',
    ])
    assert.deepEqual(
      valuesOf(refuse({ reason: 'credential-wrong', retryAfter }), 'retry-after'),
      [],
    )
  })

  it('has no challenge without a route', () => {
    assert.deepEqual(valuesOf(refuse({ reason: 'credential-missing' }), 'www-authenticate'), [])
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
      const answer = refuse({ reason: 'no-rule' }, accepting(accept))
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

  for (const reason of BY_RULE) {
    it(`names the rule in problem+json for ${reason}`, () => {
      const denial = { reason, rule: 'no-secrets' }
      const { body } = refuse(denial, accepting('application/json'))
      assert.deepEqual(JSON.parse(body), {
        title: 'Forbidden',
        status: 403,
        detail: PUBLIC_ANSWERS[reason].text,
        rule: 'no-secrets',
        decision: ID,
      })
    })
  }

  it('has no title for a status without a reason phrase', () => {
    const rule = { deny: 'odd', response: { status: 499, message: 'No.', headers: {} } }
    const text = refuseBy(rule)
    assert.equal(text.body, `499\n\nNo.\nRule: odd\nDecision: ${ID}\n`)
    const json = refuseBy(rule, accepting('application/json'))
    assert.deepEqual(JSON.parse(json.body), {
      status: 499,
      detail: 'No.',
      rule: 'odd',
      decision: ID,
    })
  })
})
