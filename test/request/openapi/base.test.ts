// Where the paths of a document begin.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { openapi, operation, paths, read, swagger, type Document } from './documents.ts'

describe('the base path', () => {
  const CASES: readonly { name: string; document: Document; given?: string; want: string }[] = [
    { name: 'of Swagger without basePath', document: swagger({ paths }), want: '' },
    { name: 'of Swagger', document: swagger({ paths, basePath: '/' }), want: '' },
    { name: 'without servers', document: openapi({ paths }), want: '' },
    { name: 'of an empty list of servers', document: openapi({ paths, servers: [] }), want: '' },
    {
      name: 'of a server',
      document: openapi({ paths, servers: [{ url: 'https://a.example:8443/v1/' }] }),
      want: '/v1',
    },
    {
      name: 'of a server that is a host alone',
      document: openapi({ paths, servers: [{ url: 'https://a.example' }] }),
      want: '',
    },
    {
      name: 'of a server without scheme',
      document: openapi({ paths, servers: [{ url: '//a.example/v1' }, { url: '/v1' }] }),
      want: '/v1',
    },
    {
      name: 'of a server with variables',
      document: openapi({
        paths,
        servers: [
          {
            url: '{scheme}://{host}/{version}',
            variables: {
              scheme: { default: 'https' },
              host: { default: 'a.example' },
              version: { default: 'v2', enum: ['v1', 'v2'] },
            },
          },
        ],
      }),
      want: '/v2',
    },
    {
      name: 'is decoded once',
      document: openapi({ paths, servers: [{ url: '/a%20b' }] }),
      want: '/a b',
    },
    {
      name: 'as it is given, whatever the servers',
      document: openapi({ paths, servers: [{ url: '/a' }, { url: '/b' }] }),
      given: '/c/',
      want: '/c',
    },
  ]
  for (const { name, document, given, want } of CASES) {
    it(`is read from a description: ${name}`, async () => {
      assert.equal((await read(document, given)).base, want)
    })
  }

  it('is that of paths and operations whose own servers have the same path', async () => {
    const own = { servers: [{ url: 'https://uploads.example/v1' }] }
    const document = openapi({
      servers: [{ url: '/v1' }],
      paths: { '/a': { ...own, get: operation(own) } },
    })
    assert.equal((await read(document)).base, '/v1')
    assert.equal((await read(document, '/mounted')).base, '/mounted')
  })
})
