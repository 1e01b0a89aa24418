// `when`: the outcome of an expression that cannot be evaluated, and when it is not even evaluated.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { evaluate } from '../../../src/authorize/evaluate.ts'
import { decide } from '../../fakes/decide.ts'
import { questionOf, type QuestionParts } from '../../fakes/question.ts'
import { policyOf } from '../../fakes/rules.ts'

describe('a condition that cannot be evaluated', () => {
  const CASES = [
    {
      name: 'a missing header',
      when: 'request.headers["x"][0] == "1"',
      want: /^no_such_key \(at character 1\)$/,
    },
    {
      name: 'a missing claim',
      when: 'true && claims.a.b == 1',
      want: /^no_such_key \(at character \d+\)$/,
    },
    {
      name: 'a claim of another type',
      when: 'claims.level > "a"',
      want: /^\w+ \(at character \d+\)$/,
    },
    {
      name: 'a claim that is not a bool',
      when: 'claims.level',
      want: /^yields a number, where bool belongs$/,
    },
    {
      name: 'a header line beyond the last',
      when: 'request.headers["h"][1] == "x"',
      want: /^index_out_of_bounds/,
    },
    {
      name: 'the second of one header line',
      when: 'true &&\n  claims.none == 1',
      want: /at line 2, character \d+/,
    },
    {
      name: 'a regular expression that the client sent',
      when: '"a".matches(request.headers["h"][0])',
      want: /^regular_expression/,
    },
    { name: 'a missing uid', when: 'identity.uid == "x"', want: /^no_such_key/ },
  ] as const
  const parts: QuestionParts = {
    identity: { claims: { level: 3n } },
    request: { headers: [['h', '(secret-value']] },
  }
  for (const { name, when, want } of CASES) {
    it(`refuses the request, with the position: ${name}`, () => {
      for (const effect of ['allow', 'deny']) {
        const verdict = evaluate(
          policyOf([{ [effect]: 'first', when }, { allow: 'rest' }]),
          questionOf(parts),
        )
        assert.equal(verdict.outcome, 'failed')
        assert.equal(verdict.rule.name, 'first')
        assert.match(verdict.detail, want)
        assert.doesNotMatch(verdict.detail, /secret-value/)
      }
    })
  }

  it('is not evaluated where a cheaper matcher does not match', () => {
    const when = 'claims.none == 1'
    for (const miss of [
      { users: ['bob'] },
      { groups: ['none'] },
      { authenticators: ['other'] },
      { methods: ['POST'] },
      { hosts: ['other'] },
      { paths: ['/other'] },
      { sources: ['10.0.0.0/8'] },
      { times: [{ timeZone: 'UTC', until: '2000-01-01T00:00:00Z' }] },
    ]) {
      assert.equal(
        decide([{ deny: 'first', when, ...miss }, { allow: 'rest' }]),
        'allow:rest',
        JSON.stringify(miss),
      )
    }
    const kubernetes = [{ deny: 'first', when, resources: ['secrets'] }, { allow: 'rest' }]
    assert.equal(decide(kubernetes, {}, { kind: 'kubernetes' }), 'allow:rest')
  })

  it('over fields that an audit log lacks', () => {
    const question = { ...questionOf(), recorded: true }
    const outcome = (when: string): string =>
      evaluate(policyOf([{ allow: 'match', when, paths: ['/**'] }]), question).outcome
    assert.equal(
      outcome('request.path == "/" && identity.user == "alice" && request.method == "GET"'),
      'permit',
    )
    for (const when of [
      'size(request.headers) == 0',
      'size(request.query) == 0',
      'size(claims) == 0',
      'certificate.serial == ""',
      'has(identity.uid)',
      'size(identity.extra) == 0',
      '!has(request.serverName)',
      '!has(request.query)',
    ]) {
      // `has` of an unknown is undetermined too.
      assert.equal(outcome(when), 'failed', when)
    }
  })
})
