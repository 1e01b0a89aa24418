// What a rule says itself when it refuses: `answer` and `redirect`.

import assert from 'node:assert/strict'
import { deny } from '../../../src/check/decision.ts'
import { describe, it } from 'node:test'
import { statusOf } from '../../../src/check/answer/public-answers.ts'
import type { RuleAnswer } from '../../../src/authorize/schema.ts'
import { fakeAuthenticator } from '../../fakes/authenticator.ts'
import type { HeaderLines } from '../../fakes/envoy.ts'
import type { RuleParts } from '../../fakes/rules.ts'
import { policyOf } from '../../fakes/rules.ts'
import { headersOf, ID, refuse, refuseBy, contextOf, valuesOf } from './refusing.ts'

const answering = (answer: Partial<RuleAnswer>): RuleParts => ({
  deny: 'closed',
  response: { status: 403, headers: {}, ...answer },
})

const TEXT = 'text/plain; charset=utf-8'

describe('the configured answer of a rule', () => {
  it('has its status and its message, as text', () => {
    const answer = refuseBy(answering({ status: 503, message: 'We are closed on Sundays.' }))
    assert.equal(answer.httpStatus, 503)
    assert.equal(
      answer.body,
      `503 Service Unavailable\n\nWe are closed on Sundays.\nRule: closed\nDecision: ${ID}\n`,
    )
    assert.deepEqual(headersOf(answer), {
      'x-countersign-decision': [ID],
      'content-type': [TEXT],
      'cache-control': ['no-store'],
      'x-content-type-options': ['nosniff'],
    })
  })

  it('has its status and its message in problem+json', () => {
    const context = contextOf({ headers: [['accept', 'application/json']] })
    const { body } = refuseBy(answering({ status: 404, message: 'No "such" thing.' }), context)
    assert.deepEqual(JSON.parse(body), {
      title: 'Not Found',
      status: 404,
      detail: 'No "such" thing.',
      rule: 'closed',
      decision: ID,
    })
  })

  const BODIES = [
    { name: 'without placeholders', input: '{"a":1}', want: '{"a":1}' },
    { name: 'that is empty', input: '', want: '' },
    {
      name: 'with placeholders',
      input: '{decision}/{rule}/{decision}',
      want: `${ID}/closed/${ID}`,
    },
    {
      name: 'with braces that are not a placeholder',
      input: '{url} {x} {Rule}',
      want: '{url} {x} {Rule}',
    },
    { name: 'with patterns of String.replace', input: '$& {rule} $1', want: '$& closed $1' },
  ]
  for (const { name, input, want } of BODIES) {
    it(`has a body ${name}, for every client`, () => {
      for (const accept of ['text/html', 'application/json']) {
        const answer = refuseBy(
          answering({ body: input }),
          contextOf({ headers: [['accept', accept]] }),
        )
        assert.equal(answer.body, want)
        assert.deepEqual(valuesOf(answer, 'content-type'), [TEXT])
      }
    })
  }

  it('has its headers, and the headers of every refusal', () => {
    const headers = {
      'content-type': 'text/html',
      'cache-control': 'max-age=60',
      'retry-after': '3600',
      'x-note': 'a b',
    }
    assert.deepEqual(headersOf(refuseBy(answering({ body: '<p>', headers }))), {
      'x-countersign-decision': [ID],
      'content-type': ['text/html'],
      'cache-control': ['max-age=60'],
      'x-content-type-options': ['nosniff'],
      'retry-after': ['3600'],
      'x-note': ['a b'],
    })
  })

  const invited = {
    authenticators: [fakeAuthenticator('a', { outcome: 'not-applicable' }, 'Basic realm="x"')],
  }

  it('of 401 has the route’s challenges, unless it has its own', () => {
    const context = contextOf({}, invited)
    const usual = refuseBy(answering({ status: 401 }), context)
    assert.deepEqual(valuesOf(usual, 'www-authenticate'), ['Basic realm="x"'])
    const headers = { 'www-authenticate': 'Negotiate' }
    const own = refuseBy(answering({ status: 401, headers }), context)
    assert.deepEqual(valuesOf(own, 'www-authenticate'), ['Negotiate'])
  })

  it('is used for a refusal by that rule alone', () => {
    const [rule] = policyOf([answering({ status: 418, body: 'mine' })]).rules
    assert.ok(rule !== undefined)
    const answer = refuse({ reason: 'audit-unavailable', deniedBy: rule }, contextOf())
    assert.equal(answer.httpStatus, 503)
    assert.doesNotMatch(answer.body, /mine/)
  })

  const CODES = [
    { status: 400, want: 3 },
    { status: 401, want: 16 },
    { status: 402, want: 7 },
    { status: 403, want: 7 },
    { status: 404, want: 5 },
    { status: 409, want: 10 },
    { status: 418, want: 7 },
    { status: 429, want: 8 },
    { status: 451, want: 7 },
    { status: 499, want: 7 },
    { status: 500, want: 14 },
    { status: 503, want: 14 },
    { status: 599, want: 14 },
  ]
  for (const { status, want } of CODES) {
    it(`of ${status} is google.rpc.Code ${want} for Envoy, and ${status} in audit`, () => {
      const rule = answering({ status })
      assert.equal(refuseBy(rule).grpcStatus, want)
      const [compiled] = policyOf([rule]).rules
      assert.ok(compiled !== undefined)
      assert.equal(statusOf(deny({}, 'rule-denied', { deniedBy: compiled })), status)
    })
  }

  it('is never code 0 for Envoy, which would mean "allow"', () => {
    for (let status = 400; status < 600; status += 1) {
      assert.ok(refuseBy(answering({ status })).grpcStatus > 0)
    }
    assert.ok(refuseBy({ deny: 'x', redirect: '/' }).grpcStatus > 0)
  })
})

