// API descriptions: what is read of them.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { readApiDescription } from '../../../src/request/openapi/document.ts'
import { OperationIndex } from '../../../src/request/openapi/operation-index.ts'
import { openapi, operation, read, swagger } from './documents.ts'

describe('readApiDescription reads operations', () => {
  it('of Swagger 2.0 in YAML', async () => {
    const text = `
swagger: '2.0'
info: { title: Pets, version: '1' }
basePath: /v1/
paths:
  /pets/{id}:
    parameters: [{ name: id, in: path, required: true, type: string }]
    x-note: { get: no operation }
    get:
      operationId: getPet
      tags: [pets, public]
      deprecated: true
      responses: { 200: { description: a pet } }
    put: { responses: { default: { description: done } } }
`
    assert.deepEqual(await readApiDescription(text), {
      title: 'Pets',
      format: '2.0',
      base: '/v1',
      operations: [
        {
          id: 'getPet',
          method: 'GET',
          template: '/pets/{id}',
          tags: ['pets', 'public'],
          deprecated: true,
          scopes: [[]],
          openEnded: false,
        },
        {
          id: 'PUT /pets/{id}',
          method: 'PUT',
          template: '/pets/{id}',
          tags: [],
          deprecated: false,
          scopes: [[]],
          openEnded: false,
        },
      ],
      warnings: [],
    })
  })

  const METHODS = ['get', 'put', 'post', 'delete', 'options', 'head', 'patch']
  const VERSIONS: readonly { version: string; format: string; methods: readonly string[] }[] = [
    { version: '3.0.4', format: '3.0', methods: [...METHODS, 'trace'] },
    { version: '3.1.1', format: '3.1', methods: [...METHODS, 'trace'] },
    { version: '3.2.0', format: '3.2', methods: [...METHODS, 'trace', 'query'] },
  ]
  for (const { version, format, methods } of VERSIONS) {
    it(`of OpenAPI ${version}: every method`, async () => {
      const item = Object.fromEntries(methods.map((method) => [method, operation()]))
      const description = await read(openapi({ paths: { '/a': item } }, version))
      assert.equal(description.format, format)
      assert.deepEqual(
        description.operations.map(({ method }) => method),
        methods.map((method) => method.toUpperCase()),
      )
    })
  }

  it('of additionalOperations in OpenAPI 3.2', async () => {
    const item = { get: operation(), additionalOperations: { COPY: operation() } }
    const { operations } = await read(openapi({ paths: { '/a': item } }, '3.2.0'))
    assert.deepEqual(
      operations.map(({ id }) => id),
      ['GET /a', 'COPY /a'],
    )
  })

  it('not of webhooks, callbacks and extensions', async () => {
    const callbacks = { done: { '{$request.body#/url}': { post: operation() } } }
    const document = openapi(
      {
        paths: { '/a': { get: operation({ callbacks }) }, 'x-b': { get: operation() } },
        webhooks: { hook: { post: operation() } },
      },
      '3.1.0',
    )
    const { operations } = await read(document)
    assert.deepEqual(
      operations.map(({ id }) => id),
      ['GET /a'],
    )
  })

  it('open-ended only where Kubernetes says "connect" of a last {path}', async () => {
    const connect = { 'x-kubernetes-action': 'connect' }
    const { operations } = await read(
      swagger({
        paths: {
          '/proxy/{path}': { get: operation(connect) },
          '/exec/{name}': { get: operation(connect) },
          '/files/{path}': { get: operation({ 'x-kubernetes-action': 'get' }) },
          '/other/{path}': { get: operation() },
        },
      }),
    )
    assert.deepEqual(
      operations.filter(({ openEnded }) => openEnded).map(({ template }) => template),
      ['/proxy/{path}'],
    )
  })

  it('with ids and names that are members of every object', async () => {
    const text = `{"openapi":"3.0.0","info":{"title":"T","version":"1"},"paths":{
      "/__proto__/{__proto__}":{"get":{"operationId":"constructor","responses":{"default":{"description":""}}}}}}`
    const { operations, base } = await readApiDescription(text)
    assert.deepEqual(
      operations.map(({ id }) => id),
      ['constructor'],
    )
    const found = new OperationIndex(operations, base).find('GET', '/__proto__/x')
    assert.equal(found.outcome, 'matched')
    assert.deepEqual(Object.entries(found.parameters), [['__proto__', 'x']])
    assert.equal(Object.getPrototypeOf(found.parameters), null)
  })
})
