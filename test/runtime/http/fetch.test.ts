// What the client of every outbound request does with a server that misbehaves: it gives up within its
// deadline, in bounded memory, lets go of the connection, and the next request works.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { setTimeout } from 'node:timers/promises'
import { httpFetcher } from '../../../src/runtime/http/fetch.ts'
import { MISBEHAVIOURS, startHostileHttp, type HostileHttp } from '../../fakes/hostile-http.ts'

const DEADLINE_MS = 300
// Beyond the deadline, also on a busy machine.
const NEVER_MS = 5_000
const MAX_BYTES = 262_144
// What the buffers of two sockets take on loopback, and what is read of it.
const MAX_SENT = 16_000_000

const start = () =>
  startHostileHttp((_, response) => {
    response.end('{"honest":true}')
  })

const neverSettled = async (): Promise<never> => {
  await setTimeout(2 * NEVER_MS, undefined, { ref: false })
  throw new Error('the fetch does not end')
}

const asking = (server: HostileHttp, kept: number) => {
  const fetcher = httpFetcher({ kept })
  const ask = async (deadline = NEVER_MS): Promise<string> => {
    const request = {
      method: 'POST',
      body: 'token=t',
      maxBytes: MAX_BYTES,
      repeatable: true,
    } as const
    const signal = AbortSignal.timeout(deadline)
    const answer = fetcher.fetch(new URL(server.origin), request, signal)
    const { status, body } = await Promise.race([answer, neverSettled()])
    return `${status} ${body.toString('latin1')}`
  }
  return { fetcher, ask }
}

for (const { kept, name: keeping } of [
  { kept: 0, name: 'that keeps no connections' },
  { kept: 4, name: 'that keeps connections' },
]) {
  describe(`a client ${keeping}, and a server that`, { concurrency: 8 }, () => {
    for (const misbehaviour of MISBEHAVIOURS) {
      it(`hostile: fails for a server that ${misbehaviour.name}`, async () => {
        await using server = await start()
        const { fetcher, ask } = asking(server, kept)
        using _ = fetcher
        server.misbehaviour = misbehaviour
        const { isAnswer = false, reason } = misbehaviour
        if (isAnswer) assert.doesNotMatch(await ask(), /honest/)
        else if (reason !== undefined) await assert.rejects(ask(), reason)
        else await assert.rejects(ask(DEADLINE_MS), /^Error: http:\/\/127\.0\.0\.1:\d+\/ /)
        assert.ok(server.sent < MAX_SENT, `${server.sent} bytes were taken`)
        if (kept === 0) await server.idle()
        server.misbehaviour = undefined
        assert.equal(await ask(), '200 {"honest":true}')
      })
    }
  })
}

describe('a server that sends a second answer behind the first', () => {
  for (const delay of [0, 20]) {
    it(`hostile: after ${delay} ms, to a kept connection, answers no other request`, async () => {
      await using server = await start()
      const { fetcher, ask } = asking(server, 4)
      using _ = fetcher
      const poison = Promise.withResolvers<void>()
      server.misbehaviour = {
        name: 'poison',
        answer: (socket) => {
          socket.write('HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nfirst')
          const send = async (): Promise<void> => {
            await setTimeout(delay)
            socket.write('HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\nsecond')
            poison.resolve()
          }
          void send()
        },
      }
      assert.equal(await ask(), '200 first')
      await poison.promise
      await server.idle()
      server.misbehaviour = undefined
      assert.equal(await ask(), '200 {"honest":true}')
    })
  }
})

describe('a body in many chunks', () => {
  it('is taken where they have some hundreds of bytes', async () => {
    await using server = await startHostileHttp((_, response) => {
      for (let chunk = 0; chunk < 2_000; chunk += 1) response.write('x'.repeat(100))
      response.end()
    })
    const { fetcher, ask } = asking(server, 0)
    using _ = fetcher
    assert.equal((await ask()).length, 200_004)
  })

  it('is taken where they are small, and few', async () => {
    await using server = await startHostileHttp((_, response) => {
      for (let chunk = 0; chunk < 1_000; chunk += 1) response.write('x')
      response.end()
    })
    const { fetcher, ask } = asking(server, 0)
    using _ = fetcher
    assert.equal((await ask()).length, 1_004)
  })
})

describe('an interim answer', () => {
  it('is passed over', async () => {
    await using server = await startHostileHttp((_, response) => {
      response.writeEarlyHints({ link: '</a>; rel=preload' })
      response.writeProcessing()
      response.end('{}')
    })
    const { fetcher, ask } = asking(server, 0)
    using _ = fetcher
    assert.equal(await ask(), '200 {}')
  })
})
