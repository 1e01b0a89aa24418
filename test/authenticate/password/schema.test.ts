// How long a login may take: RADIUS servers that call the user on the telephone have a long `timeout`.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { loginWait } from '../../../src/authenticate/password/schema.ts'
import { configOf } from '../../envoy/edge.ts'

const radius = (timeout?: string) => ({
  radius: {
    servers: [{ host: '127.0.0.1', secret: 'file:radius.secret' }],
    ...(timeout === undefined ? {} : { timeout }),
  },
})
const users = { users: { file: 'users.yaml' } }

const waitOf = (...verify: readonly (readonly object[])[]): number => {
  const names = verify.map((_, index) => `staff-${index}`)
  const authenticators = Object.fromEntries(
    verify.map((list, index) => [`staff-${index}`, { basic: { verify: list } }]),
  )
  const url = 'https://id.example.org'
  return loginWait(
    configOf('/etc/countersign', {
      listen: { authz: 'unix:authz.sock', issuer: 'unix:issuer.sock' },
      issuer: {
        url,
        keys: 'keys',
        login: { authenticators: names },
        clients: { cli: { grantTypes: ['device_code'] } },
      },
      authenticators: { ...authenticators, staff: { basic: { verify: [users] } } },
      routes: [
        {
          name: 'app',
          match: { hosts: ['app.example.org'] },
          authenticate: ['staff'],
          authorize: [{ allow: 'all' }],
        },
      ],
    }),
  )
}

describe('how long a login may take', () => {
  const CASES = [
    { name: 'a users file', verify: [[users]], want: 14_000 },
    { name: 'RADIUS as it is by default', verify: [[radius()]], want: 14_000 },
    { name: 'RADIUS with a push', verify: [[users, radius('60s')]], want: 64_000 },
    { name: 'two RADIUS verifiers', verify: [[radius('30s'), radius('60s')]], want: 94_000 },
    { name: 'the slowest authenticator', verify: [[radius('30s')], [radius('60s')]], want: 64_000 },
  ]
  for (const { name, verify, want } of CASES) {
    it(`${name}: ${want} ms`, () => {
      assert.equal(waitOf(...verify), want)
    })
  }
})
