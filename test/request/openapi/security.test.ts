// The scopes that `security` demands.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { openapi, operation, read, swagger } from './documents.ts'

describe('security', () => {
  const components = {
    securitySchemes: {
      oauth: { type: 'oauth2', flows: { clientCredentials: { tokenUrl: '/t', scopes: {} } } },
      oidc: { type: 'openIdConnect', openIdConnectUrl: 'https://a.example' },
      key: { type: 'apiKey', in: 'header', name: 'x-key' },
      bearer: { $ref: '#/components/securitySchemes/basic' },
      basic: { type: 'http', scheme: 'basic' },
    },
  }
  type Requirement = Record<string, readonly string[]>
  const CASES: readonly {
    name: string
    all?: readonly Requirement[]
    own?: readonly Requirement[]
    want: readonly (readonly string[])[]
  }[] = [
    { name: 'none', want: [[]] },
    { name: 'of the document', all: [{ oauth: ['b', 'a'] }], want: [['a', 'b']] },
    {
      name: 'of the operation alone',
      all: [{ oauth: ['a'] }],
      own: [{ oidc: ['c'] }],
      want: [['c']],
    },
    { name: 'taken away by the operation', all: [{ oauth: ['a'] }], own: [], want: [[]] },
    {
      name: 'alternatives, and several schemes at once',
      all: [{ oauth: ['a'] }, { oauth: ['b'], oidc: ['c'], key: [] }],
      want: [['a'], ['b', 'c']],
    },
    {
      name: 'a scheme without scopes is an alternative without',
      all: [{ oauth: ['a'] }, { key: [] }],
      want: [['a'], []],
    },
    { name: 'optional', all: [{ oauth: ['a'] }, {}], want: [['a'], []] },
    {
      name: 'roles of a scheme that has no scopes (OpenAPI 3.1)',
      all: [{ bearer: ['admin'] }],
      want: [[]],
    },
    { name: 'alternatives that are the same', all: [{ key: [] }, { basic: [] }], want: [[]] },
  ]
  for (const { name, all, own, want } of CASES) {
    it(`reads the security requirement: ${name}`, async () => {
      const security = own === undefined ? {} : { security: own }
      const document = openapi(
        {
          components,
          paths: { '/a': { get: operation(security) } },
          ...(all === undefined ? {} : { security: all }),
        },
        '3.1.0',
      )
      assert.deepEqual((await read(document)).operations[0]?.scopes, want)
    })
  }

  it('of Swagger 2.0', async () => {
    const document = swagger({
      paths: { '/a': { get: operation() } },
      securityDefinitions: {
        oauth: {
          type: 'oauth2',
          flow: 'password',
          tokenUrl: 'https://a.example',
          scopes: { a: '' },
        },
        key: { type: 'apiKey', in: 'header', name: 'x' },
      },
      security: [{ oauth: ['a'] }, { key: [] }],
    })
    assert.deepEqual((await read(document)).operations[0]?.scopes, [['a'], []])
  })
})
