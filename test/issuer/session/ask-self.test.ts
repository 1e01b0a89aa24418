// Questions to our own listener, wherever it listens.

import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type RequestListener } from 'node:http'
import { text } from 'node:stream/consumers'
import { describe, it } from 'node:test'
import { askSelf } from '../../../src/issuer/session/ask-self.ts'
import type { ListenAddress } from '../../../src/runtime/listen.ts'
import { temporaryFolder } from '../../servers/temporary.ts'

/** Asks a server that listens there. */
const askedAt = async (place: ListenAddress, answer: RequestListener): Promise<unknown> => {
  const server = createServer(answer)
  try {
    server.listen(place.kind === 'unix' ? { path: place.path } : { ...place, port: 0 })
    await once(server, 'listening')
    const bound = server.address()
    const address =
      typeof bound === 'object' && bound !== null && place.kind === 'tcp'
        ? { ...place, port: bound.port }
        : place
    return await askSelf(address, '/token', new URLSearchParams({ code: 'a b' }))
  } finally {
    server.close()
    server.closeAllConnections()
  }
}

const echo: RequestListener = (request, response) => {
  const { method, url, headers } = request
  void text(request).then((body) =>
    response
      .writeHead(400)
      .end(JSON.stringify({ method, url, body, type: headers['content-type'] })),
  )
}
const ASKED = {
  method: 'POST',
  url: '/token',
  body: 'code=a+b',
  type: 'application/x-www-form-urlencoded',
}

const TCP: ListenAddress = { kind: 'tcp', host: '127.0.0.1', port: 0 }

describe('a question to ourselves', () => {
  it('reaches a TCP address, and takes any status', async () => {
    assert.deepEqual(await askedAt(TCP, echo), ASKED)
  })

  it('reaches IPv6', async () => {
    assert.deepEqual(await askedAt({ ...TCP, host: '::1' }, echo), ASKED)
  })

  it('reaches a UNIX socket', async () => {
    await using folder = await temporaryFolder()
    assert.deepEqual(await askedAt({ kind: 'unix', path: folder.file('s.sock') }, echo), ASKED)
  })

  it('has no answer where there is none, or one that is too long or no JSON', async () => {
    await using folder = await temporaryFolder()
    const nowhere = { kind: 'unix', path: folder.file('none.sock') } as const
    await assert.rejects(askSelf(nowhere, '/token', new URLSearchParams()), /ENOENT/)
    const long: RequestListener = (_request, response) => response.end('x'.repeat(1_048_577))
    await assert.rejects(askedAt(TCP, long), /more than 1048576 bytes/)
    await assert.rejects(
      askedAt(TCP, (_request, response) => response.end('<p>')),
      SyntaxError,
    )
  })
})
