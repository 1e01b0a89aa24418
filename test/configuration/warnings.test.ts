// What a valid configuration probably does not mean; rules have tests of their own (denied-reads).

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { warningsOf } from '../../src/configuration/warnings.ts'
import { parseConfig } from '../../src/configuration/parse.ts'

const warningsFor = (certificate: string): readonly (readonly unknown[])[] => {
  const result = parseConfig(
    '/etc/countersign.yaml',
    `version: 1
listen: { authz: unix:authz.sock }
authenticators:
  cards:
    certificate: ${certificate}
routes:
  - { name: app, authenticate: [cards], authorize: [{ allow: all }] }
`,
  )
  assert.ok(result.ok, JSON.stringify(result))
  return warningsOf(result.config, result.locate).map(({ path, position, message }) => [
    path,
    position?.line,
    message,
  ])
}

describe('a certificate by the last element of X-Forwarded-Client-Cert', () => {
  it('causes a warning about names that Envoy does not quote', () => {
    const [warning, ...more] = warningsFor(
      '{ trust: ca.pem, from: x-forwarded-client-cert, element: last }',
    )
    assert.deepEqual(more, [])
    assert.deepEqual(warning?.slice(0, 2), ['authenticators.cards.certificate.element', 5])
    assert.match(String(warning?.[2]), /set_current_client_cert_details, without "uri" and "dns"/)
  })

  for (const certificate of [
    '{ trust: ca.pem }',
    '{ trust: ca.pem, from: x-forwarded-client-cert }',
    '{ trust: ca.pem, from: x-forwarded-client-cert, element: only }',
  ]) {
    it(`causes no warning with ${certificate}`, () =>
      assert.deepEqual(warningsFor(certificate), []))
  }
})

const warningsOfText = (text: string): readonly (readonly [string, string])[] => {
  const result = parseConfig('/etc/countersign.yaml', text)
  assert.ok(result.ok, JSON.stringify(result))
  return warningsOf(result.config, result.locate).map(({ path, message }) => [path, message])
}

describe('DPoP without shared state', () => {
  const configOf = (bearer: string, state: string): string => `version: 1
listen: { authz: unix:authz.sock }
${state}
authenticators:
  api: { bearer: { issuer: https://login.example.org, audiences: [api]${bearer} } }
routes:
  - { name: app, authenticate: [api], authorize: [{ allow: all }] }
`

  for (const state of ['', 'state: { memory: {} }']) {
    it(`causes a warning that each process counts used proofs by itself: ${state || 'no state'}`, () => {
      const [warning, ...more] = warningsOfText(configOf(', dpop: {}', state))
      assert.deepEqual(more, [])
      assert.equal(warning?.[0], 'authenticators.api.bearer.dpop')
      assert.match(warning[1], /used once in each replica.*Set "state" to "redis"/)
    })
  }

  it('causes no warning where processes share state, or DPoP is off', () => {
    assert.deepEqual(
      warningsOfText(configOf(', dpop: {}', 'state: { sqlite: { file: s.db } }')),
      [],
    )
    assert.deepEqual(warningsOfText(configOf('', '')), [])
  })
})

describe('nested loops in a rule', () => {
  const configOf = (when: string): string => `version: 1
listen: { authz: unix:authz.sock }
authenticators:
  all: { anonymous: {} }
routes:
  - name: app
    authenticate: [all]
    authorize:
      - { allow: all, when: '${when}' }
`
  const LOOP = 'identity.groups.exists(a, identity.groups.exists(b, '

  it('cause a warning where there are three levels', () => {
    const [warning] = warningsOfText(configOf(`${LOOP}identity.groups.exists(c, c == a + b)))`))
    assert.equal(warning?.[0], 'routes[0].authorize[0].when')
    assert.match(warning[1], /three loops, one within another/)
  })

  for (const when of [
    `${LOOP}a == b))`,
    'identity.groups.filter(a, a != "").map(b, b).exists(c, c == "x")',
    'identity.groups.exists(a, a == "x") && identity.groups.exists(b, b == "y")',
  ]) {
    it(`cause no warning: ${when}`, () => assert.deepEqual(warningsOfText(configOf(when)), []))
  }
})
