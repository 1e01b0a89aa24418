// Header names in the spellings that an upstream may take for one, and looking lines up.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { canonicalName } from '../../src/request/canonical-name.ts'
import { Headers } from '../../src/request/headers.ts'
import { linesOf } from '../fakes/envoy.ts'

describe('canonicalName', () => {
  const CASES = [
    { name: 'keeps a lower-case name', input: 'x-remote-user', want: 'x-remote-user' },
    { name: 'lower-cases', input: 'X-Remote-User', want: 'x-remote-user' },
    { name: 'takes "_" for "-", as CGI does', input: 'x_remote_user', want: 'x-remote-user' },
    { name: 'does both', input: 'X_REMOTE-User', want: 'x-remote-user' },
    { name: 'takes "." for "-", as PHP does', input: 'x.remote.user', want: 'x-remote-user' },
    { name: 'does all of it', input: 'X_REMOTE.User', want: 'x-remote-user' },
    { name: 'keeps digits', input: 'x-2', want: 'x-2' },
    {
      name: 'takes every symbol of a token for "-"',
      input: "a!#$%&'*+-.^_`|~b",
      want: 'a---------------b',
    },
    { name: 'replaces what is not a token by "-"', input: 'x ü\tb', want: 'x---b' },
    { name: 'keeps a pseudo-header', input: ':path', want: ':path' },
    { name: 'keeps nothing', input: '', want: '' },
  ]
  for (const { name, input, want } of CASES) {
    it(`canonicalises header names: ${name}`, () => assert.equal(canonicalName(input), want))
  }

  it('makes no new text of an ordinary name', () => {
    const name = ['x', 'remote', 'user'].join('-')
    assert.ok(Object.is(canonicalName(name), name))
  })

  it('gives a canonical name back unchanged', () => {
    for (const { input } of CASES) {
      assert.equal(canonicalName(canonicalName(input)), canonicalName(input))
    }
  })
})

describe('Headers', () => {
  const headers = new Headers(
    linesOf([
      ['accept', 'text/html'],
      ['x-bytes', Buffer.from([0xff, 0x00])],
      ['accept', 'text/plain'],
      ['x-empty', ''],
    ]),
  )

  it('gives the first of several lines', () => {
    assert.equal(headers.get('accept')?.toString(), 'text/html')
  })

  it('gives bytes as they came', () => {
    assert.deepEqual(headers.get('x-bytes'), Buffer.from([0xff, 0x00]))
  })

  it('tells an empty value from none', () => {
    assert.equal(headers.get('x-empty')?.length, 0)
    assert.equal(headers.get('x-none'), undefined)
  })

  it('keeps every line in order', () => {
    assert.deepEqual(
      headers.lines.map(({ name }) => name),
      ['accept', 'x-bytes', 'accept', 'x-empty'],
    )
  })
})
