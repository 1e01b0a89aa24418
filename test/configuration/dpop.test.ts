// `dpop` of a bearer authenticator: what it must not say, with the place of the problem.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { parseConfig } from '../../src/configuration/parse.ts'
import { checkAll, type Sections } from './sections.ts'

const withDpop = (text: string): Sections => ({
  authenticators: `authenticators: { staff: { bearer: { issuer: 'https://i', audiences: [a], dpop: ${text} } } }`,
})

const AT = String.raw`^authenticators\.staff\.bearer\.dpop\.`
const at = (key: string): RegExp => new RegExp(AT + key)

describe('the section dpop', () => {
  const ORIGIN = at(String.raw`origins\.app\[0\]: must be an origin`)
  const originCase = (name: string, origin: string) => ({
    name: `refuses the origin ${name}`,
    input: withDpop(`{ origins: { app: ['${origin}'] } }`),
    want: [ORIGIN],
  })
  checkAll([
    { name: 'may be empty', input: withDpop('{}'), want: [] },
    {
      name: 'refuses a window below 1 s',
      input: withDpop('{ window: 999ms }'),
      want: [at('window')],
    },
    {
      name: 'refuses a window above 10 min',
      input: withDpop('{ window: 601s }'),
      want: [at('window')],
    },
    { name: 'accepts a window of 10 min', input: withDpop('{ window: 10m }'), want: [] },
    {
      name: 'refuses symmetric algorithms',
      input: withDpop('{ algorithms: [HS256] }'),
      want: [at('algorithms')],
    },
    {
      name: 'refuses an empty list of algorithms',
      input: withDpop('{ algorithms: [] }'),
      want: [at('algorithms')],
    },
    { name: 'refuses unknown keys', input: withDpop('{ nonce: {} }'), want: [/nonce/] },
    {
      name: 'accepts origins with schemes, hosts and ports',
      input: withDpop(
        '{ origins: { app: ["http://localhost:8080", "https://[::1]:8443"], "[::1]": ["https://a_b.example"] } }',
      ),
      want: [],
    },
    {
      name: 'refuses hosts in capitals',
      input: withDpop('{ origins: { App: ["https://a"] } }'),
      want: [at('origins')],
    },
    {
      name: 'refuses hosts with a port',
      input: withDpop('{ origins: { "app:1": ["https://a"] } }'),
      want: [at('origins')],
    },
    {
      name: 'refuses a host without origins',
      input: withDpop('{ origins: { app: [] } }'),
      want: [at('origins')],
    },
    originCase('has no path', 'https://app/'),
    originCase('has no user', 'https://alice@app'),
    originCase('is in lower case', 'https://App'),
    originCase('does not name the default port', 'https://app:443'),
    originCase('is one of HTTP', 'wss://app'),
    originCase('is whole', 'app:8443'),
  ])

  it('has defaults for window, require, origins and algorithms', () => {
    const text = `
version: 1
listen: { authz: unix:authz.sock }
${withDpop('{}').authenticators}
routes: [{ name: app, authenticate: [staff], authorize: [{ allow: all }] }]
`
    const result = parseConfig('/etc/countersign.yaml', text)
    assert.ok(result.ok)
    const { dpop } = result.config.authenticators['staff']?.bearer ?? {}
    assert.equal(dpop?.window, 60_000)
    assert.equal(dpop.require, false)
    assert.deepEqual(dpop.origins, {})
    assert.ok(dpop.algorithms.includes('ES256') && dpop.algorithms.length === 11)
  })
})
