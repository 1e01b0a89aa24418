// The answer of an introspection endpoint: a token is accepted only if it is active, of the right issuer and audience,
// and within its time; no answer causes an exception.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import {
  evaluateResponse,
  type ResponseEvaluation,
  type ResponseRules,
} from '../../../src/authenticate/introspection/answer.ts'
import { readJsonObject } from '../../../src/runtime/strict-json.ts'
import type { JsonObject } from '../../../src/runtime/json-object.ts'
import { conditionOf } from '../bearer/asking.ts'
import { AUDIENCE, ISSUER, NOW } from '../bearer/issuing.ts'

const RULES: ResponseRules = {
  issuer: ISSUER,
  audiences: [AUDIENCE, 'second'],
  audienceMissing: 'refuse',
  subject: 'sub',
  skew: 0,
}

/** The answer for an active token, with these changes; `undefined` removes a member. */
const answerOf = (changes: JsonObject = {}): JsonObject => {
  const answer = { active: true, sub: 'alice', aud: AUDIENCE, exp: NOW + 300, ...changes }
  return Object.fromEntries(Object.entries(answer).filter(([, value]) => value !== undefined))
}

const codeOf = (judgement: ResponseEvaluation): string =>
  judgement.outcome === 'rejected' ? judgement.code : judgement.outcome

interface Case {
  readonly name: string
  readonly changes: JsonObject
  readonly rules?: Partial<ResponseRules>
  readonly want: string
}

const CASES: readonly Case[] = [
  { name: 'a good one', changes: {}, want: 'good' },
  { name: 'an inactive token', changes: { active: false }, want: 'token-inactive' },
  {
    name: 'an inactive token, with no other valid member',
    changes: { active: false, sub: undefined, aud: undefined, exp: 'never' },
    want: 'token-inactive',
  },
  ...['true', 1, null, undefined, {}, [true], 'false', 0].map((active) => ({
    name: `hostile: active ${JSON.stringify(active)}`,
    changes: { active },
    want: 'malformed',
  })),
  // Issuer.
  { name: 'the issuer', changes: { iss: ISSUER }, want: 'good' },
  { name: 'another issuer', changes: { iss: 'https://other' }, want: 'token-claims' },
  { name: 'nearly the issuer', changes: { iss: `${ISSUER}/` }, want: 'token-claims' },
  { name: 'an issuer that is not a string', changes: { iss: [ISSUER] }, want: 'token-claims' },
  // Audience.
  { name: 'another audience', changes: { aud: 'other' }, want: 'token-audience' },
  { name: 'several audiences', changes: { aud: ['other', 'second'] }, want: 'good' },
  { name: 'an empty list of audiences', changes: { aud: [] }, want: 'token-audience' },
  { name: 'nearly the audience', changes: { aud: `${AUDIENCE} ` }, want: 'token-audience' },
  {
    name: 'the audience, in a string of several',
    changes: { aud: 'other kubernetes' },
    want: 'token-audience',
  },
  { name: 'no audience', changes: { aud: undefined }, want: 'token-audience' },
  {
    name: 'no audience, where that is accepted',
    changes: { aud: undefined },
    rules: { audienceMissing: 'accept' },
    want: 'good',
  },
  {
    name: 'another audience, where none is accepted',
    changes: { aud: 'other' },
    rules: { audienceMissing: 'accept' },
    want: 'token-audience',
  },
  {
    name: 'hostile: an audience that is null, where none is accepted',
    changes: { aud: null },
    rules: { audienceMissing: 'accept' },
    want: 'token-audience',
  },
  // Time.
  { name: 'no expiry', changes: { exp: undefined }, want: 'good' },
  { name: 'at its expiry', changes: { exp: NOW }, want: 'token-expired' },
  { name: 'a second before its expiry', changes: { exp: NOW + 1 }, want: 'good' },
  {
    name: 'at its expiry, within the skew',
    changes: { exp: NOW },
    rules: { skew: 1 },
    want: 'good',
  },
  {
    name: 'after its expiry, beyond the skew',
    changes: { exp: NOW - 60 },
    rules: { skew: 60_000 },
    want: 'token-expired',
  },
  { name: 'not valid yet', changes: { nbf: NOW + 1 }, want: 'token-not-yet-valid' },
  { name: 'valid from now on', changes: { nbf: NOW, iat: NOW }, want: 'good' },
  { name: 'issued in the future', changes: { iat: NOW + 60 }, want: 'token-not-yet-valid' },
  {
    name: 'issued in the future, within the skew',
    changes: { iat: NOW + 60 },
    rules: { skew: 60_000 },
    want: 'good',
  },
  ...['exp', 'nbf', 'iat'].flatMap((member) =>
    [String(NOW), null, -1, 1e300, [NOW], true].map((value) => ({
      name: `hostile: ${member} ${JSON.stringify(value)}`,
      changes: { [member]: value },
      want: 'malformed',
    })),
  ),
  // Type.
  { name: 'a bearer token', changes: { token_type: 'bearer' }, want: 'good' },
  { name: 'a bound token', changes: { token_type: 'DPoP', cnf: { jkt: 'x' } }, want: 'good' },
  {
    name: 'a bound token without its key',
    changes: { token_type: 'DPoP' },
    want: 'token-binding',
  },
  { name: 'a token of another type', changes: { token_type: 'mac' }, want: 'token-type' },
  {
    name: 'hostile: a type that is not a string',
    changes: { token_type: ['Bearer'] },
    want: 'token-type',
  },
  { name: 'Hydra’s access token', changes: { token_use: 'access_token' }, want: 'good' },
  {
    name: 'hostile: Hydra’s refresh token',
    changes: { token_use: 'refresh_token' },
    want: 'token-type',
  },
  { name: 'Keycloak’s access token', changes: { typ: 'Bearer' }, want: 'good' },
  ...['Refresh', 'Offline', 'ID'].map((typ) => ({
    name: `hostile: Keycloak’s ${typ} token`,
    changes: { typ },
    want: 'token-type',
  })),
  // User.
  ...[undefined, '', null, 7, ['alice']].map((sub) => ({
    name: `hostile: sub ${JSON.stringify(sub)}`,
    changes: { sub },
    want: 'token-claims',
  })),
  {
    name: 'without a username, where that names the user',
    changes: {},
    rules: { subject: 'username' },
    want: 'token-claims',
  },
  // Scope.
  {
    name: 'with the scope',
    changes: { scope: 'a kubernetes' },
    rules: { require: conditionOf('"kubernetes" in claims.scope.split(" ")') },
    want: 'good',
  },
  {
    name: 'without the scope',
    changes: { scope: 'a b' },
    rules: { require: conditionOf('"kubernetes" in claims.scope.split(" ")') },
    want: 'token-claims',
  },
  {
    name: 'without any scope',
    changes: {},
    rules: { require: conditionOf('"kubernetes" in claims.scope.split(" ")') },
    want: 'token-claims',
  },
]

