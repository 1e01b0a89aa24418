// Whatever the rules, the request and the caller: an explanation and the check that it explains never
// disagree, and the rules say of each other what the order of rules means.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Authentication } from '../../../src/authenticate/authenticator.ts'
import type { AccessReviewer, Review } from '../../../src/authorize/authorizer.ts'
import type { RuleExplanation } from '../../../src/authorize/explain.ts'
import { respond } from '../../../src/check/answer/response.ts'
import { check } from '../../../src/check/check.ts'
import type { CheckContext } from '../../../src/check/context.ts'
import type { Decision } from '../../../src/check/decision.ts'
import { explain, type ExplainState, type Explanation } from '../../../src/tools/explain/explain.ts'
import { simulate, type Simulation } from '../../../src/tools/simulation.ts'
import type { RuleConfig } from '../../../src/authorize/schema.ts'
import { credentialOf, fakeAuthenticator } from '../../fakes/authenticator.ts'
import { attributesOf, type HeaderLines, type RequestParts } from '../../fakes/envoy.ts'
import { identityOf } from '../../fakes/identity.ts'
import type { RuleParts } from '../../fakes/rules.ts'
import { Seeded } from '../../fakes/seeded.ts'
import { snapshotOf } from '../../fakes/snapshot.ts'

const AT = Date.UTC(2026, 0, 1, 12)
const FOREVER = new AbortController().signal

type Kind = 'http' | 'kubernetes'

const PATHS = ['/', '/a', '/a/b', '/b/c/d', '/health'] as const
const KUBERNETES_PATHS = [
  '/api/v1/namespaces/dev/pods',
  '/api/v1/namespaces/dev/pods/x/exec',
  '/api/v1/namespaces/prod/secrets/s',
  '/api/v1/secrets',
  '/apis/apps/v1/namespaces/dev/deployments/d',
  '/healthz',
] as const
// The last two fail for many requests: a missing key, and a key without a value.
const CONDITIONS = [
  'identity.user == "alice"',
  'request.method != "GET"',
  '"dev" in identity.groups',
  'request.headers["x-mark"][0] == "1"',
  'claims.level > 2',
] as const

const matchersOf = (random: Seeded, kind: Kind): Partial<RuleConfig> => {
  const maybe = <T>(probability: number, make: () => T): T | undefined =>
    random.chance(probability) ? make() : undefined
  const common = {
    users: maybe(0.25, () => random.some(['alice', 'bob', 'a*', '*'])),
    groups: maybe(0.25, () => random.some(['dev', 'ops', 'o*'])),
    authenticators: maybe(0.1, () => random.some(['staff', 'tokens'])),
    methods: maybe(0.2, () => random.some(['GET', 'POST', 'DELETE'])),
    hosts: maybe(0.15, () => random.some(['app.example.org', '*.example.org', 'other.example'])),
    sources: maybe(0.1, () => random.some(['203.0.113.0/24', '10.0.0.0/8'])),
    when: maybe(0.2, () => random.pick(CONDITIONS)),
    times: maybe(0.1, () => [
      {
        timeZone: 'UTC',
        ...(random.chance(0.5) ? { from: '08:00', to: '18:00' } : { days: ['sun'] }),
      },
    ]) as RuleConfig['times'],
  }
  if (kind === 'http') {
    const paths = maybe(0.35, () => random.some(['/a', '/a/**', '/*', '/b/{name}/**', '/**']))
    return { ...common, paths }
  }
  return {
    ...common,
    verbs: maybe(0.3, () => random.some(['get', 'list', 'create', 'delete', '*'])),
    resources: maybe(0.3, () => random.some(['pods', 'pods/*', 'secrets', 'deployments', '*'])),
    namespaces: maybe(0.3, () => random.some(['dev', 'prod', 'd*'])),
    apiGroups: maybe(0.1, () => random.some(['', 'apps'])),
    impersonate: maybe(0.2, () => ({ users: random.some(['bob', '*']) })),
  }
}

const ruleOf = (random: Seeded, kind: Kind, name: string): Partial<RuleConfig> => {
  const parts = {
    ...matchersOf(random, kind),
    shadow: random.chance(0.25),
    ...(random.chance(0.15) ? { subjectAccessReview: random.chance(0.7) } : {}),
  }
  const rule = Object.fromEntries(Object.entries(parts).filter(([, value]) => value !== undefined))
  if (random.chance(0.6)) return { ...rule, allow: name }
  if (random.chance(0.7)) return { ...rule, deny: name }
  return random.chance(0.5)
    ? { ...rule, deny: name, redirect: '/login?next={url}' }
    : { ...rule, deny: name, response: { status: 451, message: 'no', headers: { 'x-why': 'law' } } }
}

