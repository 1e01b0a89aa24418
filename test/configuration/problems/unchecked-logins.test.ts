// Warnings about logins whose users cannot be looked up again.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { warningsOf } from '../../../src/configuration/warnings.ts'
import { parseConfig } from '../../../src/configuration/parse.ts'

const RADIUS = "{ radius: { servers: [{ host: radius.example.org, secret: 'file:secret' }] } }"
const DIRECT =
  "{ ldap: { servers: ['ldaps://ldap.example.org'], direct: ['uid={user},ou=people'] } }"
const SEARCH = `{ ldap: { servers: ['ldaps://ldap.example.org'], bind: { dn: cn=svc, password: 'file:secret' }, search: { base: ou=people } } }`
const FILE = '{ users: { file: users.yaml } }'

const warningsFor = (verify: string, login: string): readonly string[] => {
  const parsed = parseConfig(
    '/etc/countersign.yaml',
    `version: 1
listen: { authz: unix:authz.sock, issuer: unix:issuer.sock }
issuer:
  url: https://id.example.org
  keys: keys
  login: { authenticators: [staff], ${login} }
authenticators:
  browser: { session: {} }
  staff: { basic: { verify: [${verify}] } }
routes:
  - { name: app, match: { hosts: [app.example.org] }, authenticate: [browser], authorize: [{ allow: all }] }`,
  )
  assert.ok(parsed.ok, JSON.stringify(parsed))
  return warningsOf(parsed.config, parsed.locate).map(({ path, message }) => `${path}: ${message}`)
}

describe('logins whose users cannot be rechecked', () => {
  for (const [name, verify] of [
    ['RADIUS', RADIUS],
    ['LDAP without "bind"', DIRECT],
  ] as const) {
    it(`cause a warning where they last more than 8 hours: ${name}`, () => {
      assert.deepEqual(warningsFor(verify, 'maxLifetimeWithoutRecheck: 12h'), [
        `issuer.login.maxLifetimeWithoutRecheck: users of "staff" (${name}) cannot be looked up again: a user who is removed there stays logged in for so long. Make it shorter`,
      ])
      assert.deepEqual(warningsFor(verify, 'maxLifetimeWithoutRecheck: 8h'), [])
      assert.deepEqual(warningsFor(verify, 'idleTimeout: 1h'), [], 'the default')
      assert.deepEqual(warningsFor(verify, 'maxLifetimeWithoutRecheck: 12h, maxLifetime: 6h'), [])
    })
  }

  for (const verify of [SEARCH, FILE]) {
    it(`are none of ${verify}`, () => {
      assert.deepEqual(warningsFor(verify, 'maxLifetimeWithoutRecheck: 12h'), [])
    })
  }

  it('are those at an upstream IdP without refresh tokens', () => {
    const provider = (refresh: boolean): string =>
      `maxLifetimeWithoutRecheck: 12h, providers: { corp: { name: C, issuer: 'https://login.example.com', clientId: c, clientSecret: 'file:s', refresh: ${refresh} } }`
    assert.match(warningsFor(FILE, provider(false)).join(), /users of "corp" \(refresh: false\)/)
    assert.deepEqual(warningsFor(FILE, provider(true)), [])
  })
})
