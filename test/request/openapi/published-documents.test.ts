// What published documents have that the specification does not: they are made up after documents of AWS,
// Google, Azure, GitHub, Buffer and the gateways of the AuthZEN interop.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { readApiDescription } from '../../../src/request/openapi/document.ts'
import { OperationIndex } from '../../../src/request/openapi/operation-index.ts'
import { openapi, operation, swagger, type Document } from './documents.ts'
import { findIn } from './operation.ts'

interface Published {
  readonly name: string
  readonly document: Document
  readonly base?: string
  /** `METHOD /path` → the template and its parameters, `ambiguous` or `undefined`. */
  readonly finds: Readonly<Record<string, string>>
  readonly warnings: readonly RegExp[]
}

const get = { get: operation() }

const DOCUMENTS: readonly Published[] = [
  {
    name: 'a keyword of OpenAPI 3.1 in a schema of 3.0 (AuthZEN interop)',
    document: openapi({
      paths: {
        '/todos/{todoId}': {
          delete: operation({
            parameters: [
              { name: 'todoId', in: 'path', required: true, schema: { examples: ['7'] } },
            ],
          }),
        },
      },
    }),
    finds: { 'DELETE /todos/7': '/todos/{todoId} todoId=7' },
    warnings: [/^#\/paths\/~1todos~1\{todoId\}\/delete\/parameters\/0.*"examples"/],
  },
  {
    name: 'no title and no version',
    document: { swagger: '2.0', paths: { '/a': get } },
    finds: { 'GET /a': '/a' },
    warnings: [/^#: must have required property 'info'/],
  },
  {
    name: 'operations of one path, distinguished by a fragment (AWS)',
    document: openapi({
      paths: {
        '/#X-Amz-Target=T.List': { post: operation() },
        '/#X-Amz-Target=T.Delete': { post: operation() },
        '/tags/{arn}#keys': { delete: operation() },
        '/tags/{arn}': get,
      },
    }),
    finds: {
      'POST /': 'ambiguous',
      'GET /': 'undefined',
      'DELETE /tags/a': 'ambiguous',
      'DELETE /tags/a/': 'ambiguous',
      'GET /tags/a': '/tags/{arn} arn=a',
    },
    warnings: [
      /^#\/paths\/~1#X-Amz-Target=T\.List: no path distinguishes the operations "POST \/#X-Amz-Target=T\.List", "POST .*"; requests for POST of this path are refused$/,
      /^#\/paths\/~1tags~1\{arn\}#keys: the path alone does not identify the operation /,
    ],
  },
  {
    name: 'a query in a template, of which the path is another operation',
    document: openapi({
      paths: { '/a': get, '/a?view=full': get, '/b{?page}': get, '/c': get },
    }),
    finds: { 'GET /a': 'ambiguous', 'GET /b': 'ambiguous', 'GET /c': '/c' },
    warnings: [/"GET \/a", "GET \/a\?view=full"; /, /"GET \/b\{\?page\}"/],
  },
  {
    name: 'templates that differ in the names of parameters only (Google)',
    document: openapi({
      paths: {
        '/v1/{parent}': { get: operation(), post: operation() },
        '/v1/{name}': { get: operation(), delete: operation() },
        '/v1/me': get,
        '/v1/{a}:run': { post: operation() },
        '/v1/{b}:run': { post: operation() },
      },
    }),
    finds: {
      'GET /v1/a': 'ambiguous',
      'HEAD /v1/a': 'ambiguous',
      'GET /V1/a': 'ambiguous',
      'GET /v1/me': '/v1/me',
      'POST /v1/a': '/v1/{parent} parent=a',
      'DELETE /v1/a': '/v1/{name} name=a',
      'POST /v1/a:run': 'ambiguous',
    },
    warnings: [/"GET \/v1\/\{parent\}", "GET \/v1\/\{name\}"; /, /"POST \/v1\/\{a\}:run", /],
  },
  {
    name: 'one parameter twice in a template (Azure)',
    document: swagger({ paths: { '/{location}/of/{location}': get } }),
    finds: {
      'GET /west/of/west': '/{location}/of/{location} location=west',
      'GET /west/of/east': 'ambiguous',
    },
    warnings: [],
  },
  {
    name: 'two parameters without anything between (Buffer)',
    document: swagger({ paths: { '/profiles/{id}{extension}': get, '/profiles/all': get } }),
    finds: {
      'GET /profiles/7.json': 'ambiguous',
      'GET /profiles/7': 'ambiguous',
      'GET /profiles/all': '/profiles/all',
      'GET /profiles': 'undefined',
    },
    warnings: [],
  },
  {
    name: 'an operation on another server (GitHub Enterprise Server)',
    document: openapi({
      servers: [{ url: 'https://api.example/api/v3' }],
      paths: {
        '/assets': { post: operation({ servers: [{ url: 'https://uploads.example' }] }), ...get },
        '/b': { get: operation(), servers: [{ url: '/v2' }] },
      },
    }),
    finds: {
      'POST /api/v3/assets': 'ambiguous',
      'POST /assets': 'ambiguous',
      'GET /api/v3/assets': '/assets',
      'GET /assets': 'undefined',
      'GET /v2/b': 'ambiguous',
      'GET /api/v3/b': 'ambiguous',
    },
    warnings: [
      /^#\/paths\/~1assets: the server of the operation "POST \/assets" has another path \(\/\); /,
      /^#\/paths\/~1b: the server of the operation "GET \/b" has another path \(\/v2\); /,
    ],
  },
  {
    name: 'servers that are not addresses, where the route has a base (Azure)',
    document: openapi({ servers: [{ url: 'none' }], paths: { '/a': get } }),
    base: '/v1',
    finds: { 'GET /v1/a': '/a', 'GET /a': 'undefined' },
    warnings: [],
  },
]

describe('readApiDescription reads documents as they are published', () => {
  for (const { name, document, base, finds, warnings } of DOCUMENTS) {
    it(`with ${name}`, async () => {
      const description = await readApiDescription(JSON.stringify(document), {
        base,
        allWarnings: true,
      })
      const index = new OperationIndex(description.operations, description.base)
      const found = Object.keys(finds).map((request) => {
        const [method, path = ''] = request.split(' ')
        return [request, findIn(index, path, method)]
      })
      assert.deepEqual(Object.fromEntries(found), finds)
      const rest = description.warnings.slice(warnings.length)
      for (const [at, says] of warnings.entries()) {
        assert.match(description.warnings[at] ?? '', says)
      }
      assert.deepEqual(rest, [])
    })
  }

  it('with many operations at one path, of which a warning names five', async () => {
    const paths = Object.fromEntries(
      Array.from({ length: 20_000 }, (_, at) => [`/#Action=${at}`, { post: operation() }]),
    )
    const { warnings } = await readApiDescription(JSON.stringify(openapi({ paths })))
    assert.equal(warnings.length, 1)
    assert.match(warnings[0] ?? '', /=4" and 19995 more; /)
  })
})
