// Answers of token endpoints: which of them hold a token, and how long it is good for. An
// authorization server is trusted to make tokens, and still may answer anything.

import assert from 'node:assert/strict'
import { before, describe, it } from 'node:test'
import { readJsonObject } from '../../../src/runtime/strict-json.ts'
import { MAX_TOKEN_LENGTH } from '../../../src/authenticate/bearer/bearer-credentials.ts'
import {
  readTokenAnswer,
  type TokenAnswer,
  type TokenExpectation,
} from '../../../src/transform/token/token-answer.ts'
import {
  claimsOf,
  encode,
  makeKey,
  NOW,
  type IssuerKey,
} from '../../authenticate/bearer/issuing.ts'

const ASKED = NOW * 1_000
const ACCESS_TOKEN = 'urn:ietf:params:oauth:token-type:access_token'
const ID_TOKEN = 'urn:ietf:params:oauth:token-type:id_token'
const REFRESH_TOKEN = 'urn:ietf:params:oauth:token-type:refresh_token'

const GOOD = {
  access_token: 'opaque-1',
  issued_token_type: ACCESS_TOKEN,
  token_type: 'Bearer',
  expires_in: 60,
}

const EXCHANGE: TokenExpectation = { exchange: true }
const ASKED_FOR: TokenExpectation = { exchange: true, requestedType: ACCESS_TOKEN }
const PLAIN: TokenExpectation = { exchange: false }

const read = (document: object, expectation: TokenExpectation = EXCHANGE): TokenAnswer =>
  readTokenAnswer({ ...document }, expectation, ASKED)

/** `token until SECONDS` from the time of the request, or what is wrong. */
const wordOf = (answer: TokenAnswer): string => {
  if (answer.outcome === 'malformed') return answer.what
  return answer.expires === undefined
    ? 'token'
    : `token until ${Math.round((answer.expires - ASKED) / 1_000)}`
}

const NO_TOKEN = '"access_token" is not a valid bearer token'
const NO_LIFETIME = '"expires_in" is not a lifetime'

interface Case {
  readonly name: string
  readonly input: object
  readonly expectation?: TokenExpectation
  readonly want: string
}

