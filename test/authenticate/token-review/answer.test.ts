// The status of a TokenReview: accepted only if it is authenticated, complete, and for a requested audience.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { readReview, type ReviewReading } from '../../../src/authenticate/token-review/answer.ts'
import type { JsonObject } from '../../../src/runtime/json-object.ts'

const NAME = 'system:serviceaccount:team-a:builder'
const USER = {
  username: NAME,
  uid: 'a-b-c',
  groups: ['system:serviceaccounts', 'system:serviceaccounts:team-a', 'system:authenticated'],
  extra: { 'authentication.kubernetes.io/pod-name': ['web-0'] },
}

/** A review with this status. */
const reviewOf = (status: unknown, changes: JsonObject = {}): JsonObject => ({
  kind: 'TokenReview',
  apiVersion: 'authentication.k8s.io/v1',
  metadata: { creationTimestamp: null },
  spec: { token: 't' },
  status,
  ...changes,
})

const good = (changes: JsonObject = {}): JsonObject => ({
  authenticated: true,
  user: USER,
  audiences: ['countersign', 'other'],
  ...changes,
})

const codeOf = (reading: ReviewReading): string =>
  reading.outcome === 'rejected' ? reading.code : reading.outcome

interface Case {
  readonly name: string
  readonly review: JsonObject
  readonly audiences?: readonly string[]
  readonly want: string
}

const CASES: readonly Case[] = [
  { name: 'an authenticated one', review: reviewOf(good()), want: 'authenticated' },
  {
    name: 'one for the requested audience',
    review: reviewOf(good()),
    audiences: ['x', 'countersign'],
    want: 'authenticated',
  },
  {
    name: 'one for another audience',
    review: reviewOf(good()),
    audiences: ['x'],
    want: 'token-audience',
  },
  {
    name: 'hostile: one of a server that does not support audiences',
    review: reviewOf(good({ audiences: undefined })),
    audiences: ['countersign'],
    want: 'token-audience',
  },
  {
    name: 'one without audiences, when none were requested',
    review: reviewOf(good({ audiences: undefined })),
    want: 'authenticated',
  },
  {
    name: 'one that is not authenticated',
    review: reviewOf({ authenticated: false }),
    want: 'token-inactive',
  },
  { name: 'one with an empty status', review: reviewOf({}), want: 'token-inactive' },
  {
    name: 'one that is not authenticated, with the reason',
    review: reviewOf({ authenticated: false, error: 'invalid bearer token' }),
    want: 'token-inactive',
  },
  {
    name: 'hostile: an authenticated one with a reason',
    review: reviewOf(good({ error: 'x' })),
    want: 'malformed',
  },
  {
    name: 'hostile: one that is not authenticated, with everything else',
    review: reviewOf(good({ authenticated: false })),
    want: 'token-inactive',
  },
  ...['true', 1, null, [true], {}].map((authenticated) => ({
    name: `hostile: authenticated ${JSON.stringify(authenticated)}`,
    review: reviewOf(good({ authenticated })),
    want: 'malformed',
  })),
  ...[undefined, null, [], 'x'].map((status) => ({
    name: `hostile: status ${JSON.stringify(status)}`,
    review: reviewOf(status),
    want: 'malformed',
  })),
  {
    name: 'hostile: another kind',
    review: reviewOf(good(), { kind: 'SubjectAccessReview' }),
    want: 'malformed',
  },
  {
    name: 'hostile: another version',
    review: reviewOf(good(), { apiVersion: 'authentication.k8s.io/v1beta1' }),
    want: 'malformed',
  },
  ...[
    undefined,
    null,
    'x',
    {},
    { ...USER, username: '' },
    { ...USER, username: ['x'] },
    { ...USER, uid: 7 },
    { ...USER, groups: 'system:masters' },
    { ...USER, groups: [7] },
    { ...USER, groups: [['x']] },
    { ...USER, extra: ['x'] },
    { ...USER, extra: { key: 'x' } },
    { ...USER, extra: { key: [null] } },
  ].map((user) => ({
    name: `hostile: user ${JSON.stringify(user)}`,
    review: reviewOf(good({ user })),
    want: 'malformed',
  })),
  ...['countersign', [7], {}].map((audiences) => ({
    name: `hostile: audiences ${JSON.stringify(audiences)}`,
    review: reviewOf(good({ audiences })),
    audiences: ['countersign'],
    want: 'malformed',
  })),
]

describe('a review of a token', () => {
  for (const { name, review, audiences = [], want } of CASES) {
    it(`${name}: ${want}`, () => {
      assert.equal(codeOf(readReview(review, audiences)), want)
    })
  }

  it('yields the account, its groups without system:authenticated, and the extra attributes', () => {
    const reading = readReview(reviewOf(good()), [])
    assert.deepEqual(reading, {
      outcome: 'authenticated',
      user: {
        user: NAME,
        uid: 'a-b-c',
        groups: ['system:serviceaccounts', 'system:serviceaccounts:team-a'],
        extra: { 'authentication.kubernetes.io/pod-name': ['web-0'] },
      },
    })
    const least = readReview(reviewOf({ authenticated: true, user: { username: 'x' } }), [])
    const user = { user: 'x', uid: undefined, groups: [], extra: {} }
    assert.deepEqual(least, { outcome: 'authenticated', user })
    const nothing = { username: 'x', uid: '', groups: null, extra: null }
    assert.deepEqual(readReview(reviewOf(good({ user: nothing })), []), least)
  })

  it('is not accepted with any one member replaced', () => {
    // Any value except "true" for `authenticated`, and any other type, makes the review invalid.
    for (const junk of [undefined, null, 7, 'x', [], {}, [[]], true]) {
      for (const member of ['kind', 'apiVersion', 'status']) {
        const reading = readReview({ ...reviewOf(good()), [member]: junk }, ['countersign'])
        assert.notEqual(reading.outcome, 'authenticated', `${member} ${JSON.stringify(junk)}`)
      }
      for (const member of ['authenticated', 'user', 'audiences']) {
        if (junk === true && member === 'authenticated') continue
        const reading = readReview(reviewOf(good({ [member]: junk })), ['countersign'])
        assert.notEqual(reading.outcome, 'authenticated', `${member} ${JSON.stringify(junk)}`)
      }
    }
  })
})