describe('the configured redirect of a rule', () => {
  const location = (
    redirect: string,
    request: Parameters<typeof contextOf>[0] = {},
    route: Parameters<typeof contextOf>[1] = {},
  ): string => {
    const answer = refuseBy({ deny: 'login', redirect }, contextOf(request, route))
    assert.equal(answer.httpStatus, 302)
    const [value = '', ...more] = valuesOf(answer, 'location')
    assert.deepEqual(more, [])
    assert.match(value, /^[\x21-\x7e]+$/)
    return value
  }

  it('is 302 with the decision id, and must not be cached', () => {
    const answer = refuseBy({ deny: 'login', redirect: 'https://login.example.org/' })
    assert.deepEqual(headersOf(answer), {
      'x-countersign-decision': [ID],
      'content-type': [TEXT],
      'cache-control': ['no-store'],
      'x-content-type-options': ['nosniff'],
      location: ['https://login.example.org/'],
    })
    assert.match(answer.body, /^302 Found\n\n/)
  })

  const SCHEMES: readonly { name: string; headers: HeaderLines; want: string }[] = [
    { name: 'of X-Forwarded-Proto', headers: [['x-forwarded-proto', 'http']], want: 'http' },
    {
      name: 'of X-Forwarded-Proto in capitals',
      headers: [['x-forwarded-proto', 'HTTPS']],
      want: 'https',
    },
    { name: 'https without X-Forwarded-Proto', headers: [], want: 'https' },
    {
      name: 'https with an unknown X-Forwarded-Proto (hostile)',
      headers: [['x-forwarded-proto', 'javascript']],
      want: 'https',
    },
    {
      name: 'https with a list in X-Forwarded-Proto',
      headers: [['x-forwarded-proto', 'http, https']],
      want: 'https',
    },
  ]
  for (const { name, headers, want } of SCHEMES) {
    it(`has a URL with the scheme ${name}`, () => {
      const request = { headers, host: 'app.example.org:8443', path: '/a?b=c&d=%20' }
      assert.equal(
        location('/login?next={url}&id={decision}', request),
        `/login?next=${want}%3A%2F%2Fapp.example.org%3A8443%2Fa%3Fb%3Dc%26d%3D%2520&id=${ID}`,
      )
    })
  }

  it('replaces placeholders once: those in the request’s URL stay', () => {
    assert.equal(
      location('/?{url}', { path: '/{decision}' }),
      '/?https%3A%2F%2Fapp.example.org%2F%7Bdecision%7D',
    )
    assert.equal(location('/{rule}'), '/{rule}')
  })

  it('does not forward a credential from the query', () => {
    const key = fakeAuthenticator('a', { outcome: 'not-applicable' }, 'Key', [
      { kind: 'query', name: 'key' },
    ])
    const route = { authenticators: [key] }
    assert.equal(
      location('/?{url}', { path: '/%61?key=s3cret&x=1' }, route),
      '/?https%3A%2F%2Fapp.example.org%2F%2561%3Fx%3D1',
    )
    assert.equal(
      location('/?{url}', { path: '/a?key=s3cret' }, route),
      '/?https%3A%2F%2Fapp.example.org%2Fa',
    )
  })

  it('has the origin alone where the URL is too long', () => {
    assert.equal(
      location('/?{url}', { path: `/?${'x'.repeat(50_000)}` }),
      '/?https%3A%2F%2Fapp.example.org%2F',
    )
  })

  it('replaces lone surrogates in the URL', () => {
    const context = contextOf()
    const attributes = { ...context.attributes, path: '/\ud800' }
    const answer = refuseBy({ deny: 'login', redirect: '/?{url}' }, { ...context, attributes })
    assert.deepEqual(valuesOf(answer, 'location'), ['/?https%3A%2F%2Fapp.example.org%2F%EF%BF%BD'])
  })
})
