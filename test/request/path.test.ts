// Which request targets have one reading, and which have two or none.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { readPath, type PathReading } from '../../src/request/path.ts'
import { cpuTime } from '../fakes/cpu-time.ts'

const READ: readonly { name: string; input: string; want: { path: string; query: string } }[] = [
  { name: 'the root', input: '/', want: { path: '/', query: '' } },
  { name: 'segments', input: '/api/v1/pods', want: { path: '/api/v1/pods', query: '' } },
  { name: 'a trailing slash', input: '/api/', want: { path: '/api/', query: '' } },
  { name: 'a query', input: '/a?b=c', want: { path: '/a', query: 'b=c' } },
  { name: 'an empty query', input: '/a?', want: { path: '/a', query: '' } },
  { name: 'a second question mark', input: '/a?b?c', want: { path: '/a', query: 'b?c' } },
  {
    name: 'a query that holds what a path may not',
    input: '/a?x=%2f..%2f%00&y=//../%zz',
    want: { path: '/a', query: 'x=%2f..%2f%00&y=//../%zz' },
  },
  {
    name: 'every character that needs no encoding',
    input: "/-._~!$&'()*+,=:@",
    want: { path: "/-._~!$&'()*+,=:@", query: '' },
  },
  { name: 'an encoded space', input: '/a%20b', want: { path: '/a b', query: '' } },
  { name: 'encoded UTF-8', input: '/%C3%BCber', want: { path: '/über', query: '' } },
  { name: 'hex digits of either case', input: '/%c3%Bc', want: { path: '/ü', query: '' } },
  { name: 'an encoded question mark', input: '/a%3fb?c', want: { path: '/a?b', query: 'c' } },
  { name: 'an encoded hash', input: '/a%23b', want: { path: '/a#b', query: '' } },
  { name: 'an encoded per cent sign', input: '/100%25', want: { path: '/100%', query: '' } },
  {
    name: 'a doubly encoded space, which only a second decoder reads as a space',
    input: '/a%2520b',
    want: { path: '/a%20b', query: '' },
  },
  { name: 'path parameters', input: '/a;v=1/b', want: { path: '/a;v=1/b', query: '' } },
  { name: 'three dots', input: '/.../a', want: { path: '/.../a', query: '' } },
  { name: 'a hidden file', input: '/.git/config', want: { path: '/.git/config', query: '' } },
  { name: 'a segment that ends in dots', input: '/a../b.', want: { path: '/a../b.', query: '' } },
  {
    name: 'a noncharacter and an astral character',
    input: '/%F0%9F%98%80',
    want: { path: '/😀', query: '' },
  },
  {
    name: 'a target of 60 KiB',
    input: `/${'a/'.repeat(30_000)}b`,
    want: { path: `/${'a/'.repeat(30_000)}b`, query: '' },
  },
]

type Code = Extract<PathReading, { outcome: 'refused' }>['code']

