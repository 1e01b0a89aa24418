// Which operation a path is for; and paths that a caller writes so that it depends on the reader.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { OperationIndex } from '../../../src/request/openapi/operation-index.ts'
import { findIn, operation } from './operation.ts'
import { cpuTime } from '../../fakes/cpu-time.ts'

const indexOf = (templates: readonly string[], base = ''): OperationIndex =>
  new OperationIndex(
    templates.map((template) => {
      const openEnded = template.endsWith('/{path*}')
      return operation(`GET ${template.replace('{path*}', '{path}')}`, { openEnded })
    }),
    base,
  )

interface Case {
  readonly path: string
  readonly want: string
}

const TABLES: readonly {
  readonly name: string
  readonly templates: readonly string[]
  readonly base?: string
  readonly cases: readonly Case[]
}[] = [
  {
    name: 'takes literals before parameters, from the left',
    templates: [
      '/',
      '/users',
      '/users/me',
      '/users/{id}',
      '/users/{id}/keys',
      '/users/me/keys',
      '/{any}/me',
    ],
    cases: [
      { path: '/', want: '/' },
      { path: '/users', want: '/users' },
      { path: '/users/me', want: '/users/me' },
      { path: '/users/7', want: '/users/{id} id=7' },
      { path: '/users/7/keys', want: '/users/{id}/keys id=7' },
      { path: '/users/me/keys', want: '/users/me/keys' },
      { path: '/teams/me', want: '/{any}/me any=teams' },
      { path: '/users/7/keys/8', want: 'undefined' },
      { path: '/teams/7', want: 'undefined' },
      { path: '', want: 'undefined' },
      { path: '*', want: 'undefined' },
    ],
  },
  {
    name: 'goes back where a literal leads nowhere',
    templates: ['/a/b/c', '/a/{x}/d'],
    cases: [
      { path: '/a/b/d', want: '/a/{x}/d x=b' },
      { path: '/a/b/e', want: 'undefined' },
    ],
  },
  {
    name: 'takes partly literal segments before parameters, and the more literal first',
    templates: ['/f/{id}', '/f/{id}.gz', '/f/{id}.tar.gz', '/f/v{n}.tar.gz', '/f/all.gz'],
    cases: [
      { path: '/f/x', want: '/f/{id} id=x' },
      { path: '/f/x.gz', want: '/f/{id}.gz id=x' },
      { path: '/f/x.tar.gz', want: '/f/{id}.tar.gz id=x' },
      { path: '/f/v1.tar.gz', want: '/f/v{n}.tar.gz n=1' },
      { path: '/f/all.gz', want: '/f/all.gz' },
      { path: '/f/.gz', want: '/f/{id} id=.gz' },
    ],
  },
  {
    name: 'has no order for templates that are each more specific somewhere',
    templates: ['/users/{id}/keys', '/users/me/{part}', '/g/{a}.x', '/g/y-{b}'],
    cases: [
      { path: '/users/7/keys', want: '/users/{id}/keys id=7' },
      { path: '/users/me/name', want: '/users/me/{part} part=name' },
      { path: '/users/me/keys', want: 'ambiguous' },
      { path: '/users/ME/keys', want: 'ambiguous' },
      { path: '/g/a.x', want: '/g/{a}.x a=a' },
      { path: '/g/y-b', want: '/g/y-{b} b=b' },
      { path: '/g/y-b.x', want: 'ambiguous' },
    ],
  },
  {
    name: 'divides a segment among parameters in the only way there is, or not at all',
    templates: ['/c/{base}...{head}', '/t/{x},{y}', '/d/pre-{x}-{y}-post'],
    cases: [
      { path: '/c/main...dev', want: '/c/{base}...{head} base=main head=dev' },
      { path: '/c/main....dev', want: 'ambiguous' },
      { path: '/c/a...b...c', want: 'ambiguous' },
      { path: '/c/...b', want: 'undefined' },
      { path: '/c/a...', want: 'undefined' },
      { path: '/t/1,2', want: '/t/{x},{y} x=1 y=2' },
      { path: '/t/1,2,3', want: 'ambiguous' },
      { path: '/t/,', want: 'undefined' },
      { path: '/t/,,,', want: '/t/{x},{y} x=, y=,' },
      { path: '/d/pre-a-b-post', want: '/d/pre-{x}-{y}-post x=a y=b' },
      { path: '/d/pre-a-post', want: 'undefined' },
    ],
  },
  {
    name: 'takes the rest of a path where a template is open-ended',
    templates: ['/pods/{name}/proxy', '/pods/{name}/proxy/{path*}', '/pods/{name}/proxy/metrics'],
    cases: [
      { path: '/pods/a/proxy', want: '/pods/{name}/proxy name=a' },
      { path: '/pods/a/proxy/b', want: '/pods/{name}/proxy/{path} name=a path=b' },
      { path: '/pods/a/proxy/b/c/', want: '/pods/{name}/proxy/{path} name=a path=b/c/' },
      { path: '/pods/a/proxy/metrics', want: '/pods/{name}/proxy/metrics name=a' },
      { path: '/pods/a/proxy/metrics/x', want: '/pods/{name}/proxy/{path} name=a path=metrics/x' },
      { path: '/pods/a/proxy/', want: 'ambiguous' },
      { path: '/pods/a/proxy/b;c', want: 'ambiguous' },
      { path: '/pods/a/proxy/b//c', want: 'ambiguous' },
      { path: '/pods/a/proxy/../c', want: 'ambiguous' },
    ],
  },
  {
    name: 'begins at the base path',
    templates: ['/', '/users'],
    base: '/v1/',
    cases: [
      { path: '/v1/users', want: '/users' },
      { path: '/v1/', want: '/' },
      { path: '/v1', want: 'ambiguous' },
      { path: '/users', want: 'undefined' },
      { path: '/v1users', want: 'undefined' },
      { path: '/V1/users', want: 'ambiguous' },
    ],
  },
  {
    name: 'decodes the literals of a template as paths are decoded',
    templates: ['/a%20b/{x}', '/caf%C3%A9'],
    cases: [
      { path: '/a b/1', want: '/a%20b/{x} x=1' },
      { path: '/a%20b/1', want: 'undefined' },
      { path: '/café', want: '/caf%C3%A9' },
      { path: '/cafe\u0301', want: 'ambiguous' },
    ],
  },
  {
    name: 'is not confused by how a path is written',
    templates: ['/users', '/users/me', '/users/{id}', '/slash/', '/Upper/{x}', '/k/{x}.json'],
    cases: [
      { path: '/users/', want: 'ambiguous' },
      { path: '/Users', want: 'ambiguous' },
      { path: '/USERS/', want: 'ambiguous' },
      { path: '/users;v=1', want: 'ambiguous' },
      { path: '/users;/me', want: 'ambiguous' },
      { path: '/users/me;v=1', want: 'ambiguous' },
      { path: '/users/7;v=1', want: 'ambiguous' },
      { path: '/users/;', want: 'ambiguous' },
      { path: '/users/.', want: 'ambiguous' },
      { path: '/users/..', want: 'ambiguous' },
      { path: '//users', want: 'ambiguous' },
      { path: '/users//me', want: 'ambiguous' },
      { path: '/users/ME', want: 'ambiguous' },
      { path: '/users/me/', want: 'ambiguous' },
      { path: '/users/Alice', want: '/users/{id} id=Alice' },
      { path: '/users/ｍｅ', want: 'ambiguous' },
      { path: '/uſers', want: 'ambiguous' },
      { path: '/\u212A/x.json', want: 'ambiguous' },
      { path: '/k/x.JSON', want: 'ambiguous' },
      { path: '/slash/', want: '/slash/' },
      { path: '/slash', want: 'ambiguous' },
      { path: '/Upper/x', want: '/Upper/{x} x=x' },
      { path: '/upper/x', want: 'ambiguous' },
      { path: '/nowhere;v=1', want: 'undefined' },
      { path: '/nowhere/', want: 'undefined' },
    ],
  },
  {
    name: 'holds apart what the document holds apart',
    templates: ['/a', '/a/', '/A', '/b/{x}', '/b/{x}/'],
    cases: [
      { path: '/a', want: '/a' },
      { path: '/a/', want: '/a/' },
      { path: '/A', want: '/A' },
      { path: '/A/', want: 'ambiguous' },
      { path: '/b/1', want: '/b/{x} x=1' },
      { path: '/b/1/', want: '/b/{x}/ x=1' },
    ],
  },
]

