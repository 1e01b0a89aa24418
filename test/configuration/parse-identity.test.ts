// `identity` of an authenticator: what it may contain, and where problems are reported.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { parseConfig } from '../../src/configuration/parse.ts'
import { formatProblem } from '../../src/config/problem.ts'
import { checkAll, type Sections } from './sections.ts'

/** One authenticator of this kind with this in its `identity`. */
const of = (kind: string, identity: string): Sections => ({
  authenticators: `authenticators: { staff: { ${kind}, identity: { ${identity} } } }`,
})

const BASIC = 'basic: { verify: [{ users: { file: u } }] }'
const BEARER = 'bearer: { issuer: https://i, audiences: [a] }'

const account = (identity: string): Sections => of(BASIC, identity)
const claims = (identity: string): Sections => of(BEARER, identity)

const at = (path: string, message: string): RegExp =>
  new RegExp(String.raw`^authenticators\.staff\.identity${path}: ${message}`)

describe('an expression of the section identity', () => {
  checkAll([
    { name: 'reads the account of a password', input: account('user: account.user'), want: [] },
    { name: 'reads the claims of a token', input: claims('user: claims.a.b'), want: [] },
    {
      name: 'is refused with a variable of another kind',
      input: account('user: claims.email'),
      want: [at(String.raw`\.user`, String.raw`Unknown variable: claims \(at character 1\)$`)],
    },
    {
      name: 'is reported at its own path: user, uid, groups and extra',
      input: account('user: a, uid: b, groups: c, extra: { k: d }'),
      want: [
        at(String.raw`\.user`, 'Unknown variable: a'),
        at(String.raw`\.uid`, 'Unknown variable: b'),
        at(String.raw`\.groups`, 'Unknown variable: c'),
        at(String.raw`\.extra\.k`, 'Unknown variable: d'),
      ],
    },
    {
      name: 'is reported at its own path: groups.from',
      input: account('groups: { from: account.grups }'),
      want: [at(String.raw`\.groups\.from`, String.raw`No such key: grups \(at character 9\)`)],
    },
    {
      name: 'is refused where it yields no text',
      input: account('user: size(account.groups)'),
      want: [at(String.raw`\.user`, 'yields int, where string or list<string> belongs')],
    },
    {
      name: 'is refused where it yields an optional value',
      input: claims('groups: claims.?groups'),
      want: [
        at(String.raw`\.groups`, 'yields optional<dyn>, where string or list<string> belongs'),
      ],
    },
    {
      name: 'is refused where it is empty',
      input: account('user: ""'),
      want: [at(String.raw`\.user`, 'must (?:not be empty|be at least)')],
    },
    {
      name: 'is refused with a regular expression that RE2 lacks',
      input: claims(`groups: 'claims.groups.filter(g, g.matches("(?=a)"))'`),
      want: [
        at(
          String.raw`\.groups`,
          String.raw`the regular expression cannot be used: .*\(at character 35\)$`,
        ),
      ],
    },
  ])

  it('is reported with line and column of the file and of the expression', () => {
    const text = `version: 1
listen: { authz: unix:authz.sock }
authenticators:
  staff:
    ${BEARER}
    identity:
      user: claims.email
      groups:
        from: |
          has(claims.groups)
            ? claims.groups.mapp(g, "oidc:" + g)
            : []
routes: [{ name: app, authenticate: [staff], authorize: [{ allow: all }] }]
`
    const result = parseConfig('/etc/countersign.yaml', text)
    assert.ok(!result.ok)
    assert.deepEqual(result.problems.map(formatProblem), [
      '/etc/countersign.yaml:9:9: authenticators.staff.identity.groups.from: Unknown variable: g (at line 2, character 24)',
    ])
  })
})

