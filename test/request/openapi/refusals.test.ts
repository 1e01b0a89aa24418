// API descriptions that are refused, with the place and the way out.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { openapi, operation, paths, read, swagger, type Document } from './documents.ts'

describe('readApiDescription refuses', () => {
  const item = (value: unknown): Document => openapi({ paths: { '/a': value } })
  const CASES: readonly { name: string; document: Document; given?: string; says: RegExp }[] = [
    { name: 'no version', document: { paths }, says: /^#: needs `swagger: "2\.0"` or `openapi:/ },
    { name: 'Swagger 1.2', document: { swagger: '1.2', paths }, says: /^#: needs / },
    { name: 'OpenAPI 3.10', document: openapi({ paths }, '3.10.0'), says: /^#: needs / },
    { name: 'OpenAPI 4', document: openapi({ paths }, '4.0.0'), says: /^#: needs / },
    {
      name: 'a version that is a number',
      document: { openapi: 3.1, info: { title: 'T', version: '1' }, paths },
      says: /^#: needs /,
    },
    { name: 'no operation', document: openapi({}), says: /^#\/paths: no operation/ },
    {
      name: 'a path without slash',
      document: openapi({ paths: { a: {} } }),
      says: /^#\/paths: a path must begin with "\/", and "a" does not$/,
    },
    {
      name: 'paths that are a list',
      document: openapi({ paths: [] }),
      says: /^#\/paths: must be an/,
    },
    {
      name: 'a path that is a text',
      document: item('get'),
      says: /^#\/paths\/~1a: must be an object$/,
    },
    {
      name: 'an operation that is a list',
      document: item({ get: [] }),
      says: /^#\/paths\/~1a\/get: must be an object$/,
    },
    {
      name: 'an operation that is a reference',
      document: item({ get: { $ref: '#/x-a' } }),
      says: /^#\/paths\/~1a\/get: an operation cannot be a \$ref/,
    },
    {
      name: 'an operationId that is a number',
      document: item({ get: operation({ operationId: 7 }) }),
      says: /^#\/paths\/~1a\/get\/operationId: must be a text$/,
    },
    {
      name: 'security that is not a list',
      document: item({ get: operation({ security: { oauth: ['a'] } }) }),
      says: /^#\/paths\/~1a\/get\/security: must be a list$/,
    },
    {
      name: 'a requirement that is not an object',
      document: openapi({ paths, security: ['oauth'] }),
      says: /^#\/security\/0: must be an object$/,
    },
    {
      name: 'scopes that are a text',
      document: item({ get: operation({ security: [{ oauth: 'a' }] }) }),
      says: /^#\/paths\/~1a\/get\/security\/0\/oauth: must be a list$/,
    },
    {
      name: 'a scheme of an unknown type',
      document: openapi({
        paths: { '/a': { get: operation({ security: [{ oauth: ['a'] }] }) } },
        components: { securitySchemes: { oauth: { type: 'OAuth2' } } },
      }),
      says: /^#\/components\/securitySchemes\/oauth\/type: must be one of apiKey, http, mutualTLS, oauth2/,
    },
    {
      name: 'a server without an address',
      document: openapi({ paths, servers: [{}] }),
      says: /^#\/servers\/0: "url" must be a text$/,
    },
    {
      name: 'a base path that is a number',
      document: swagger({ paths, basePath: 1 }),
      says: /^#\/basePath: must be a text$/,
    },
    {
      name: 'a method that does not exist',
      document: item({ fetch: operation() }),
      says: /^#\/paths\/~1a: "fetch" is not a method/,
    },
    {
      name: 'tags that are not texts',
      document: item({ get: operation({ tags: [1] }) }),
      says: /^#\/paths\/~1a\/get\/tags\/0: must be a text$/,
    },
    {
      name: 'a reference that leads nowhere',
      document: item({ $ref: '#/nowhere' }),
      says: /^#\/paths\/~1a: \$ref "#\/nowhere" leads nowhere$/,
    },
    {
      name: 'a reference to what every object has',
      document: item({ $ref: '#/info/constructor' }),
      says: /leads nowhere$/,
    },
    {
      name: 'references in a circle',
      document: item({ $ref: '#/paths/~1a' }),
      says: /leads in a circle$/,
    },
    {
      name: 'a file as a reference',
      document: item({ $ref: './a.yaml' }),
      says: /^#\/paths\/~1a: \$ref "\.\/a\.yaml" points out of the document/,
    },
    {
      name: 'a method next to a reference',
      document: openapi(
        { paths: { ...paths, '/b': { $ref: '#/paths/~1a', get: operation() } } },
        '3.1.0',
      ),
      says: /^#\/paths\/~1b: both "\$ref" and "get"/,
    },
    {
      name: 'the same operationId twice',
      document: openapi({
        paths: {
          '/a': { get: operation({ operationId: 'x' }), put: operation({ operationId: 'x' }) },
        },
      }),
      says: /^#\/paths\/~1a\/put: the same operationId as #\/paths\/~1a\/get \("x"\); rename one$/,
    },
    {
      name: 'an operationId that is the id of one without',
      document: openapi({
        paths: { '/a': { get: operation(), put: operation({ operationId: 'GET /a' }) } },
      }),
      says: /the same operationId/,
    },
    {
      name: 'several servers with different paths',
      document: openapi({ paths, servers: [{ url: '/v1' }, { url: 'https://a.example' }] }),
      says: /^#\/servers: servers with different paths \(\/v1, \/\); set "base"/,
    },
    {
      name: 'a server relative to the document',
      document: openapi({ paths, servers: [{ url: 'v1' }] }),
      says: /^#\/servers\/0: "url" "v1" is relative.*"base"/,
    },
    {
      name: 'a server with a variable that has no default',
      document: openapi({ paths, servers: [{ url: '/{v}' }] }),
      says: /^#\/servers\/0: no default for the variable \{v\}/,
    },
    {
      name: 'a server with a query',
      document: openapi({ paths, servers: [{ url: '/v1?a=b' }] }),
      says: /^#\/servers\/0: "\/v1\?a=b" is not a path/,
    },
    {
      name: 'a server with dot segments',
      document: openapi({ paths, servers: [{ url: 'https://a.example/v1/../v2' }] }),
      says: /is not a path that requests can begin with/,
    },
    {
      name: 'a base path with an encoded slash',
      document: swagger({ paths, basePath: '/a%2fb' }),
      says: /^#\/basePath: /,
    },
    {
      name: 'a base that is not a path',
      document: openapi({ paths }),
      given: 'v1',
      says: /^#: "v1" is not a path/,
    },
    {
      name: 'a scheme that is not defined',
      document: item({ get: operation({ security: [{ toString: [] }] }) }),
      says: /^#\/paths\/~1a\/get\/security\/0\/toString: no scheme of that name in components\.securitySchemes$/,
    },
    {
      name: 'a method in lower case (OpenAPI 3.2)',
      document: openapi(
        { paths: { '/a': { additionalOperations: { copy: operation() } } } },
        '3.2.0',
      ),
      says: /^#\/paths\/~1a\/additionalOperations\/copy: /,
    },
    {
      name: 'more paths than any document has',
      document: openapi({
        paths: Object.fromEntries(Array.from({ length: 50_001 }, (_, at) => [`/a${at}`, {}])),
      }),
      says: /^#\/paths: more than 50000; /,
    },
  ]
  for (const { name, document, given, says } of CASES) {
    it(`refuses a description with ${name}`, async () => {
      await assert.rejects(read(document, given), { code: 'malformed-openapi', message: says })
    })
  }
})