describe('OperationIndex', () => {
  for (const { name, templates, base, cases } of TABLES) {
    describe(name, () => {
      const index = indexOf(templates, base)
      const reversed = indexOf(templates.toReversed(), base)
      for (const { path, want } of cases) {
        it(`finds the operation of ${path} → ${want}`, () => {
          assert.equal(findIn(index, path), want)
          assert.equal(findIn(reversed, path), want)
        })
      }
    })
  }

  it('asks for the method too, of one template and of another', () => {
    const index = new OperationIndex(
      [operation('GET /users/me'), operation('DELETE /users/{id}'), operation('GET /users/{id}')],
      '',
    )
    assert.equal(findIn(index, '/users/me', 'DELETE'), '/users/{id} id=me')
    assert.equal(findIn(index, '/users/me', 'GET'), '/users/me')
    assert.equal(findIn(index, '/users/me', 'POST'), 'undefined')
    assert.equal(findIn(index, '/users/me', 'HEAD'), '/users/me') // RFC 9110 §9.3.2
    assert.equal(findIn(index, '/users/me', 'get'), 'undefined')
  })
})

describe('OperationIndex refuses', () => {
  const CASES: readonly { name: string; templates: readonly string[]; says: RegExp }[] = [
    { name: 'a parameter without a name', templates: ['/{}'], says: /must enclose the name/ },
    { name: 'a brace that stays open', templates: ['/{x'], says: /must enclose the name/ },
    { name: 'a brace that was not opened', templates: ['/x}'], says: /a "\}" without its "\{"/ },
    { name: 'braces in braces', templates: ['/{a{b}}'], says: /must enclose the name/ },
    { name: 'braces over several segments', templates: ['/{a/b}'], says: /must enclose the name/ },
    { name: 'an empty segment', templates: ['/a//b'], says: /"\/\/" is in no path/ },
    { name: 'dot segments', templates: ['/a/../b'], says: /"\." and "\.\."/ },
    { name: 'dot segments, encoded', templates: ['/a/%2e%2E/b'], says: /"\." and "\.\."/ },
    { name: 'an encoded slash', templates: ['/a%2fb'], says: /encoded slash/ },
    { name: 'a stray percent sign', templates: ['/100%'], says: /not percent-encoded UTF-8/ },
    { name: 'a backslash', templates: ['/a\\b'], says: /a backslash is in no path/ },
    {
      name: 'a template of 5,000 characters',
      templates: [`/${'a'.repeat(5000)}`],
      says: /longer than 4096/,
    },
  ]
  for (const { name, templates, says } of CASES) {
    it(`refuses a path with ${name}`, () => {
      assert.throws(() => indexOf(templates), { code: 'malformed-openapi', message: says })
    })
  }
})

