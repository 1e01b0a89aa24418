// Rules, callers and requests at random, and checks of them that are logged and replayed.

import assert from 'node:assert/strict'
import type { AccessReviewer } from '../../../src/authorize/authorizer.ts'
import { readDecision, type Outcome } from '../../../src/tools/replay/recorded-event.ts'
import type { Replay, Replayed } from '../../../src/tools/replay/replay.ts'
import type { Snapshot } from '../../../src/check/snapshot.ts'
import type { RuleConfig } from '../../../src/authorize/schema.ts'
import type { ProvenCredential } from '../../../src/identity/identity.ts'
import type { Transformer } from '../../../src/transform/transformer.ts'
import type { EventFields } from '../../fakes/audit-lines.ts'
import { credentialOf, fakeAuthenticator } from '../../fakes/authenticator.ts'
import type { FakeClock } from '../../fakes/clock.ts'
import type { RequestParts } from '../../fakes/envoy.ts'
import type { RuleParts } from '../../fakes/rules.ts'
import { snapshotOf } from '../../fakes/snapshot.ts'

/** Integers from 0 up to, and without, the argument. */
export type Random = (below: number) => number

/** What a route publishes. */
export type Kind = 'http' | 'kubernetes'

const USERS = ['alice', 'bob', 'carol', 'ci-1', 'ü', 'a b']
const GROUPS = ['dev', 'ops', 'qa', 'team-a', 'team-b']
const HOSTS = ['app.example.org', 'b.example.org', 'other.test']
const PATHS: Readonly<Record<Kind, readonly string[]>> = {
  http: ['/', '/a', '/a/b', '/a/b/c', '/home/alice', '/a%20b?x=1&y', '/s/?watch=1', '/a/'],
  kubernetes: [
    '/api/v1/pods',
    '/api/v1/pods?watch=1',
    '/api/v1/namespaces/a/pods?fieldSelector=metadata.name%3Dx&limit=5',
    '/api/v1/namespaces/a/pods/x',
    '/api/v1/namespaces/b/pods/x/log?follow=true',
    '/apis/apps/v1/namespaces/a/deployments?labelSelector=a%3Db',
    '/api/v1/namespaces/a/secrets?watch=true',
    '/healthz',
    '/api',
  ],
}
const CONDITIONS = [
  'identity.user == "alice"',
  '"ops" in identity.groups',
  'request.path.startsWith("/a")',
  'request.source == "203.0.113.7" && request.method == "GET"',
  'request.time.getHours() < 12',
  'request.path.split("/")[2] == "b"', // fails for short paths
  'identity.method == "basic" && identity.authenticator == "staff"',
]
const KUBERNETES_CONDITIONS = ['kubernetes.verb == "watch"', '!kubernetes.impersonates']

// What a log does not tell; among them those that come to a plain answer without it.
const UNRECORDED_CONDITIONS = [
  'has(identity.uid)',
  'identity.?uid.orValue("") == "7"',
  '!has(claims.sub)',
  'claims.sub == "x"',
  'request.?headers["x-kind"].orValue([]) == ["odd"]',
  'request.headers["x-kind"] == ["odd"]',
  'has(request.query.watch)',
  'request.serverName == "app.example.org"',
  'identity.extra == {"team": ["a"]}',
]

/** Some of the values, one at least. */
const some = <T>(random: Random, values: readonly T[]): T[] => {
  const chosen = values.filter(() => random(3) === 0)
  return chosen.length > 0 ? chosen : values.slice(0, 1)
}

/** One of the values. */
export const one = <T>(random: Random, values: readonly T[]): T => {
  const value = values[random(values.length)]
  assert.ok(value !== undefined)
  return value
}

