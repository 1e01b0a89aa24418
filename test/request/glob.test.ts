// Which paths a glob matches, and that no path takes long to match.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { compileGlob, encodedGlob } from '../../src/request/glob.ts'
import { randomFrom } from '../fakes/random.ts'
import { cpuTime } from '../fakes/cpu-time.ts'

const CASES: readonly { glob: string; yes: readonly string[]; no: readonly string[] }[] = [
  { glob: '/', yes: ['/'], no: ['', '/a', '//'] },
  { glob: '/a', yes: ['/a'], no: ['/a/', '/a/b', '/A', '/ab', '/b/a', 'a'] },
  { glob: '/a/', yes: ['/a/'], no: ['/a', '/a/b'] },
  { glob: '/**', yes: ['/', '/a', '/a/', '/a/b/c', ''], no: ['a'] },
  { glob: '/a/**', yes: ['/a', '/a/', '/a/b', '/a/b/c/'], no: ['/', '/ab', '/ab/c', '/b/a'] },
  { glob: '/a/*', yes: ['/a/b', '/a/.b', '/a/*'], no: ['/a', '/a/', '/a/b/', '/a/b/c'] },
  { glob: '/*', yes: ['/a', '/a.b'], no: ['/', '/a/', '/a/b'] },
  { glob: '/*/b', yes: ['/a/b'], no: ['/b', '//b', '/a/c/b'] },
  { glob: '/v*', yes: ['/v', '/v1', '/v1beta1'], no: ['/v1/', '/V1', '/av1'] },
  { glob: '/*.js', yes: ['/a.js', '/.js'], no: ['/ajs', '/a.jsx', '/a/b.js'] },
  { glob: '/a*b*c', yes: ['/abc', '/a-b-c', '/abbcc'], no: ['/acb', '/ab/c'] },
  { glob: '/a/**/z', yes: ['/a/z', '/a/b/z', '/a/b/c/z'], no: ['/a', '/az', '/a/bz', '/a/z/b'] },
  { glob: '/**/z', yes: ['/z', '/a/z', '/a/b/z'], no: ['/az', '/z/a', 'z'] },
  { glob: '/a**b', yes: ['/ab', '/axb'], no: ['/a/b'] },
  { glob: '/a.b', yes: ['/a.b'], no: ['/axb'] },
  { glob: '/a+(b)[c]{d}|^$?', yes: ['/a+(b)[c]{d}|^$?'], no: ['/aab', '/a', '/'] },
  { glob: '/a\\d', yes: ['/a\\d'], no: ['/a1'] },
  { glob: '/ü/*', yes: ['/ü/😀', '/ü/a\nb'], no: ['/u/a'] },
]

describe('compileGlob', () => {
  for (const { glob, yes, no } of CASES) {
    it(`matches the paths of the glob ${glob}`, () => {
      const compiled = compileGlob(glob)
      for (const path of yes) assert.ok(compiled.test(path), `should match ${path}`)
      for (const path of no) assert.ok(!compiled.test(path), `should not match ${path}`)
      // Envoy's RE2 has no lookaround and no back-references.
      assert.doesNotMatch(compiled.source, /\(\?[=!<]|\\[1-9]/)
      const expression = new RegExp(compiled.source, 's')
      for (const path of [...yes, ...no]) {
        assert.equal(expression.test(path), compiled.test(path), path)
      }
    })
  }
})

describe('encodedGlob', () => {
  const ENCODED = [
    { name: 'keeps what need not be encoded', input: '/a/*/b*.js/**', want: '/a/*/b*.js/**' },
    { name: 'encodes bytes of UTF-8', input: '/ü b/**', want: '/%C3%BC%20b/**' },
    { name: 'encodes a percent sign', input: '/100%', want: '/100%25' },
    { name: 'keeps reserved characters', input: '/@a:b;c=d', want: '/@a:b;c=d' },
    { name: 'takes a segment with a name for any', input: '/{org}/x/{name}', want: '/*/x/*' },
    {
      name: 'takes braces around more than a name as they are',
      input: '/{a-b}',
      want: '/%7Ba-b%7D',
    },
  ]
  for (const { name, input, want } of ENCODED) {
    it(name, () => assert.equal(encodedGlob(input), want))
  }
})

describe('a hostile path', () => {
  // A third of what Envoy takes (max_request_headers_kb: 60).
  const LONG = ['/a', 'a', '/ab'].map((unit) => `/${unit.repeat(20_000 / unit.length)}/x`)
  const GLOBS = [
    '/**',
    '/*/a/**',
    '/a/**/b',
    '/*/*/*/*/*/*/b',
    '/**/a*b',
    '/a*a*b',
    '/**/a/**/b',
    '/**/*a*a*/**/*b*b*',
  ]
  for (const glob of GLOBS) {
    it(`does not keep ${glob} busy`, () => {
      const compiled = compileGlob(glob)
      const started = cpuTime()
      for (const path of LONG) compiled.test(path)
      assert.ok(cpuTime() - started < 100)
    })
  }
})

describe('any glob', () => {
  const SEED = 11
  const PIECES = ['a', 'b', 'ab', '*', '**', '/', '/a', '/*', '/**', '/**/', '.']

  it(`matches what its regular expression matches (seed ${SEED})`, () => {
    const random = randomFrom(SEED)
    const text = (): string =>
      `/${Array.from({ length: random(7) }, () => PIECES[random(PIECES.length)]).join('')}`
    let matched = 0
    for (let round = 0; round < 4_000; round++) {
      const glob = text()
      const compiled = compileGlob(glob)
      const expression = new RegExp(compiled.source, 's')
      for (let index = 0; index < 8; index++) {
        const path = text().replaceAll('*', 'ab'.charAt(random(2)))
        assert.equal(compiled.test(path), expression.test(path), `${glob} on ${path}`)
        if (compiled.test(path)) matched += 1
      }
    }
    assert.ok(matched > 1_000)
  })
})
