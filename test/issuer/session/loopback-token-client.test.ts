// Requests to our own token endpoint, over a connection of this process to its own server.

import assert from 'node:assert/strict'
import type { RequestListener } from 'node:http'
import { text } from 'node:stream/consumers'
import { describe, it } from 'node:test'
import { loopbackTokenClient } from '../../../src/issuer/session/loopback-token-client.ts'
import { startHttpServer } from '../../../src/runtime/http/server.ts'
import { memoryLogger } from '../../fakes/logger.ts'
import { temporaryFolder } from '../../servers/temporary.ts'

const LOOPBACK = { kind: 'tcp', host: '127.0.0.1', port: 0 } as const

/** Asks a server that answers so, wherever it listens. */
const responseOf = async (
  answer: RequestListener,
  address: Parameters<typeof startHttpServer>[0]['address'] = LOOPBACK,
): Promise<unknown> => {
  await using server = await startHttpServer({
    address,
    mode: 0o600,
    pages: new Map(),
    application: () => async (_path, request, response) => answer(request, response),
    logger: memoryLogger().logger,
  })
  return await loopbackTokenClient(() => server.connect())(new URLSearchParams({ code: 'a b' }))
}

const echo: RequestListener = (request, response) => {
  const { method, url, headers, socket } = request
  const { remoteAddress: from = 'nowhere' } = socket
  void text(request).then((body) =>
    response
      .writeHead(400)
      .end(JSON.stringify({ method, url, body, type: headers['content-type'], from })),
  )
}
const ASKED = {
  method: 'POST',
  url: '/token',
  body: 'code=a+b',
  type: 'application/x-www-form-urlencoded',
  from: 'nowhere',
}

describe('a request to the own token endpoint over loopback', () => {
  it('returns an answer of any status, and carries no client address', async () => {
    assert.deepEqual(await responseOf(echo), ASKED)
  })

  it('works where the server listens on a UNIX socket', async () => {
    await using folder = await temporaryFolder()
    assert.deepEqual(await responseOf(echo, { kind: 'unix', path: folder.file('s.sock') }), ASKED)
  })

  it('fails where the answer is too long, not JSON, or missing', async () => {
    await assert.rejects(
      responseOf((_request, response) => response.end('x'.repeat(1_048_577))),
      /more than 1048576 bytes/,
    )
    await assert.rejects(
      responseOf((_request, response) => response.end('<p>')),
      SyntaxError,
    )
    await assert.rejects(
      responseOf(({ socket }) => socket.destroy()),
      /cannot be fetched/,
    )
  })
})
