// What Envoy's listener grants an HTTP/2 client, as the client reads it (RFC 9113 §6.5.2), and what happens to
// one that goes beyond.

import assert from 'node:assert/strict'
import { once } from 'node:events'
import { constants, type ClientHttp2Session } from 'node:http2'
import { after, before, describe, it } from 'node:test'
import { openHttp2 } from '../servers/client.ts'
import { skipWithoutEnvoy } from '../servers/envoy.ts'
import { HOST, startEdge, type Edge } from './edge.ts'

/** Beyond what Envoy takes for an attack: 500 streams that lived for less than a second each. */
const RESETS = 2_000

describe('an HTTP/2 client', { skip: skipWithoutEnvoy() }, () => {
  let edge: Edge
  before(async () => {
    edge = await startEdge()
  })
  after(() => edge[Symbol.asyncDispose]())

  const open = async (): Promise<ClientHttp2Session> =>
    await openHttp2({ ...edge.target, serverName: HOST })

  it('receives limits of concurrent streams and bytes', async () => {
    const session = await open()
    try {
      // The answer comes after the settings.
      await new Promise((resolve) => session.ping(resolve))
      const { maxConcurrentStreams, initialWindowSize } = session.remoteSettings
      assert.deepEqual(
        { maxConcurrentStreams, initialWindowSize },
        {
          maxConcurrentStreams: 100,
          initialWindowSize: 65_536,
        },
      )
    } finally {
      session.destroy()
    }
  })

  it('loses its connection when it opens streams to reset them at once (CVE-2023-44487)', async () => {
    const session = await open()
    const closed = once(session, 'close')
    let sent = 0
    const next = (): void => {
      if (session.closed || session.destroyed || sent >= RESETS) return
      sent += 1
      const stream = session.request({ ':path': '/', ':authority': HOST })
      stream.on('error', () => undefined)
      // The headers are sent by then.
      setImmediate(() => {
        stream.close(constants.NGHTTP2_CANCEL)
        setImmediate(next)
      })
    }
    next()
    await closed
    assert.ok(sent < RESETS, `${sent} resets`)
  })
})
