// Names of the users of one issuer that could be those of other users.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { parseConfig } from '../../../src/configuration/parse.ts'
import { unprefixedNameWarnings } from '../../../src/configuration/problems/unprefixed-names.ts'

const bearer = (issuer: string, user?: string): string =>
  `{ bearer: { issuer: '${issuer}', audiences: [api] }${user === undefined ? '' : `, identity: { user: '${user}' }`} }`

const A = 'https://a.example.org'
const B = 'https://b.example.org'
const OWN = 'https://id.example.org'

/** The warnings, for authenticators that one route accepts. */
const warningsFor = (
  authenticators: Readonly<Record<string, string>>,
  more = '',
): readonly (readonly [string, string])[] => {
  const text = `version: 1
listen: { authz: unix:authz.sock, issuer: unix:issuer.sock }
authenticators:
${Object.entries(authenticators)
  .map(([name, one]) => `  ${name}: ${one}`)
  .join('\n')}
routes:
  - { name: app, authenticate: [${Object.keys(authenticators).join(', ')}], authorize: [{ allow: all }] }
issuer:
  url: ${OWN}
  keys: keys
${more}`
  const result = parseConfig('/etc/countersign.yaml', text)
  assert.ok(result.ok, JSON.stringify(result))
  return unprefixedNameWarnings(result.config, result.locate).map(({ path, message }) => [
    path,
    message,
  ])
}

const PASSWORDS = '{ basic: { verify: [{ users: { file: users.yaml } }] } }'

describe('a name of a token without a prefix', () => {
  for (const claim of [
    'email',
    'preferred_username',
    'sub',
    '?email.orValue("")',
    'name.lowerAscii()',
  ]) {
    it(`causes a warning next to passwords: claims.${claim}`, () => {
      const [warning, ...more] = warningsFor({
        staff: PASSWORDS,
        tokens: bearer(A, `claims.${claim}`),
      })
      assert.deepEqual(more, [])
      assert.equal(warning?.[0], 'authenticators.tokens.identity.user')
      assert.match(
        warning[1],
        /route "app" accepts users of other origin.*https:\/\/a\.example\.org/,
      )
    })
  }

  it('causes a warning for each of two issuers', () => {
    const warnings = warningsFor({ a: bearer(A, 'claims.sub'), b: bearer(B, 'claims.email') })
    assert.deepEqual(
      warnings.map(([path]) => path),
      ['authenticators.a.identity.user', 'authenticators.b.identity.user'],
    )
  })

  for (const [name, authenticators] of [
    ['a prefix', { staff: PASSWORDS, tokens: bearer(A, '"oidc:" + claims.email') }],
    ['a suffix', { staff: PASSWORDS, tokens: bearer(A, 'claims.sub + "@a"') }],
    ['the default name', { staff: PASSWORDS, tokens: bearer(A) }],
    ['a claim that administrators set', { staff: PASSWORDS, tokens: bearer(A, 'claims.employee') }],
    ['one issuer alone', { tokens: bearer(A, 'claims.email') }],
    ['one issuer twice', { a: bearer(A, 'claims.email'), b: bearer(A, 'claims.sub') }],
    ['tokens of the own issuer', { staff: PASSWORDS, tokens: bearer(OWN, 'claims.sub') }],
  ] as const) {
    it(`causes no warning with ${name}`, () => {
      assert.deepEqual(warningsFor(authenticators), [])
    })
  }

  it('causes a warning at the login page, next to accounts or another provider', () => {
    const provider = (issuer: string, user: string): string =>
      `{ name: IdP, issuer: '${issuer}', clientId: countersign, clientSecret: 'file:s', identity: { user: '${user}' } }`
    const warnings = warningsFor(
      { staff: PASSWORDS },
      `  clients: { cli: { grantTypes: [device_code] } }
  login:
    authenticators: [staff]
    providers:
      one: ${provider(A, 'claims.email')}
      two: ${provider(B, '"two:" + claims.email')}
`,
    )
    assert.deepEqual(
      warnings.map(([path]) => path),
      ['issuer.login.providers.one.identity.user'],
    )
    assert.match(warnings[0]?.[1] ?? '', /the login page accepts users of other origin/)
  })
})