const CASES: readonly Case[] = [
  { name: 'a plain token', input: GOOD, want: 'token until 60' },
  {
    name: 'a token of the requested type',
    input: GOOD,
    expectation: ASKED_FOR,
    want: 'token until 60',
  },
  {
    name: 'a token with an unrequested refresh token',
    input: { ...GOOD, refresh_token: 'r', id_token: 'i', scope: 'a b' },
    want: 'token until 60',
  },
  // token_type
  {
    name: 'bearer in lower case',
    input: { ...GOOD, token_type: 'bearer' },
    want: 'token until 60',
  },
  {
    name: 'an ID token of type N_A',
    input: { ...GOOD, issued_token_type: ID_TOKEN, token_type: 'N_A' },
    want: 'token until 60',
  },
  {
    name: 'an access token of type N_A',
    input: { ...GOOD, token_type: 'N_A' },
    expectation: PLAIN,
    want: '"token_type" is not Bearer',
  },
  {
    name: 'hostile: a DPoP-bound token',
    input: { ...GOOD, token_type: 'DPoP' },
    want: '"token_type" is not Bearer or N_A',
  },
  {
    name: 'hostile: no token_type',
    input: { ...GOOD, token_type: undefined },
    want: '"token_type" is not Bearer or N_A',
  },
  {
    name: 'hostile: a token_type that is a list',
    input: { ...GOOD, token_type: ['Bearer'] },
    want: '"token_type" is not Bearer or N_A',
  },
  // issued_token_type
  {
    name: 'no issued_token_type, where none was requested',
    input: { ...GOOD, issued_token_type: undefined },
    want: 'token until 60',
  },
  {
    name: 'hostile: no issued_token_type, where one was requested',
    input: { ...GOOD, issued_token_type: undefined },
    expectation: ASKED_FOR,
    want: '"issued_token_type" is missing or is not a string',
  },
  {
    name: 'hostile: another issued_token_type than requested',
    input: { ...GOOD, issued_token_type: ID_TOKEN },
    expectation: ASKED_FOR,
    want: '"issued_token_type" is not the requested type',
  },
  {
    name: 'hostile: the issued_token_type in capitals',
    input: { ...GOOD, issued_token_type: ACCESS_TOKEN.toUpperCase() },
    expectation: ASKED_FOR,
    want: '"issued_token_type" is not the requested type',
  },
  {
    name: 'hostile: an issued_token_type that is not text',
    input: { ...GOOD, issued_token_type: 1 },
    want: '"issued_token_type" is missing or is not a string',
  },
  {
    name: 'hostile: a refresh token',
    input: { ...GOOD, issued_token_type: REFRESH_TOKEN },
    want: '"issued_token_type" is a refresh token',
  },
  {
    name: 'hostile: a refresh token in place of an access token',
    input: { ...GOOD, issued_token_type: REFRESH_TOKEN },
    expectation: PLAIN,
    want: '"issued_token_type" is a refresh token',
  },
  {
    name: 'no issued_token_type for an access token by its grant',
    input: { ...GOOD, issued_token_type: undefined },
    expectation: PLAIN,
    want: 'token until 60',
  },
  // expires_in
  {
    name: 'an answer without expires_in',
    input: { ...GOOD, expires_in: undefined },
    want: 'token',
  },
  {
    name: 'expires_in as a text',
    input: { ...GOOD, expires_in: '3600' },
    want: 'token until 3600',
  },
  {
    name: 'expires_in with a fraction',
    input: { ...GOOD, expires_in: 59.6 },
    want: 'token until 60',
  },
  ...[
    0,
    -1,
    1e300,
    Number.NaN,
    Number.POSITIVE_INFINITY,
    null,
    true,
    [60],
    '',
    '-1',
    '0',
    'NaN',
    '6e9',
    '1'.repeat(13),
  ].map((value) => ({
    name: `hostile: expires_in as ${JSON.stringify(value)} (${typeof value})`,
    input: { ...GOOD, expires_in: value },
    want: NO_LIFETIME,
  })),
  // access_token
  {
    name: 'a token of the maximal length',
    input: { ...GOOD, access_token: 'x'.repeat(MAX_TOKEN_LENGTH) },
    want: 'token until 60',
  },
  ...[
    { named: 'none', token: undefined },
    { named: 'an empty one', token: '' },
    { named: 'null', token: null },
    { named: 'a number', token: 1 },
    { named: 'a list', token: ['opaque-1'] },
    { named: 'an object', token: { token: 'opaque-1' } },
    { named: 'one with a line of its own behind it', token: 'opaque-1\r\nx-remote-user: root' },
    { named: 'one that ends with a line', token: 'opaque-1\n' },
    { named: 'one with a space', token: 'opaque 1' },
    { named: 'two with a comma', token: 'opaque-1,opaque-2' },
    { named: 'one that is no ASCII', token: 'opäque' },
    { named: 'one with a NUL', token: 'opaque\0' },
    { named: 'one with padding in it', token: 'opa=que' },
    { named: 'one that is too long', token: 'x'.repeat(MAX_TOKEN_LENGTH + 1) },
    { named: 'one of a million bytes', token: 'x'.repeat(1_000_000) },
  ].map(({ named, token }) => ({
    name: `hostile: a token that is ${named}`,
    input: { ...GOOD, access_token: token },
    want: NO_TOKEN,
  })),
  { name: 'hostile: an error with status 200', input: { error: 'invalid_grant' }, want: NO_TOKEN },
]

