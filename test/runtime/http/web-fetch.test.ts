// The `fetch` of libraries: the JSON that they get has one reading.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { webFetch } from '../../../src/runtime/http/web-fetch.ts'
import { confusedWith } from '../../fakes/confused-names.ts'

const answered = async (body: string): Promise<Response> => {
  const fetch = webFetch({
    fetch: async () => ({ status: 200, headers: {}, body: Buffer.from(body) }),
    isConfidential: () => true,
    limit: 60_000,
  })
  return await fetch('https://login.example.org/', { method: 'GET', headers: {} })
}

describe('the JSON of a response', () => {
  it('has the names that were sent, whatever names were read before', async () => {
    const name = 'https://a.example/r'
    const spelling = name.replaceAll('/', String.raw`\/`)
    JSON.parse(JSON.stringify({ sub: 'x', [confusedWith(name, spelling)]: 1 }))
    const response = await answered(`{"sub":"x","${spelling}":["admin"]}`)
    assert.deepEqual(await response.json(), { sub: 'x', [name]: ['admin'] })
    assert.ok(response instanceof Response)
    assert.equal(response.bodyUsed, true)
  })

  const HOSTILE = [
    { name: 'a name twice', body: '{"sub":"alice","sub":"bob"}' },
    { name: 'a name twice, once escaped', body: String.raw`{"sub":"alice","su\u0062":"bob"}` },
    { name: 'a list', body: '[]' },
  ]
  for (const { name, body } of HOSTILE) {
    it(`hostile: is refused: ${name}`, async () => {
      const response = await answered(body)
      await assert.rejects(response.json(), SyntaxError)
    })
  }

  it('is text as it was sent', async () => {
    assert.equal(await (await answered('not JSON')).text(), 'not JSON')
  })
})
