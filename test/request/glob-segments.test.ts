// The named segments of globs, read.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { compileGlob, namedSegments, segmentNames } from '../../src/request/glob.ts'

const CASES: readonly {
  readonly globs: readonly string[]
  readonly path: string
  readonly want: Readonly<Record<string, string>>
}[] = [
  { globs: ['/{a}'], path: '/x', want: { a: 'x' } },
  { globs: ['/t/{a}/{b}/x'], path: '/t/1/2/x', want: { a: '1', b: '2' } },
  { globs: ['/t/{a}/**'], path: '/t/1', want: { a: '1' } },
  { globs: ['/t/{a}/**'], path: '/t/1/', want: { a: '1' } },
  { globs: ['/t/{a}/**'], path: '/t/1/2/3', want: { a: '1' } },
  { globs: ['/**/{a}'], path: '/1', want: { a: '1' } },
  { globs: ['/**/{a}'], path: '/1/2/3', want: { a: '3' } },
  { globs: ['/**/{a}/x'], path: '/1/2/x', want: { a: '2' } },
  { globs: ['/{a}/**/{b}'], path: '/1/2', want: { a: '1', b: '2' } },
  { globs: ['/{a}/**/{b}'], path: '/1/x/y/2', want: { a: '1', b: '2' } },
  { globs: ['/{a}/x', '/x/{a}'], path: '/x/x', want: { a: 'x' } },
  { globs: ['/{a}/x', '/y/{a}'], path: '/y/z', want: { a: 'z' } },
  { globs: ['/{a}/x', '/{a}/{b}'], path: '/1/x', want: { a: '1' } },
  { globs: ['/x*/{a}'], path: '/xy/é😀', want: { a: 'é😀' } },
  { globs: ['/{a}'], path: '/{a}', want: { a: '{a}' } },
  { globs: ['/{a}'], path: '/1/2', want: {} },
  { globs: ['/{a}'], path: '/', want: {} },
  { globs: [], path: '/', want: {} },
  { globs: ['/{a-b}/{c}'], path: '/{a-b}/1', want: { c: '1' } },
]

describe('namedSegments', () => {
  for (const { globs, path, want } of CASES) {
    it(`reads the segments ${globs.join(', ')} of ${path}`, () => {
      assert.deepEqual(Object.fromEntries(namedSegments(globs)(path)), want)
    })
  }

  it('reads hostile names as names', () => {
    const segments = namedSegments(['/{__proto__}/{constructor}'])('/1/2')
    assert.deepEqual(
      [...segments],
      [
        ['__proto__', '1'],
        ['constructor', '2'],
      ],
    )
  })
})

describe('segmentNames', () => {
  const NAMES = [
    { glob: '/{a}/b/{c_1}/**/{_d}', want: ['a', 'c_1', '_d'] },
    { glob: '/{a}/{a}', want: ['a', 'a'] },
    { glob: '/{1}/{a b}/{a-b}/x{a}/{a}x/{}/{{a}}', want: [] },
    { glob: '/', want: [] },
  ]
  for (const { glob, want } of NAMES) {
    it(`reads the names of segments in ${glob}`, () => assert.deepEqual(segmentNames(glob), want))
  }
})

describe('a named segment', () => {
  it('matches what "*" matches, and its expression is that of "*"', () => {
    for (const [named, plain] of [
      ['/{a}', '/*'],
      ['/x/{a}/**', '/x/*/**'],
      ['/**/{a}/y', '/**/*/y'],
    ] as const) {
      assert.equal(compileGlob(named).source, compileGlob(plain).source)
      for (const path of ['/', '/x', '/x/', '/x/1', '/x/1/', '/x/1/y', '/y', '//y']) {
        assert.equal(compileGlob(named).test(path), compileGlob(plain).test(path), path)
      }
    }
  })
})
