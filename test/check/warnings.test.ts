// What a valid configuration probably does not mean; rules have tests of their own (denied-reads).

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { warningsOf } from '../../src/check/warnings.ts'
import { parseConfig } from '../../src/config/parse.ts'

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

describe('a certificate in the last element of X-Forwarded-Client-Cert', () => {
  it('has a warning about names that Envoy does not quote', () => {
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
    it(`has none with ${certificate}`, () => assert.deepEqual(warningsFor(certificate), []))
  }
})
