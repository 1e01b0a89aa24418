// `state`: where shared records can be kept, and where they cannot.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { parseConfig } from '../../src/configuration/parse.ts'
import type { StateConfig } from '../../src/state/schema.ts'

const parse = (state: string) =>
  parseConfig(
    '/etc/countersign.yaml',
    `
version: 1
listen: { authz: unix:run/authz.sock }
authenticators: { staff: { basic: { verify: [{ users: { file: users.yaml } }] } } }
routes: [{ name: app, authenticate: [staff], authorize: [{ allow: all }] }]
${state}
`,
  )

const stateOf = (text: string): StateConfig => {
  const result = parse(text)
  assert.ok(result.ok, JSON.stringify(result))
  return result.config.state
}

describe('state', () => {
  it('is memory where nothing is said', () => {
    assert.deepEqual(stateOf(''), { memory: {} })
  })

  it('has safe defaults in Redis', () => {
    assert.deepEqual(stateOf('state: { redis: { url: env:REDIS_URL, secret: file:state.keys } }'), {
      redis: {
        url: { kind: 'environment', variable: 'REDIS_URL' },
        secret: { kind: 'file', path: '/etc/state.keys' },
        plaintext: false,
        cluster: false,
        replicas: 0,
        connectTimeout: 2_000,
        timeout: 500,
      },
    })
  })

  it('is the same in a file however that is written', () => {
    assert.deepEqual(
      stateOf('state: { sqlite: a.db }'),
      stateOf('state: { sqlite: { file: a.db } }'),
    )
  })

  const one = /exactly one of "memory", "sqlite", "redis"/
  const BAD = [
    { name: 'an empty object', text: '{}', want: one },
    { name: 'two stores at once', text: '{ memory: {}, sqlite: a.db }', want: one },
    { name: 'an unknown place', text: '{ postgres: {} }', want: /postgres/ },
    { name: 'Redis without a secret', text: '{ redis: { url: env:A } }', want: /secret/ },
    {
      name: 'an address, which may hold a password, in the configuration itself',
      text: '{ redis: { url: "redis://:pass@host", secret: env:A } }',
      want: /must be a reference/,
    },
    {
      name: 'a prefix with a pattern in it',
      text: '{ redis: { url: env:A, secret: env:A, prefix: "a*" } }',
      want: /must be 1 to 64/,
    },
    {
      name: 'a cluster with sentinels',
      text: '{ redis: { url: env:A, secret: env:A, cluster: true, sentinel: { master: x } } }',
      want: /must not be there with "sentinel"/,
    },
    {
      name: 'a cluster whose keys are apart',
      text: '{ redis: { url: env:A, secret: env:A, cluster: true, prefix: "a:" } }',
      want: /must have a text in braces/,
    },
    {
      name: 'a password in the configuration itself',
      text: '{ redis: { url: env:A, secret: env:A, password: x } }',
      want: /must be a reference/,
    },
    {
      name: 'no time for a command',
      text: '{ redis: { url: env:A, secret: env:A, timeout: 0s } }',
      want: /longer than nothing/,
    },
    {
      name: 'room for nothing',
      text: '{ sqlite: { file: a.db, maxBytes: 1000 } }',
      want: /at least 1048576/,
    },
  ]
  for (const { name, text, want } of BAD) {
    it(`is not ${name}`, () => {
      const result = parse(`state: ${text}`)
      assert.ok(!result.ok)
      assert.match(result.problems.map(({ path, message }) => `${path}: ${message}`).join(), want)
    })
  }
})