const REFUSED: readonly { name: string; input: string; want: Code }[] = [
  { name: 'nothing', input: '', want: 'malformed-path' },
  { name: 'asterisk-form', input: '*', want: 'malformed-path' },
  { name: 'absolute-form', input: 'http://app.example.org/', want: 'malformed-path' },
  { name: 'authority-form', input: 'app.example.org:443', want: 'malformed-path' },
  { name: 'a relative path', input: 'api/v1', want: 'malformed-path' },
  { name: 'a query alone', input: '?a=b', want: 'malformed-path' },
  { name: 'a space', input: '/a b', want: 'malformed-path' },
  { name: 'a line break', input: '/a\r\nx: y', want: 'malformed-path' },
  { name: 'a NUL', input: '/a\0b', want: 'malformed-path' },
  { name: 'DEL', input: '/a\u007f', want: 'malformed-path' },
  { name: 'raw non-ASCII in the path', input: '/über', want: 'malformed-path' },
  { name: 'raw non-ASCII in the query', input: '/?q=ü', want: 'malformed-path' },
  { name: 'a space in the query', input: '/?q=a b', want: 'malformed-path' },
  { name: 'a lone %', input: '/100%', want: 'malformed-path' },
  { name: 'a % and one digit', input: '/a%2', want: 'malformed-path' },
  { name: 'a % and no hex digits', input: '/a%zz', want: 'malformed-path' },
  { name: 'IIS %u escapes', input: '/%u002e%u002e/', want: 'malformed-path' },
  { name: 'encoded bytes that are not UTF-8', input: '/%ff', want: 'malformed-path' },
  { name: 'a cut UTF-8 sequence', input: '/%c3/a', want: 'malformed-path' },
  { name: 'an overlong encoding of "/"', input: '/..%c0%af..', want: 'malformed-path' },
  { name: 'an overlong encoding of "."', input: '/%c0%ae%c0%ae/', want: 'malformed-path' },
  { name: 'an encoded surrogate', input: '/%ed%a0%80', want: 'malformed-path' },
  { name: 'an encoded line break', input: '/a%0d%0ab', want: 'malformed-path' },
  { name: 'an encoded tab', input: '/a%09b', want: 'malformed-path' },
  { name: 'an encoded DEL', input: '/a%7f', want: 'malformed-path' },
  { name: 'an encoded C1 control character', input: '/a%c2%85', want: 'malformed-path' },
  { name: 'an encoded slash', input: '/a%2fb', want: 'ambiguous-path' },
  { name: 'an encoded slash in upper case', input: '/a%2Fb', want: 'ambiguous-path' },
  { name: 'an encoded backslash', input: '/a%5cb', want: 'ambiguous-path' },
  { name: 'an encoded backslash in upper case', input: '/a%5Cb', want: 'ambiguous-path' },
  { name: 'an encoded NUL', input: '/a%00b', want: 'ambiguous-path' },
  { name: 'a raw backslash', input: '/a\\b', want: 'ambiguous-path' },
  { name: 'dots behind a backslash', input: '/a/..\\b', want: 'ambiguous-path' },
  { name: 'a doubly encoded slash', input: '/a%252fb', want: 'ambiguous-path' },
  { name: 'a doubly encoded backslash', input: '/a%255Cb', want: 'ambiguous-path' },
  { name: 'a doubly encoded dot', input: '/%252e%252e/a', want: 'ambiguous-path' },
  { name: 'a doubly encoded NUL', input: '/a%2500', want: 'ambiguous-path' },
  { name: 'a doubly encoded letter', input: '/%2573ecrets', want: 'ambiguous-path' },
  { name: 'a doubly encoded capital', input: '/a/%2553', want: 'ambiguous-path' },
  { name: 'a doubly encoded digit', input: '/a/%2531', want: 'ambiguous-path' },
  { name: 'a doubly encoded hyphen', input: '/a%252Db', want: 'ambiguous-path' },
  { name: 'a doubly encoded underscore', input: '/a%255fb', want: 'ambiguous-path' },
  { name: 'a doubly encoded tilde', input: '/a%257Eb', want: 'ambiguous-path' },
  { name: 'a triply encoded slash', input: '/a%25252fb', want: 'ambiguous-path' },
  {
    name: 'a slash of which the digits are encoded',
    input: '/a%25%32%66b',
    want: 'ambiguous-path',
  },
  { name: 'a slash of which one digit is encoded', input: '/a%252%66b', want: 'ambiguous-path' },
  {
    name: 'a dot of which the digits are encoded',
    input: '/%25%32e%25%32e/',
    want: 'ambiguous-path',
  },
  { name: 'a dot segment', input: '/a/./b', want: 'ambiguous-path' },
  { name: 'a dot segment at the end', input: '/a/.', want: 'ambiguous-path' },
  { name: 'two dots', input: '/a/../b', want: 'ambiguous-path' },
  { name: 'two dots at the end', input: '/a/..', want: 'ambiguous-path' },
  { name: 'two dots at the start', input: '/../a', want: 'ambiguous-path' },
  { name: 'encoded dots', input: '/a/%2e%2e/b', want: 'ambiguous-path' },
  { name: 'a half encoded pair of dots', input: '/a/.%2E/b', want: 'ambiguous-path' },
  { name: 'one encoded dot', input: '/%2e/a', want: 'ambiguous-path' },
  { name: 'two dots with a parameter', input: '/a/..;/b', want: 'ambiguous-path' },
  { name: 'two dots with a long parameter', input: '/a/..;v=1;w/b', want: 'ambiguous-path' },
  { name: 'two dots with a parameter at the end', input: '/a/..;x', want: 'ambiguous-path' },
  { name: 'two dots with an encoded parameter', input: '/a/..%3bx/b', want: 'ambiguous-path' },
  { name: 'a dot with a parameter', input: '/.;/b', want: 'ambiguous-path' },
  { name: 'an empty segment', input: '/a//b', want: 'ambiguous-path' },
  { name: 'an empty segment at the start', input: '//a', want: 'ambiguous-path' },
  { name: 'an empty segment at the end', input: '/a//', want: 'ambiguous-path' },
  { name: 'a fragment', input: '/a#b', want: 'ambiguous-path' },
  { name: 'a fragment behind the query', input: '/a?b#c', want: 'ambiguous-path' },
  { name: 'a fragment that hides the query', input: '/a#?b', want: 'ambiguous-path' },
  {
    name: 'dot segments behind 60 KiB',
    input: `/${'a'.repeat(60_000)}/..`,
    want: 'ambiguous-path',
  },
]

describe('readPath reads', () => {
  for (const { name, input, want } of READ) {
    it(`reads a path: ${name}`, () =>
      assert.deepEqual(readPath(input), { outcome: 'read', ...want }))
  }
})

describe('readPath refuses', () => {
  for (const { name, input, want } of REFUSED) {
    it(`refuses a path: ${name}`, () =>
      assert.deepEqual(readPath(input), { outcome: 'refused', code: want }))
  }
})

// What a lenient upstream may do once more to a path that it takes for encoded.
const decodeAgain = (path: string): string =>
  path.replaceAll(/%([0-9a-f]{2})/gi, (_, hex: string) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  )

const segmentsOf = (path: string): number => path.split(/[/\\]/).length

describe('a path that was read', () => {
  const PIECES = ['a', '/', '.', '..', ';', '%2f', '%2e', '%25', '%5c', '2f', '2e', '%32', '%66']

  it('has neither more segments nor dots when it is decoded a second time', () => {
    let read = 0
    for (const one of PIECES) {
      for (const two of PIECES) {
        for (const three of PIECES) {
          for (const four of PIECES) {
            const reading = readPath(`/${one}${two}${three}${four}`)
            if (reading.outcome === 'refused') continue
            read += 1
            const again = decodeAgain(reading.path)
            assert.equal(segmentsOf(again), segmentsOf(reading.path), reading.path)
            assert.doesNotMatch(again, /\/\.{1,2}(\/|;|$)|\/\//, reading.path)
          }
        }
      }
    }
    assert.ok(read > 1_000)
  })

  it('does not take longer than linear time to refuse', () => {
    const started = cpuTime()
    for (const unit of ['/', '%', '/.', '/..;', '/.;;', '%25', '%2', ';/']) {
      readPath(`/${unit.repeat(60_000 / unit.length)}`)
    }
    assert.ok(cpuTime() - started < 1_000)
  })
})