/** @param recorded whether the rule looks only at what a log contains */
export const randomRule = (
  random: Random,
  kind: Kind,
  name: string,
  recorded: boolean,
): Partial<RuleConfig> => {
  const maybe = <T extends object>(make: () => T): T | object => (random(4) === 0 ? make() : {})
  const kubernetes = (): object => ({
    ...maybe(() => ({ verbs: some(random, ['get', 'list', 'watch', 'delete']) })),
    ...maybe(() => ({ apiGroups: some(random, ['', 'apps']) })),
    ...maybe(() => ({ resources: some(random, ['pods', 'pods/log', 'secrets', 'dep*']) })),
    ...maybe(() => ({ namespaces: some(random, ['a', 'b', '']) })),
    ...maybe(() => ({ names: some(random, ['x', 'y*']) })),
    ...maybe(() => ({ impersonate: one(random, [{}, { users: ['bob'] }, { groups: ['dev'] }]) })),
  })
  const conditions = [
    ...CONDITIONS,
    ...(kind === 'http' ? [] : KUBERNETES_CONDITIONS),
    ...(recorded ? [] : UNRECORDED_CONDITIONS),
    ...(recorded || kind === 'http' ? [] : ['kubernetes.fieldSelector == ""']),
  ]
  return {
    ...(random(3) === 0 ? { deny: name } : { allow: name }),
    shadow: random(6) === 0,
    ...maybe(() => ({ users: some(random, [...USERS, 'c*']) })),
    ...maybe(() => ({ groups: some(random, [...GROUPS, 'team-*']) })),
    ...maybe(() => ({ methods: some(random, ['GET', 'PUT', 'DELETE']) })),
    ...maybe(() => ({ hosts: some(random, ['app.example.org', '*.example.org']) })),
    ...maybe(() => ({ paths: some(random, ['/a/**', '/a/*', '/home/{who}', '/api/v1/**']) })),
    ...maybe(() => ({ sources: some(random, ['203.0.113.0/24', '::1']) })),
    ...maybe(() => ({ authenticators: some(random, ['staff', 'cards']) })),
    ...maybe(() => ({ times: [{ from: '08:00', to: '16:00', timeZone: 'UTC' }] })),
    ...maybe(() => ({ when: one(random, conditions) })),
    ...(kind === 'kubernetes' ? kubernetes() : {}),
    ...(recorded ? {} : maybe(() => ({ subjectAccessReview: random(2) === 0 }))),
  }
}

/** Rules, and lists of them. */
export const randomRules = (random: Random, kind: Kind, recorded: boolean): RuleParts[] =>
  Array.from({ length: 1 + random(8) }, (_, index) => {
    if (random(6) > 0) return randomRule(random, kind, `r${index}`, recorded)
    const rules = [0, 1].map((place) => randomRule(random, kind, `r${index}-${place}`, recorded))
    return { list: `l${index}`, shadow: random(2) === 0, rules }
  })

/** Who asks. */
export const randomCaller = (random: Random): Partial<ProvenCredential> => ({
  user: one(random, USERS),
  groups: some(random, GROUPS),
  ...(random(2) === 0 ? { uid: '7', claims: { sub: 'x' }, extra: { team: ['a'] } } : {}),
})

/** @param recorded whether the log contains the impersonated user */
export const randomRequest = (random: Random, kind: Kind, recorded: boolean): RequestParts => ({
  method: one(random, ['GET', 'GET', 'PUT', 'DELETE']),
  host: one(random, HOSTS),
  path: one(random, PATHS[kind]),
  sourceAddress: one(random, ['203.0.113.7', '198.51.100.1', '::1', '']),
  headers: [
    ['x-kind', one(random, ['odd', 'even'])],
    ...(random(4) === 0 ? ([['impersonate-user', one(random, USERS.slice(0, 3))]] as const) : []),
    ...(!recorded && random(8) === 0
      ? ([
          ['impersonate-user', 'bob'],
          ['impersonate-extra-scopes', 'v'],
        ] as const)
      : []),
  ],
  serverName: one(random, ['app.example.org', '']),
})

/** Refuses after the rules have allowed. */
const NOT_CAROL: Transformer = {
  kind: 'headers',
  transform: ({ identity: { user } }) =>
    Promise.resolve(
      user === 'carol'
        ? { outcome: 'failed', code: 'headers-too-large' }
        : { outcome: 'transformed', forwarding: { setHeaders: [], repeatedHeaders: [] } },
    ),
}

/** Answers yes to some and no to the rest. */
const REVIEWER: AccessReviewer = {
  review: ({ identity: { user } }) =>
    Promise.resolve({ outcome: 'reviewed', allowed: user < 'bob' }),
}

/** A configuration with these rules, at that time, with a given identity. */
export const withRules = (
  rules: readonly RuleParts[],
  kind: Kind,
  query: 'full' | 'names' | 'none',
  who: () => Partial<ProvenCredential>,
  clock: FakeClock,
): Snapshot => {
  const staff = fakeAuthenticator('staff', async () => ({
    outcome: 'authenticated',
    credential: credentialOf(who()),
  }))
  const route = {
    authenticators: [staff],
    rules,
    kind,
    transformers: [NOT_CAROL],
    reviewer: REVIEWER,
  }
  return { ...snapshotOf([route], { query }), clock }
}

/** As the file has it, read: what the rules came to, if they had a say. */
export const outcomeOf = (line: EventFields): Outcome | undefined => {
  const reading = readDecision(JSON.parse(JSON.stringify(line)))
  assert.equal(reading.outcome, 'decision', JSON.stringify(reading))
  return reading.decision.asked?.outcome
}

/** The decision of the line, made again. */
export const replayLine = (replay: Replay, line: EventFields): Replayed => {
  const reading = readDecision(JSON.parse(JSON.stringify(line)))
  assert.equal(reading.outcome, 'decision')
  assert.ok(reading.decision.asked)
  return replay.decide(reading.decision.asked)
}

/** As one text, to compare. */
export const textOf = ({ decision, reason, rule }: Outcome): string =>
  `${decision} ${reason} ${rule}`
