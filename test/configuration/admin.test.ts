// The admin listeners in the configurations.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { parseConfig } from '../../src/configuration/parse.ts'
import { formatProblem } from '../../src/config/problem.ts'
import { parseSignerConfig } from '../../src/ca/parse.ts'
import { checkAll } from './sections.ts'

const withAdmin = (admin: string) => ({
  listen: `listen: { authz: unix:authz.sock, admin: ${admin} }`,
})

const NEEDS_CONSENT = /listen\.admin: .* needs "plaintext: true"/

describe('listen.admin', () => {
  checkAll([
    { name: 'accepts a loopback address', input: withAdmin('127.0.0.1:9090'), want: [] },
    { name: 'accepts IPv6 loopback', input: withAdmin("'[::1]:9090'"), want: [] },
    { name: 'accepts a UNIX socket', input: withAdmin('unix:admin.sock'), want: [] },
    {
      name: 'refuses an address that is not loopback',
      input: withAdmin('0.0.0.0:9090'),
      want: [NEEDS_CONSENT],
    },
    {
      name: 'refuses an IPv6 address that is not loopback',
      input: withAdmin("'[::]:9090'"),
      want: [NEEDS_CONSENT],
    },
    { name: 'refuses a host name', input: withAdmin('countersign:9090'), want: [NEEDS_CONSENT] },
    {
      name: 'refuses an address that is not loopback, in the long form',
      input: withAdmin("{ address: '0.0.0.0:9090', plaintext: false }"),
      want: [NEEDS_CONSENT],
    },
    {
      name: 'accepts an address that is not loopback with plaintext: true',
      input: withAdmin("{ address: '0.0.0.0:9090', plaintext: true }"),
      want: [],
    },
    {
      name: 'refuses the setting tls',
      input: withAdmin("{ address: 'a:1', tls: {} }"),
      want: [/unknown key/],
    },
    {
      name: 'refuses a port without an address',
      input: withAdmin('9090'),
      want: [/listen\.admin/],
    },
  ])

  it('has defaults for plaintext and mode', () => {
    const text = `version: 1
listen: { authz: unix:authz.sock, admin: unix:/run/admin.sock }
authenticators: { staff: { basic: { verify: [{ users: { file: users.yaml } }] } } }
routes: [{ name: app, authenticate: [staff], authorize: [{ allow: all }] }]`
    const parsed = parseConfig('/etc/countersign.yaml', text)
    assert.ok(parsed.ok)
    assert.deepEqual(parsed.config.listen.admin, {
      address: { kind: 'unix', path: '/run/admin.sock' },
      plaintext: false,
      mode: '0660',
    })
  })
})

describe('the signer’s listen.admin', () => {
  const parse = (admin: string) =>
    parseSignerConfig(
      '/etc/signer.yaml',
      `version: 1
listen: unix:signer.sock
admin: ${admin}
authorities: { kube: { certificate: ca.pem, key: 'file:ca.key' } }`,
    )
  const CASES = [
    { admin: '127.0.0.1:9090', want: /:3:1: admin: must be "unix:PATH": a process with a CA key/ },
    { admin: "{ address: '127.0.0.1:9090' }", want: /admin\.address: must be "unix:PATH"/ },
    { admin: "{ address: 'unix:a', plaintext: true }", want: /unknown key/ },
    { admin: "{ address: 'unix:a', mode: rw }", want: /admin\.mode: must be an octal file mode/ },
  ]
  for (const { admin, want } of CASES) {
    it(`refuses the address ${admin}`, () => {
      const result = parse(admin)
      assert.ok(!result.ok)
      assert.match(result.problems.map(formatProblem).join('\n'), want)
    })
  }

  it('accepts a UNIX socket of its own, with owner and group', () => {
    const short = parse('unix:admin.sock')
    const long = parse("{ address: 'unix:admin.sock', mode: '0600', owner: 1, group: 2 }")
    assert.ok(short.ok && long.ok)
    const address = { kind: 'unix', path: '/etc/admin.sock' }
    assert.deepEqual(short.value.admin, { address, mode: '0660' })
    assert.deepEqual(long.value.admin, { address, mode: '0600', owner: 1, group: 2 })
  })
})
