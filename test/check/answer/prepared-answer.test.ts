// What is kept of an answer is never the answer to something else: whatever differs, the bytes are those that the codec
// writes for it.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { encodeAnswer } from '../../../src/check/answer/prepared-answer.ts'
import { respond } from '../../../src/check/answer/response.ts'
import { encodeCheckResponse } from '../../../src/check/codec.ts'
import type { Allowance } from '../../../src/check/decision.ts'
import { keepsDerived } from '../../../src/runtime/derived.ts'
import type { Credentials } from '../../../src/transform/apply.ts'
import type { HeaderPair } from '../../../src/transform/transformer.ts'
import { attributesOf } from '../../fakes/envoy.ts'
import { permitFor } from '../../fakes/permit.ts'
import { routeOf } from '../../fakes/route.ts'

const NOW = Date.UTC(2026, 0, 1)
const ID = '0b1c7f2e-5a64-4d8b-9c3e-2f6a1d7e8b90'

interface Input {
  readonly id: string
  readonly now: number
  readonly expires: number | undefined
  readonly sendsAuditId: boolean
  readonly credentials: Partial<Credentials>
}

const GROUPS = [{ name: 'x-remote-group', values: ['a', 'b'] }]

const USUAL: Input = {
  id: ID,
  now: NOW,
  expires: NOW + 90_000,
  sendsAuditId: false,
  credentials: { removeHeaders: ['authorization'], repeatedHeaders: GROUPS },
}

const decisionOf = (
  { expires, sendsAuditId, credentials }: Input,
  setHeaders: readonly HeaderPair[],
): Allowance => {
  const permit = permitFor({ expires })
  const { identity, request, target } = permit
  const { authenticator } = identity
  const route = routeOf({ sendsAuditId })
  const attributes = attributesOf({})
  const context = {
    attributes,
    request,
    route,
    target,
    authenticator,
    identity,
    permit,
    shadows: [],
  }
  return {
    outcome: 'allow',
    reason: 'permitted',
    context,
    permit,
    credentials: {
      setHeaders,
      removeHeaders: [],
      repeatedHeaders: [],
      kinds: ['headers'],
      ...credentials,
    },
  }
}

const OTHERS: Readonly<Record<string, Partial<Input>>> = {
  'the decision id': { id: ID.replace('0b1c', 'ffff') },
  'a decision id of another length': { id: '6f1d' },
  'the time': { now: NOW + 1 },
  'a time with fewer digits': { now: NOW + 85_000 },
  'a time past the end': { now: NOW + 200_000 },
  'the end': { expires: NOW + 90_001 },
  'an end with more digits': { expires: NOW + 100_000 },
  'the longest time that is bounded': { expires: NOW + 2_592_000_000 },
  'no end': { expires: undefined },
  'the audit id': { sendsAuditId: true },
  'an audit id without an end': { sendsAuditId: true, expires: undefined },
  'no header to remove': { credentials: { ...USUAL.credentials, removeHeaders: [] } },
  'another header to remove': {
    credentials: { ...USUAL.credentials, removeHeaders: ['x-remote-uid1'] },
  },
  'more headers to remove': {
    credentials: { ...USUAL.credentials, removeHeaders: ['authorization', 'x-remote-uid'] },
  },
  'other groups': {
    credentials: {
      ...USUAL.credentials,
      repeatedHeaders: [{ name: 'x-remote-group', values: ['a', 'c'] }],
    },
  },
  'a certificate': {
    credentials: { ...USUAL.credentials, secret: { name: 'handle', digest: 'digest' } },
  },
}

const SETS: Readonly<Record<string, readonly HeaderPair[]>> = {
  'some headers': keepsDerived<HeaderPair[]>([['x-remote-user', 'jürgen']]),
  'no header': keepsDerived<HeaderPair[]>([]),
  'headers that nothing is kept with': [['x-remote-user', 'alice']],
  'headers longer than any buffer': keepsDerived<HeaderPair[]>([['x-a', 'a'.repeat(40_000)]]),
}

for (const [setName, setHeaders] of Object.entries(SETS)) {
  describe(`a prepared answer with ${setName}`, () => {
    const assertEncoded = (input: Input): void => {
      const decision = decisionOf(input, setHeaders)
      const bytes = Buffer.from(encodeAnswer(input.id, decision, input.now))
      assert.deepEqual(bytes, encodeCheckResponse(respond(input.id, decision, input.now)))
    }

    for (const [name, change] of Object.entries(OTHERS)) {
      it(`is written anew, or filled, for ${name}`, () => {
        const other = { ...USUAL, ...change }
        for (const input of [USUAL, USUAL, other, other, USUAL]) assertEncoded(input)
      })
    }

    it('is right in any order of all of these', () => {
      const inputs = Object.values(OTHERS).map((change) => ({ ...USUAL, ...change }))
      for (const one of inputs)
        for (const other of inputs) for (const input of [one, other]) assertEncoded(input)
    })
  })
}

describe('a prepared answer', () => {
  it('has a digit for each digit of the time left', () => {
    const headers = keepsDerived<HeaderPair[]>([['x-remote-user', 'alice']])
    for (let left = 1_000; left < 2_592_000_000; left = Math.ceil(left * 1.37)) {
      const input = { ...USUAL, expires: NOW + left }
      const decision = decisionOf(input, headers)
      const bytes = Buffer.from(encodeAnswer(ID, decision, NOW))
      assert.deepEqual(bytes, encodeCheckResponse(respond(ID, decision, NOW)), String(left))
    }
  })
})