const rulesOf = (random: Seeded, kind: Kind): readonly RuleParts[] =>
  Array.from({ length: 1 + random.below(9) }, (_, index): RuleParts => {
    if (!random.chance(0.25)) return ruleOf(random, kind, `r${index}`)
    const rules = Array.from({ length: 1 + random.below(4) }, (__, inner) =>
      ruleOf(random, kind, `r${index}-${inner}`),
    )
    return { list: `l${index}`, shadow: random.chance(0.4), rules }
  })

const requestOf = (random: Seeded, kind: Kind): RequestParts => {
  const headers: (readonly [string, string])[] = []
  if (random.chance(0.5)) headers.push(['x-mark', random.pick(['1', '2'])])
  if (random.chance(0.1)) headers.push(['impersonate-user', random.pick(['bob', 'system:x'])])
  if (random.chance(0.3)) headers.push(['authorization', 'Bearer secret'], ['x-remote-user', 'eve'])
  if (random.chance(0.3)) headers.push(['accept', 'application/json'])
  const path = kind === 'http' ? random.pick(PATHS) : random.pick(KUBERNETES_PATHS)
  return {
    method: random.pick(['GET', 'POST', 'DELETE']),
    host: random.pick(['app.example.org', 'app.example.org:443', 'other.example', 'else.test']),
    path: random.chance(0.03) ? `${path}/../x` : `${path}${random.pick(['', '?a=1', '?token=t'])}`,
    sourceAddress: random.pick(['203.0.113.7', '10.1.2.3', '']),
    headers: headers satisfies HeaderLines,
  }
}

const reviewOf = (random: Seeded): Review =>
  random.pick<Review>([
    { outcome: 'reviewed', allowed: true },
    { outcome: 'reviewed', allowed: false },
    { outcome: 'unavailable', cause: new Error('down') },
  ])

const givenOf = (random: Seeded): Simulation => {
  const review = reviewOf(random)
  const reviewer: AccessReviewer = { review: () => Promise.resolve(review) }
  const user = random.pick(['alice', 'bob', 'carol', 'al\nice'])
  const groups = (['dev', 'ops', 'mail'] as const).filter(() => random.chance(0.4))
  const claims = random.chance(0.5) ? { level: random.below(5) } : undefined
  return {
    identity: random.chance(0.8) ? identityOf({ user, groups, claims }) : undefined,
    ...(random.chance(0.7) ? { reviewer } : {}),
  }
}

const authenticationOf = (random: Seeded): Authentication =>
  random.pick<Authentication>([
    { outcome: 'authenticated', credential: credentialOf({ groups: ['dev'] }) },
    { outcome: 'authenticated', credential: credentialOf({ groups: ['system:masters'] }) },
    { outcome: 'not-applicable' },
    { outcome: 'rejected', code: 'credential-wrong', user: 'alice' },
    { outcome: 'unavailable', cause: new Error('down') },
  ])

const stateOf = (random: Seeded, kind: Kind): ExplainState => {
  const review = reviewOf(random)
  const snapshot = snapshotOf([
    { name: 'never', match: { hosts: ['never.example'] } },
    {
      name: 'app',
      kind,
      rules: rulesOf(random, kind),
      reviewer: { review: () => Promise.resolve(review) },
      authenticators: ['staff', 'tokens'].map((name) =>
        fakeAuthenticator(name, authenticationOf(random)),
      ),
      match: { hosts: ['*.example.org', 'other.example'] },
    },
  ])
  return { ...snapshot, clock: { now: () => AT, monotonic: () => 0 } }
}

/** Which rule decides, read off the rules one by one, without index and without `evaluate`. */
const decisiveRule = (
  { route, identity, request, target }: CheckContext,
  review: unknown,
): string => {
  if (route === undefined || identity === undefined || request === undefined) return 'none'
  const question = { identity, request, ...target, at: AT }
  for (const rule of route.authorizer.policy.rules) {
    if (rule.shadow) continue
    const answers = rule.matchers.map((matcher) => () => matcher.test(question))
    const first = answers.find((test) => test() !== true)?.()
    if (first === false) continue
    if (first !== undefined) return `failed ${rule.name}`
    if (rule.review === undefined) return `${rule.effect} ${rule.name}`
    if (typeof review !== 'boolean') return 'unavailable'
    if (review === rule.review) return `${rule.effect} ${rule.name}`
  }
  return 'none'
}

const decidedBy = (decision: Decision): string => {
  if (decision.outcome === 'allow') return `allow ${decision.permit.rule}`
  if (decision.reason === 'rule-failed') return `failed ${decision.rule}`
  if (decision.reason === 'authorizer-unavailable') return 'unavailable'
  if (decision.rule === undefined) return 'none'
  return `${decision.reason === 'rule-denied' ? 'deny' : 'allow'} ${decision.rule}`
}

