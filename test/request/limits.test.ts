// How large a request may be: what is as large as allowed is read, what is larger is refused before all else.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { readRequest } from '../../src/request/request.ts'
import { attributesOf, type HeaderLines, type RequestParts } from '../fakes/envoy.ts'

const codeOf = (parts: RequestParts, limits?: Parameters<typeof readRequest>[1]): string => {
  const reading = readRequest(attributesOf(parts), limits)
  return reading.outcome === 'read' ? 'read' : reading.code
}

const lines = (count: number): HeaderLines => Array.from({ length: count }, () => ['x', 'v'])

const CASES: readonly { name: string; input: RequestParts; want: string }[] = [
  { name: 'a target of 8 KiB', input: { path: `/${'a'.repeat(8_191)}` }, want: 'read' },
  { name: 'a longer target', input: { path: `/${'a'.repeat(8_192)}` }, want: 'target-too-long' },
  {
    name: 'a longer target with a query',
    input: { path: `/?${'a'.repeat(8_191)}` },
    want: 'target-too-long',
  },
  {
    name: 'a longer target that cannot be read',
    input: { path: '%'.repeat(8_193) },
    want: 'target-too-long',
  },
  { name: '128 header lines', input: { headers: lines(128) }, want: 'read' },
  { name: '129 header lines', input: { headers: lines(129) }, want: 'header-fields-too-large' },
  {
    name: '64 KiB of header fields',
    input: { headers: [['x', 'v'.repeat(65_535)]] },
    want: 'read',
  },
  {
    name: 'more than 64 KiB of header fields',
    input: { headers: [['x', 'v'.repeat(65_536)]] },
    want: 'header-fields-too-large',
  },
  { name: 'a name of 1 KiB', input: { headers: [['x'.repeat(1_024), 'v']] }, want: 'read' },
  {
    name: 'a longer name',
    input: { headers: [['x'.repeat(1_025), 'v']] },
    want: 'header-fields-too-large',
  },
  { name: '256 parameters', input: { path: `/?${'a=b&'.repeat(255)}c` }, want: 'read' },
  {
    name: '257 parameters',
    input: { path: `/?${'a=b&'.repeat(256)}c` },
    want: 'too-many-parameters',
  },
  {
    name: '257 empty parameters',
    input: { path: `/?${'&'.repeat(256)}` },
    want: 'too-many-parameters',
  },
  { name: '256 ";"', input: { path: `/?${';'.repeat(256)}` }, want: 'read' },
]

describe('by default', () => {
  for (const { name, input, want } of CASES)
    it(`bounds a request with ${name}`, () => assert.equal(codeOf(input), want))
})

describe('a configuration', () => {
  const limits = { targetBytes: 1_024, headerBytes: 8_192, headerLines: 64, parameters: 16 }

  it('can set each limit', () => {
    assert.equal(codeOf({ path: `/${'a'.repeat(1_023)}` }, { limits }), 'read')
    assert.equal(codeOf({ path: `/${'a'.repeat(1_024)}` }, { limits }), 'target-too-long')
    assert.equal(codeOf({ headers: lines(64) }, { limits }), 'read')
    assert.equal(codeOf({ headers: lines(65) }, { limits }), 'header-fields-too-large')
    assert.equal(
      codeOf({ headers: [['x', 'v'.repeat(8_192)]] }, { limits }),
      'header-fields-too-large',
    )
    assert.equal(codeOf({ path: `/?${'&'.repeat(15)}` }, { limits }), 'read')
    assert.equal(codeOf({ path: `/?${'&'.repeat(16)}` }, { limits }), 'too-many-parameters')
  })
})

describe('combining marks', () => {
  const path = (marks: number): string => `/a${'%CC%80'.repeat(marks)}`
  it('can be as many in a row as Unicode’s stream-safe text has', () =>
    assert.equal(codeOf({ path: path(30) }), 'read'))
  it('cannot be more', () => assert.equal(codeOf({ path: path(31) }), 'malformed-path'))
})