describe('an introspection response', () => {
  for (const { name, changes, rules, want } of CASES) {
    it(`${name}: ${want}`, () => {
      const judgement = evaluateResponse(answerOf(changes), { ...RULES, ...rules }, NOW * 1_000)
      assert.equal(codeOf(judgement), want)
    })
  }

  it('yields the user and the expiry', () => {
    const good = evaluateResponse(answerOf({ username: 'a' }), { ...RULES, subject: 'username' }, 0)
    assert.deepEqual(good, { outcome: 'good', subject: 'a', expires: (NOW + 300) * 1_000 })
    const rejected = evaluateResponse(answerOf({ aud: 'other' }), RULES, NOW * 1_000)
    assert.deepEqual(rejected, {
      outcome: 'rejected',
      code: 'token-audience',
      detail: 'audience: required one of "kubernetes", "second", found another',
      subject: 'alice',
    })
    // Of an inactive token no other member is read, least of all a name.
    const inactive = evaluateResponse(answerOf({ active: false }), RULES, NOW * 1_000)
    assert.deepEqual(inactive, { outcome: 'rejected', code: 'token-inactive' })
  })
})

// Random numbers from a seed (mulberry32), so that a failure can be reproduced.
const numbersFrom = (seed: number) => {
  let state = seed
  return (below: number): number => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below
  }
}

describe('any introspection response', () => {
  const VALUES = [
    true,
    false,
    null,
    'true',
    '',
    'alice',
    AUDIENCE,
    ISSUER,
    0,
    -1,
    NOW,
    NOW + 300,
    1e300,
    [],
    {},
    [AUDIENCE],
    [null],
    { jkt: 'x' },
    'Bearer',
    'DPoP',
    'Refresh',
    [[AUDIENCE]],
  ]
  const MEMBERS = ['active', 'sub', 'aud', 'exp', 'nbf', 'iat', 'iss', 'token_type', 'typ', 'cnf']

  it('is evaluated without an exception, and accepted only with every member that is required', () => {
    let good = 0
    for (let seed = 0; seed < 5_000; seed += 1) {
      const below = numbersFrom(seed)
      const changes = Array.from({ length: below(4) }, () => [
        MEMBERS[below(MEMBERS.length)] ?? '',
        VALUES[below(VALUES.length)],
      ])
      const answer = answerOf(Object.fromEntries(changes))
      const judgement = evaluateResponse(answer, RULES, NOW * 1_000)
      if (judgement.outcome !== 'good') continue
      good += 1
      const { active, sub, aud, exp, iss, token_type: type } = answer
      assert.ok(active === true && typeof sub === 'string' && sub !== '', `seed ${seed}`)
      assert.ok([aud].flat().includes(AUDIENCE), `seed ${seed}`)
      assert.ok(exp === undefined || (typeof exp === 'number' && exp > NOW), `seed ${seed}`)
      assert.ok(iss === undefined || iss === ISSUER, `seed ${seed}`)
      assert.ok(type === undefined || type === 'Bearer' || 'cnf' in answer, `seed ${seed}`)
    }
    assert.ok(good > 100 && good < 4_900, String(good))
  })

  it('of an inactive token is not accepted with any one byte changed', () => {
    const text = JSON.stringify(answerOf({ active: false }))
    for (let seed = 0; seed < 2_000; seed += 1) {
      const below = numbersFrom(seed)
      const bytes = Buffer.from(text)
      bytes[below(bytes.length)] = below(256)
      const document = readJsonObject(bytes)
      const outcome = document && evaluateResponse(document, RULES, NOW * 1_000).outcome
      assert.notEqual(outcome, 'good', `seed ${seed}`)
    }
  })
})
