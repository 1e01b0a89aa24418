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

describe('an expression of an identity', () => {
  checkAll([
    { name: 'is about the account of a password', input: account('user: account.user'), want: [] },
    { name: 'is about the claims of a token', input: claims('user: claims.a.b'), want: [] },
    {
      name: 'is about nothing else',
      input: account('user: claims.email'),
      want: [at(String.raw`\.user`, String.raw`Unknown variable: claims \(at character 1\)$`)],
    },
    {
      name: 'is reported at its own path: all four, and both forms of groups',
      input: account('user: a, uid: b, groups: c, extra: { k: d }'),
      want: [
        at(String.raw`\.user`, 'Unknown variable: a'),
        at(String.raw`\.uid`, 'Unknown variable: b'),
        at(String.raw`\.groups`, 'Unknown variable: c'),
        at(String.raw`\.extra\.k`, 'Unknown variable: d'),
      ],
    },
    {
      name: 'is reported at its own path: groups in steps',
      input: account('groups: { from: account.grups }'),
      want: [at(String.raw`\.groups\.from`, String.raw`No such key: grups \(at character 9\)`)],
    },
    {
      name: 'yields text',
      input: account('user: size(account.groups)'),
      want: [at(String.raw`\.user`, 'yields int, where string or list<string> belongs')],
    },
    {
      name: 'is not an optional value',
      input: claims('groups: claims.?groups'),
      want: [
        at(String.raw`\.groups`, 'yields optional<dyn>, where string or list<string> belongs'),
      ],
    },
    {
      name: 'is not empty',
      input: account('user: ""'),
      want: [at(String.raw`\.user`, 'Too small')],
    },
    {
      name: 'has regular expressions in the syntax of RE2',
      input: claims(`groups: 'claims.groups.filter(g, g.matches("(?=a)"))'`),
      want: [
        at(
          String.raw`\.groups`,
          String.raw`the regular expression cannot be used: .*\(at character 35\)$`,
        ),
      ],
    },
  ])

  it('is reported with the line and column of the file, and those in the expression', () => {
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

describe('groups in steps', () => {
  checkAll([
    { name: 'may have no steps at all', input: account('groups: {}'), want: [] },
    {
      name: 'have all steps',
      input: account(
        'groups: { from: account.groups, keep: [a], drop: [b], rename: { a: b }, prefix: x, max: 1, maxBytes: 1, onExcess: truncate }',
      ),
      want: [],
    },
    {
      name: 'have no further keys',
      input: account('groups: { form: account.groups }'),
      want: [at(String.raw`\.groups\.form`, 'unknown key')],
    },
    {
      name: 'keep something: an empty list would keep nothing',
      input: account('groups: { keep: [] }'),
      want: [at(String.raw`\.groups\.keep`, 'Too small')],
    },
    {
      name: 'have patterns that are not empty',
      input: account('groups: { drop: [""] }'),
      want: [at(String.raw`\.groups\.drop\[0\]`, 'Too small')],
    },
    {
      name: 'rename to something',
      input: account('groups: { rename: { a: "" } }'),
      want: [at(String.raw`\.groups\.rename\.a`, 'Too small')],
    },
    {
      name: 'have a limit that is a whole number',
      input: account('groups: { max: 1.5 }'),
      want: [at(String.raw`\.groups\.max`, 'Invalid input')],
    },
    {
      name: 'have a limit that is one',
      input: account('groups: { max: 10001 }'),
      want: [at(String.raw`\.groups\.max`, 'Too big')],
    },
    {
      name: 'refuse or truncate',
      input: account('groups: { onExcess: ignore }'),
      want: [at(String.raw`\.groups\.onExcess`, 'Invalid option')],
    },
  ])
})

describe('limits of an identity', () => {
  checkAll([
    { name: 'may be set', input: account('limits: { user: 64, extra: 9000 }'), want: [] },
    {
      name: 'are at least one byte',
      input: account('limits: { user: 0 }'),
      want: [at(String.raw`\.limits\.user`, 'Too small')],
    },
    {
      name: 'are of these things',
      input: account('limits: { groups: 5 }'),
      want: [at(String.raw`\.limits\.groups`, 'unknown key')],
    },
  ])
})

describe('an example', () => {
  const example = (text: string): Sections => account(`examples: [${text}]`)
  const here = (message: string): RegExp => at(String.raw`\.examples\[0\]`, message)
  checkAll([
    {
      name: 'has an input and the expected identity',
      input: example('{ account: { user: a }, want: { user: a } }'),
      want: [],
    },
    {
      name: 'or a refusal',
      input: example('{ account: { user: a }, refused: identity-reserved }'),
      want: [],
    },
    { name: 'is of a file', input: example('{ certificate: a.pem, want: { user: a } }'), want: [] },
    {
      name: 'has an input',
      input: example('{ want: { user: a } }'),
      want: [here('must have exactly one of "account", "claims" and "certificate"')],
    },
    {
      name: 'is about one',
      input: example('{ account: { user: a }, claims: {}, want: { user: a } }'),
      want: [here('must have exactly one of "account", "claims" and "certificate"')],
    },
    {
      name: 'wants something',
      input: example('{ account: { user: a } }'),
      want: [here('must have exactly one of "want" and "refused"')],
    },
    {
      name: 'wants one thing',
      input: example('{ account: { user: a }, want: { user: a }, refused: identity-reserved }'),
      want: [here('must have exactly one of "want" and "refused"')],
    },
    {
      name: 'knows the refusals that there are',
      input: example('{ account: { user: a }, refused: rule-denied }'),
      want: [at(String.raw`\.examples\[0\]\.refused`, 'Invalid option')],
    },
    {
      name: 'wants a user',
      input: example('{ account: { user: a }, want: { groups: [] } }'),
      want: [at(String.raw`\.examples\[0\]\.want\.user`, 'required, but missing')],
    },
    {
      name: 'has the fields of a certificate and no other fields',
      input: example('{ certificate: { subjct: {} }, want: { user: a } }'),
      want: [at(String.raw`\.examples\[0\]\.certificate\.subjct`, 'unknown key')],
    },
  ])
})