const assertOrder = (rules: readonly RuleExplanation[], decision: Decision): void => {
  const decides = ({ outcome }: RuleExplanation): boolean =>
    outcome === 'hit' || outcome === 'failed'
  const at = rules.findIndex(decides)
  assert.equal(rules.filter(decides).length, at === -1 ? 0 : 1)
  const ruled = decision.outcome === 'allow' ? decision.permit.rule : decision.rule
  if (ruled !== undefined) assert.equal(rules[at]?.name, ruled)
  const before = at === -1 ? rules : rules.slice(0, at)
  for (const { outcome, list, position } of before) {
    if (outcome === 'miss' || outcome === 'shadow') continue
    // Silent only behind one of its own list that spoke.
    assert.equal(outcome, 'not-reached')
    assert.ok(
      before.some(
        (other) => other.outcome === 'shadow' && other.list === list && other.position < position,
      ),
    )
  }
  if (at === -1) return
  for (const { outcome, matchers } of rules.slice(at + 1)) {
    assert.deepEqual([outcome, matchers], ['not-reached', []])
  }
}

const assertMatchers = ({ outcome, shadow, matchers }: RuleExplanation): void => {
  const first = matchers.find((matcher) => matcher.outcome !== 'hit')?.outcome
  if (outcome === 'hit') assert.equal(first, undefined)
  if (outcome === 'miss') assert.equal(first, 'miss')
  if (outcome === 'failed') assert.equal(first, 'failed')
  if (outcome === 'shadow') assert.equal(first, shadow === 'failed' ? 'failed' : undefined)
}

const assertAgreement = (
  { authorize, transform, answer, identity, route }: Explanation,
  decision: Decision,
): void => {
  const rule = decision.outcome === 'allow' ? decision.permit.rule : decision.rule
  assert.deepEqual(
    [answer.decision, answer.reason, answer.rule, route.name, identity.identity?.user],
    [
      decision.outcome,
      decision.reason,
      rule,
      decision.context.route?.name,
      decision.context.identity?.user,
    ],
  )
  const expected = respond('00000000-0000-0000-0000-000000000000', decision, AT)
  if (expected.allow) {
    const lines = expected.setHeaders.map(([name, value]) => ({ name, values: [value] }))
    assert.deepEqual(transform.set, [...lines, ...expected.repeatedHeaders])
    assert.deepEqual(transform.remove, expected.removeHeaders)
  } else {
    assert.deepEqual([answer.status, answer.body], [expected.httpStatus, expected.body])
    assert.equal(transform.set.length, 0)
  }
  if (answer.reason !== 'authorizer-unavailable' && authorize.outcome !== 'not-reached') {
    const shadows = authorize.rules.flatMap(({ name, shadow }) =>
      shadow === undefined ? [] : [{ rule: name, decision: shadow }],
    )
    assert.deepEqual(shadows, decision.context.shadows)
  }
}

describe('an explanation', () => {
  it('never disagrees with the check', async () => {
    const seen = new Map<string, number>()
    const count = (what: string): void => void seen.set(what, (seen.get(what) ?? 0) + 1)
    for (let seed = 0; seed < 600; seed += 1) {
      const random = new Seeded(seed)
      const kind = random.pick(['http', 'kubernetes'] as const)
      const state = stateOf(random, kind)
      for (let turn = 0; turn < 8; turn += 1) {
        const attributes = attributesOf(requestOf(random, kind))
        const given = givenOf(random)
        const decision = await check(attributes, simulate(state, given), FOREVER)
        const explanation = await explain(attributes, state, given, FOREVER)
        const { authorize } = explanation
        try {
          assertAgreement(explanation, decision)
          if (authorize.outcome !== 'not-reached') {
            const { review } = authorize
            const answered = review === 'unavailable' ? undefined : review === 'allowed'
            assert.equal(decidedBy(decision), decisiveRule(decision.context, answered))
          }
          assertOrder(authorize.rules, decision)
          authorize.rules.forEach(assertMatchers)
          assert.ok(!JSON.stringify(explanation).includes('Bearer secret'))
        } catch (cause) {
          throw new Error(`seed ${seed}, turn ${turn}`, { cause })
        }
        count(decision.reason)
        for (const { outcome, shadow } of authorize.rules) count(`rule ${shadow ?? outcome}`)
      }
    }
    // Nothing of this was missed by chance.
    const wanted = ['permitted', 'rule-denied', 'rule-failed', 'no-rule', 'no-route']
    const more = ['ambiguous-path', 'impersonation', 'credential-wrong', 'authorizer-unavailable']
    const rules = ['hit', 'miss', 'failed', 'not-reached', 'allow', 'deny']
    const rare = [...wanted, ...more, ...rules.map((outcome) => `rule ${outcome}`)].filter(
      (what) => (seen.get(what) ?? 0) < 20,
    )
    assert.deepEqual(rare, [], JSON.stringify(Object.fromEntries(seen)))
  })
})
