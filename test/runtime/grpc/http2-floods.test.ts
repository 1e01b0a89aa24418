// Floods of HTTP/2 frames against each of Countersign's gRPC listeners, over a UNIX socket and over TCP: an
// honest client is answered meanwhile, and the server holds little of it.
//
// Slow: it floods servers for seconds.

import assert from 'node:assert/strict'
import { Client, credentials } from '@grpc/grpc-js'
import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { after, describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { z } from 'zod'
import { healthService } from '../../../src/proto/load.ts'
import { targetOf, type ListenAddress } from '../../../src/runtime/listen.ts'
import { temporaryFolder } from '../../servers/temporary.ts'
import type { FrameClient } from '../../fakes/http2-frames.ts'
import { FLOODS } from './http2-flooding.ts'

const listenSchema: z.ZodType<ListenAddress> = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('unix'), path: z.string() }),
  z.object({ kind: z.literal('tcp'), host: z.string(), port: z.number() }),
])

const measured = z.object({ live: z.number(), cpu: z.number() })

const measure = async (server: ChildProcess) => {
  const answer = once(server, 'message')
  server.send('measure')
  return measured.parse((await answer)[0])
}

/** Asks for the server's health; throws where it is not answered. */
const ask = async (client: Client): Promise<void> => {
  const { Check } = healthService
  await new Promise<void>((resolve, reject) => {
    client.makeUnaryRequest(
      Check.path,
      Check.requestSerialize,
      Check.responseDeserialize,
      { service: '' },
      (error) => (error === null ? resolve() : reject(error)),
    )
  })
}

const MIB = 1_048_576
// What a flooder may have held while it is connected: 5,000 streams of some 5 KB, and what is compiled.
const MOST_HELD = 60 * MIB
const MOST_LEFT = 6 * MIB

interface Flooded extends AsyncDisposable {
  readonly process: ChildProcess
  readonly address: ListenAddress
}

const startServer = async (kind: string, place: string): Promise<Flooded> => {
  const folder = await temporaryFolder()
  const file = fileURLToPath(import.meta.resolve('./flooded-server.ts'))
  const path = place === 'unix' ? folder.file('s.sock') : 'tcp'
  const server = fork(file, [kind, path], { execArgv: ['--expose-gc'] })
  const address = listenSchema.parse((await once(server, 'message'))[0])
  return {
    process: server,
    address,
    async [Symbol.asyncDispose]() {
      server.disconnect()
      await folder[Symbol.asyncDispose]()
    },
  }
}

/** What is held when the flooders are disconnected; streams are taken apart in later turns. */
const leftOver = async (server: ChildProcess, before: number): Promise<number> => {
  for (let wait = 0; ; wait++) {
    const left = (await measure(server)).live - before
    if (left < MOST_LEFT || wait === 100) return left
    await sleep(100)
  }
}

/** Asks until the flood is over; gives the flooders and how often it was answered. */
const askDuring = async (honest: Client, flood: Promise<readonly FrameClient[]>) => {
  const flooding = flood.then((clients) => ({ clients }))
  for (let answered = 1; ; answered++) {
    await ask(honest)
    const state = await Promise.race([flooding, sleep(5, undefined)])
    if (state !== undefined) return { ...state, answered }
  }
}

for (const kind of ['built-in', 'grpc-js', 'streams'] as const) {
  for (const place of ['unix', 'tcp'] as const) {
    describe(`the server ${kind} over ${place} withstands`, { timeout: 300_000 }, async () => {
      const server = await startServer(kind, place)
      const honest = new Client(targetOf(server.address), credentials.createInsecure())
      after(async () => {
        honest.close()
        await server[Symbol.asyncDispose]()
      })
      for (const { name, ends, run } of FLOODS) {
        it(name, async (t) => {
          await ask(honest)
          const before = await measure(server.process)
          const { clients, answered } = await askDuring(honest, run(server.address))
          if (ends === true || ends === kind) await Promise.all(clients.map(({ closed }) => closed))
          const during = await measure(server.process)
          const closed = clients.filter(({ isClosed }) => isClosed).length
          for (const client of clients) client[Symbol.dispose]()
          await ask(honest)
          const held = during.live - before.live
          const left = await leftOver(server.process, before.live)
          const sizes = [held, left].map((bytes) => `${(bytes / MIB).toFixed(1)} MiB`)
          t.diagnostic(
            `held ${sizes[0]}, left ${sizes[1]}, CPU ${(during.cpu - before.cpu).toFixed()} ms, ${answered} answered, ${closed} closed (${clients[0]?.goaway})`,
          )
          assert.ok(held < MOST_HELD, `${held} bytes held`)
          assert.ok(left < MOST_LEFT, `${left} bytes left`)
        })
      }
    })
  }
}
