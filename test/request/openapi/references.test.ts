// `$ref`: followed within the document; nothing is fetched.

import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { describe, it } from 'node:test'
import { readApiDescription } from '../../../src/request/openapi/document.ts'
import { openapi, operation, paths, read, swagger } from './documents.ts'

describe('references', () => {
  it('lead to a path item elsewhere in the document, through several steps', async () => {
    const document = openapi(
      {
        paths: { '/a~b/{c}': { $ref: '#/components/pathItems/one' } },
        components: {
          pathItems: { one: { $ref: '#/x-items/t~1w%6F' } },
        },
        'x-items': { 't/wo': { get: operation({ operationId: 'found' }) } },
      },
      '3.1.0',
    )
    const { operations } = await read(document)
    assert.deepEqual(
      operations.map(({ id, template }) => [id, template]),
      [['found', '/a~b/{c}']],
    )
  })

  // A chain from `paths./a` through `links - 1` items to one that is not a reference.
  const chain = (links: number) => {
    const item = (index: number) => `i${index}`
    const items = Array.from({ length: links - 1 }, (_, index) => [
      item(index),
      { $ref: `#/x-items/${item(index + 1)}` },
    ])
    return openapi(
      {
        paths: { '/a': { $ref: `#/x-items/${item(0)}` } },
        'x-items': { ...Object.fromEntries(items), [item(links - 1)]: { get: operation({}) } },
      },
      '3.1.0',
    )
  }

  it('are followed through a chain of 20 links', async () => {
    assert.equal((await read(chain(20))).operations.length, 1)
  })

  it('in a chain of more than 20 links are refused, with the place of link 21', async () => {
    for (const links of [21, 20_000]) {
      await assert.rejects(read(chain(links)), {
        code: 'malformed-openapi',
        message:
          /^#\/x-items\/i19: a chain of more than 20 \$refs; let the first one name the last/,
      })
    }
  })

  it('references that are not followed may lead in a circle', async () => {
    const schemas = { A: { $ref: '#/components/schemas/B' }, B: { $ref: '#/components/schemas/A' } }
    assert.equal((await read(openapi({ paths, components: { schemas } }))).operations.length, 1)
  })

  it('are not references where they are data or the name of a property', async () => {
    const schemas = {
      A: { properties: { $ref: { type: 'string' } }, example: { $ref: 'https://a.example/b' } },
    }
    const description = await read(
      openapi({ paths, components: { schemas }, 'x-a': { $ref: 'b' } }),
    )
    assert.equal(description.operations.length, 1)
  })

  it('out of the document are refused for a path, else warned about, and never fetched', async () => {
    let connections = 0
    await using server = createServer((socket) => {
      connections += 1
      socket.destroy()
    }).listen(0, '127.0.0.1')
    await once(server, 'listening')
    const address = server.address()
    assert.ok(typeof address === 'object' && address !== null)
    const url = `http://127.0.0.1:${address.port}/other.json`
    const schema = { $ref: `${url}#/A` }
    await assert.rejects(read(openapi({ paths: { '/a': { $ref: url } } })), {
      code: 'malformed-openapi',
      message: /points out of the document, and nothing is fetched; bundle/,
    })
    const documents = [
      openapi({ paths, components: { schemas: { A: schema } } }),
      openapi(
        { paths, components: { schemas: { A: { $schema: url, $id: url, ...schema } } } },
        '3.1.0',
      ),
      openapi({ paths, components: { schemas: { A: schema } } }, '3.2.0'),
      swagger({ paths, definitions: { A: schema } }),
    ]
    for (const document of documents) {
      const { operations, warnings } = await readApiDescription(JSON.stringify(document), {
        allWarnings: true,
      })
      assert.equal(operations.length, 1)
      assert.match(
        warnings.at(-1) ?? '',
        /points out of the document, and nothing is fetched; bundle/,
      )
    }
    const unread = openapi({ paths, jsonSchemaDialect: url, externalDocs: { url } }, '3.1.0')
    assert.equal((await read(unread)).operations.length, 1)
    assert.equal(connections, 0)
  })
})
