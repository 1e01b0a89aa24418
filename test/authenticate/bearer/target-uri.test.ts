// URIs in the form in which they are compared: RFC 3986 §6.2.2 and §6.2.3, and not a step further.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { normalPath, readTargetUri } from '../../../src/authenticate/bearer/target-uri.ts'
import { readPath } from '../../../src/request/path.ts'
import { randomFrom } from '../../fakes/random.ts'

describe('the normal form of a path', () => {
  const CASES: readonly (readonly [raw: string, want: string | undefined])[] = [
    ['/', '/'],
    ['/a/b/', '/a/b/'],
    ['/a//b', '/a//b'],
    ['/~alice', '/~alice'],
    ['/%7ealice', '/~alice'],
    ['/%41%2d%2E%5f', '/A-._'],
    ['/a%2fb', '/a%2Fb'],
    ['/a%3bb;c', '/a%3Bb;c'],
    ['/%c3%bc', '/%C3%BC'],
    ['/%252e', '/%252e'], // once, and not twice
    ['/a/./b', '/a/b'],
    ['/a/../b', '/b'],
    ['/a/%2e%2E/b', '/b'],
    ['/a/.%2e', '/'],
    ['/a/b/.', '/a/b/'],
    ['/a/b/..', '/a/'],
    ['/../../a', '/a'],
    ['/..', '/'],
    ['/.', '/'],
    ['/...', '/...'],
    ['/.a/..b/c.', '/.a/..b/c.'],
    ['/a//../b', '/a/b'],
    ['/a/..;x/b', '/a/..;x/b'],
    ['/a|b"', '/a|b"'],
    ['', undefined],
    ['a', undefined],
    ['/%', undefined],
    ['/%4', undefined],
    ['/%zz', undefined],
    ['/a b', undefined],
    ['/a\\b', undefined],
    ['/ü', undefined],
    ['/a\n', undefined],
    ['/a\0', undefined],
  ]
  for (const [raw, want] of CASES) {
    it(`of ${JSON.stringify(raw)} is ${JSON.stringify(want)}`, () =>
      assert.equal(normalPath(raw), want))
  }
})

describe('the origin of a URI', () => {
  const CASES: readonly (readonly [uri: string, want: string | undefined])[] = [
    ['https://a.example', 'https://a.example'],
    ['HTTPS://A.Example/', 'https://a.example'],
    ['https://a.example:443/', 'https://a.example'],
    ['https://a.example:/', 'https://a.example'],
    ['https://a.example:80/', 'https://a.example:80'],
    ['http://a.example:80/', 'http://a.example'],
    ['http://a.example:443/', 'http://a.example:443'],
    ['https://a.example./', 'https://a.example'],
    ['https://[2001:DB8::1]:8443/', 'https://[2001:db8::1]:8443'],
    ['https://a_b.example/', 'https://a_b.example'],
    ['https://a.example:0443/', undefined],
    ['https://a.example:443x/', undefined],
    ['https://a.example..//', undefined],
    ['https://.example/', undefined],
    ['https://user@a.example/', undefined],
    ['https://user:x@a.example/', undefined],
    ['https://%61.example/', undefined],
    ['https://a.example\\@b.example/', undefined],
    ['https://\u212a.example/', undefined], // a Kelvin sign is no "k"
    ['https:///a', undefined],
    ['https:/a.example/', undefined],
    ['https:a.example', undefined],
    ['//a.example/', undefined],
    ['ftp://a.example/', undefined],
    ['https://a.example/?', undefined],
    ['https://a.example#', undefined],
    ['https://a.example?b', undefined],
    ['', undefined],
  ]
  for (const [uri, want] of CASES) {
    it(`of ${JSON.stringify(uri)} is ${JSON.stringify(want)}`, () =>
      assert.equal(readTargetUri(uri)?.origin, want))
  }
})

describe('two paths that are equal', () => {
  const SEED = 9_449
  const ROUNDS = 20_000
  it(`are one path to the rules of routes as well (seed ${SEED})`, () => {
    const random = randomFrom(SEED)
    const PIECES = ['/', '.', '..', 'a', 'A', '%2f', '%2F', ';', '%3b', '%3B', '%25', '+', '%c3%bc']
    const path = (): string =>
      `/${Array.from({ length: random(5) }, () => PIECES[random(PIECES.length)]).join('')}`
    /** The same with some of it spelt in another way, and sometimes no longer the same. */
    const respelt = (text: string): string =>
      text.replaceAll(/[aA.;]|%../g, (piece) => {
        if (random(2) === 0) return piece
        if (piece.startsWith('%'))
          return random(2) === 0 ? piece.toUpperCase() : piece.toLowerCase()
        return `%${piece.codePointAt(0)?.toString(16)}`
      })
    let equal = 0
    let different = 0
    for (let round = 0; round < ROUNDS; round += 1) {
      const one = path()
      const two = respelt(one)
      const [first, second] = [readPath(one), readPath(two)]
      if (first.outcome !== 'read' || second.outcome !== 'read') continue
      if (normalPath(one) !== normalPath(two)) {
        different += 1
        continue
      }
      if (one !== two) equal += 1
      assert.equal(first.path, second.path, `${one} ${two}`)
    }
    assert.ok(equal > 500 && different > 500, `${equal} ${different}`)
  })
})