describe('the section groups of an identity', () => {
  checkAll([
    { name: 'may be empty', input: account('groups: {}'), want: [] },
    {
      name: 'accepts every key',
      input: account(
        'groups: { from: account.groups, keep: [a], drop: [b], rename: { a: b }, prefix: x, max: 1, maxBytes: 1, onExcess: truncate }',
      ),
      want: [],
    },
    {
      name: 'refuses unknown keys',
      input: account('groups: { form: account.groups }'),
      want: [at(String.raw`\.groups\.form`, 'unknown key')],
    },
    {
      name: 'refuses an empty list of keep',
      input: account('groups: { keep: [] }'),
      want: [at(String.raw`\.groups\.keep`, 'must (?:not be empty|be at least)')],
    },
    {
      name: 'refuses an empty pattern',
      input: account('groups: { drop: [""] }'),
      want: [at(String.raw`\.groups\.drop\[0\]`, 'must (?:not be empty|be at least)')],
    },
    {
      name: 'refuses an empty new name',
      input: account('groups: { rename: { a: "" } }'),
      want: [at(String.raw`\.groups\.rename\.a`, 'must (?:not be empty|be at least)')],
    },
    {
      name: 'refuses a limit with a fraction',
      input: account('groups: { max: 1.5 }'),
      want: [at(String.raw`\.groups\.max`, 'must be a whole number')],
    },
    {
      name: 'refuses a limit above the maximum',
      input: account('groups: { max: 10001 }'),
      want: [at(String.raw`\.groups\.max`, 'must be at most')],
    },
    {
      name: 'refuses an unknown value of onExcess',
      input: account('groups: { onExcess: ignore }'),
      want: [at(String.raw`\.groups\.onExcess`, 'must be one of')],
    },
  ])
})

describe('the section limits of an identity', () => {
  checkAll([
    {
      name: 'is accepted with two limits',
      input: account('limits: { user: 64, extra: 9000 }'),
      want: [],
    },
    {
      name: 'refuses a limit of 0',
      input: account('limits: { user: 0 }'),
      want: [at(String.raw`\.limits\.user`, 'must (?:not be empty|be at least)')],
    },
    {
      name: 'refuses an unknown limit',
      input: account('limits: { groups: 5 }'),
      want: [at(String.raw`\.limits\.groups`, 'unknown key')],
    },
  ])
})

describe('an example of an identity mapping', () => {
  const example = (text: string): Sections => account(`examples: [${text}]`)
  const here = (message: string): RegExp => at(String.raw`\.examples\[0\]`, message)
  checkAll([
    {
      name: 'is accepted with an expected identity',
      input: example('{ account: { user: a }, want: { user: a } }'),
      want: [],
    },
    {
      name: 'is accepted with an expected refusal',
      input: example('{ account: { user: a }, refused: identity-reserved }'),
      want: [],
    },
    {
      name: 'is accepted with a certificate file',
      input: example('{ certificate: a.pem, want: { user: a } }'),
      want: [],
    },
    {
      name: 'requires an input',
      input: example('{ want: { user: a } }'),
      want: [here('must have exactly one of "account", "claims" and "certificate"')],
    },
    {
      name: 'refuses two inputs',
      input: example('{ account: { user: a }, claims: {}, want: { user: a } }'),
      want: [here('must have exactly one of "account", "claims" and "certificate"')],
    },
    {
      name: 'requires an expected result',
      input: example('{ account: { user: a } }'),
      want: [here('must have exactly one of "want" and "refused"')],
    },
    {
      name: 'refuses two expected results',
      input: example('{ account: { user: a }, want: { user: a }, refused: identity-reserved }'),
      want: [here('must have exactly one of "want" and "refused"')],
    },
    {
      name: 'refuses an unknown code of a refusal',
      input: example('{ account: { user: a }, refused: rule-denied }'),
      want: [at(String.raw`\.examples\[0\]\.refused`, 'must be one of')],
    },
    {
      name: 'requires the user of an expected identity',
      input: example('{ account: { user: a }, want: { groups: [] } }'),
      want: [at(String.raw`\.examples\[0\]\.want\.user`, 'required, but missing')],
    },
    {
      name: 'refuses an unknown field of a certificate',
      input: example('{ certificate: { subjct: {} }, want: { user: a } }'),
      want: [at(String.raw`\.examples\[0\]\.certificate\.subjct`, 'unknown key')],
    },
  ])
})