describe('OperationIndex, asked with 60 KB', () => {
  const index = indexOf([
    '/{a}...{b}',
    '/{a}-{b}-{c}-{d}',
    '/a/{a}.{b}.{c}.json',
    '/p/{path*}',
    ...Array.from({ length: 200 }, (_, at) => `/${'{x'.concat(String(at), '}/')}b${at}/{y}-{z}`),
  ])
  const CASES: readonly { name: string; path: string }[] = [
    { name: 'segments', path: `/p${'/a'.repeat(30_000)}` },
    { name: 'one segment of dots', path: `/${'.'.repeat(60_000)}` },
    { name: 'one segment of hyphens', path: `/${'-'.repeat(60_000)}` },
    { name: 'one segment that almost fits', path: `/a/${'a.'.repeat(30_000)}jso` },
    { name: 'path parameters', path: `/p/${';'.repeat(60_000)}` },
    { name: 'one path parameter a segment', path: `/p${'/a;b'.repeat(15_000)}` },
    { name: 'letters that grow when they are folded', path: `/${'ﬃ'.repeat(20_000)}` },
    { name: 'slashes', path: '/'.repeat(60_000) },
  ]
  for (const { name, path } of CASES) {
    it(`of ${name}, answers in time`, () => {
      const times = Array.from({ length: 5 }, () => {
        const started = cpuTime()
        index.find('GET', path)
        return cpuTime() - started
      })
      // 0.1 to 3 ms on a small machine; anything quadratic takes seconds.
      assert.ok(Math.min(...times) < 50, `${Math.min(...times)} ms`)
    })
  }
})
