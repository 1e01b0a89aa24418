// The properties of a header name: worked out once for each name, and the same each time.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { canonicalName } from '../../src/request/canonical-name.ts'
import { headerName, MARK } from '../../src/request/header-name.ts'
import { isStripped } from '../../src/request/stripped-headers.ts'

const NAMES = [
  { name: 'accept', canonical: 'accept', stripped: false, impersonation: false },
  { name: 'authorization', canonical: 'authorization', stripped: true, impersonation: false },
  { name: 'Authorization', canonical: 'authorization', stripped: true, impersonation: false },
  { name: 'authori_zation', canonical: 'authori-zation', stripped: false, impersonation: false },
  { name: 'connection', canonical: 'connection', stripped: false, impersonation: false },
  { name: 'cookie', canonical: 'cookie', stripped: false, impersonation: false },
  { name: 'Cookie', canonical: 'cookie', stripped: false, impersonation: false },
  { name: 'X-Remote-User', canonical: 'x-remote-user', stripped: true, impersonation: false },
  { name: 'x_remote.user', canonical: 'x-remote-user', stripped: true, impersonation: false },
  { name: 'impersonate-user', canonical: 'impersonate-user', stripped: true, impersonation: true },
  {
    name: 'Impersonate_Group',
    canonical: 'impersonate-group',
    stripped: true,
    impersonation: true,
  },
  { name: 'impersonate', canonical: 'impersonate', stripped: false, impersonation: false },
  {
    name: 'sec-websocket-protocol',
    canonical: 'sec-websocket-protocol',
    stripped: false,
    impersonation: false,
  },
  { name: ':path', canonical: ':path', stripped: false, impersonation: false },
] as const

describe('a header name', () => {
  for (const { name, canonical, stripped, impersonation } of NAMES) {
    it(`"${name}" has its canonical form, and whether it is stripped and impersonates`, () => {
      const { marks, ...described } = headerName(name)
      assert.deepEqual(described, {
        name,
        lowerCase: name.toLowerCase(),
        canonical,
        isStripped: stripped,
        isImpersonation: impersonation,
        alone: [name],
      })
      const has = (mark: keyof typeof MARK): boolean => (marks & MARK[mark]) !== 0
      assert.deepEqual(
        {
          authorization: has('authorization'),
          connection: has('connection'),
          impersonation: has('impersonation'),
          stripped: has('stripped'),
          cookie: has('cookie'),
          subprotocols: has('subprotocols'),
        },
        {
          authorization: canonical === 'authorization',
          connection: canonical === 'connection',
          impersonation,
          stripped,
          cookie: name === 'cookie',
          subprotocols: name === 'sec-websocket-protocol',
        },
      )
    })
  }

  it('is worked out once', () => {
    assert.equal(headerName('x-worked-out-once'), headerName('x-worked-out-once'))
  })

  it('is the same after a client has sent more names than are kept', () => {
    const before = headerName('x-remote-user')
    for (let index = 0; index < 5_000; index++) headerName(`x-junk-${index}`)
    assert.deepEqual(headerName('x-remote-user'), before)
  })

  it('a header name that is too long is not kept, and has the same properties', () => {
    const long = `x-remote-${'a'.repeat(1_000)}`
    assert.notEqual(headerName(long), headerName(long))
    assert.equal(headerName(long).isStripped, true)
  })

  it('agrees with canonicalName and isStripped for random names', () => {
    const pieces = [
      'x',
      '-',
      '_',
      '.',
      'Remote',
      'user',
      'Impersonate',
      'é',
      'K',
      'forwarded',
      'for',
    ]
    for (let seed = 1; seed < 3_000; seed++) {
      const name = Array.from(
        { length: 1 + (seed % 5) },
        (_, place) => pieces[(seed * 7_919 * (place + 1)) % pieces.length],
      ).join('')
      const described = headerName(name)
      assert.equal(described.canonical, canonicalName(name))
      assert.equal(described.isStripped, isStripped(name))
    }
  })
})