describe('the answer of a token endpoint:', () => {
  for (const { name, input, expectation, want } of CASES) {
    it(name, () => assert.equal(wordOf(read(input, expectation)), want))
  }

  it('hostile: a repeated key is refused', () => {
    const text = JSON.stringify(GOOD)
    const twice = [
      `{"access_token":"other",${text.slice(1)}`,
      `{"\\u0065xpires_in":6000,${text.slice(1)}`,
      `[${text}]`,
    ]
    // What reads it for us yields nothing then.
    for (const body of twice) assert.equal(readJsonObject(Buffer.from(body)), undefined)
    assert.ok(readJsonObject(Buffer.from(text)))
  })

  it('hostile: a malformed answer is not quoted', () => {
    const quoting = 'secret-secret\n'
    for (const member of Object.keys(GOOD)) {
      const answer = read({ ...GOOD, [member]: quoting }, ASKED_FOR)
      assert.equal(answer.outcome, 'malformed', member)
      assert.ok(!JSON.stringify(answer).includes('secret'), member)
    }
  })
})

describe('a JWT from a token endpoint', () => {
  let key: IssuerKey
  before(async () => {
    key = await makeKey()
  })

  const answerWith = async (
    claims: Readonly<Record<string, unknown>>,
    changes: object = {},
  ): Promise<TokenAnswer> =>
    read({ ...GOOD, access_token: await key.token(claimsOf(claims)), ...changes })

  const idOf = (answer: TokenAnswer): string | undefined =>
    answer.outcome === 'token' ? answer.id : 'malformed'

  const TIMES: readonly {
    readonly name: string
    readonly exp: unknown
    readonly expiresIn: unknown
    readonly want: string
  }[] = [
    {
      name: 'exp, which is earlier',
      exp: NOW + 30,
      expiresIn: 60,
      want: 'token until 30',
    },
    {
      name: 'expires_in, which is earlier',
      exp: NOW + 90,
      expiresIn: 60,
      want: 'token until 60',
    },
    {
      name: 'exp only',
      exp: NOW + 30,
      expiresIn: undefined,
      want: 'token until 30',
    },
    {
      name: 'expires_in only',
      exp: undefined,
      expiresIn: 60,
      want: 'token until 60',
    },
    { name: 'neither', exp: undefined, expiresIn: undefined, want: 'token' },
    {
      name: 'hostile: an exp in the past',
      exp: NOW,
      expiresIn: 60,
      want: 'the token has ended already',
    },
    {
      name: 'hostile: an exp that is not a time',
      exp: 'soon',
      expiresIn: 60,
      want: 'token until 60',
    },
    { name: 'hostile: a negative exp', exp: -1, expiresIn: 60, want: 'token until 60' },
  ]
  for (const { name, exp, expiresIn, want } of TIMES) {
    it(`ends by the earlier of exp and expires_in: ${name}`, async () => {
      assert.equal(wordOf(await answerWith({ exp }, { expires_in: expiresIn })), want)
    })
  }

  it('has its jti for audit', async () => {
    assert.equal(idOf(await answerWith({ jti: 'token-7' })), 'token-7')
    assert.equal(idOf(await answerWith({})), undefined)
    assert.equal(idOf(read(GOOD)), undefined)
  })

  for (const jti of ['', 'x'.repeat(129), 'a\nb', 'with space', 'ü', 7, ['a'], null]) {
    it(`hostile: has no jti that is ${JSON.stringify(jti).slice(0, 20)}`, async () => {
      assert.equal(idOf(await answerWith({ jti })), undefined)
    })
  }

  it('hostile: has no jti where it has two readings', () => {
    const header = encode('{"alg":"ES256"}')
    const claims = encode(`{"exp":${NOW + 5},"exp":${NOW + 10},"jti":"a"}`)
    const answer = read({ ...GOOD, access_token: `${header}.${claims}.${encode('s')}` })
    assert.equal(wordOf(answer), 'token until 60')
    assert.equal(idOf(answer), undefined)
  })
})
