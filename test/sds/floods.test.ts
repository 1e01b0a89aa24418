// Peers that make the signer hold as much as they can: bounded, released when they disconnect, and an
// honest Envoy is served meanwhile.
//
// Slow: it floods servers for seconds.

import assert from 'node:assert/strict'
import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { z } from 'zod'
import { temporaryFolder } from '../servers/temporary.ts'
import {
  askMeanwhile,
  halfMessages,
  manyNames,
  nearlyWholeMessages,
  refusedNames,
  untakenAnswers,
  type Flood,
} from './flooding.ts'

const MIB = 1_048_576
const MAX_STREAMS = 2_000

// What is alive for each stream that is open, and what is held for peers altogether: 16 MiB.
const STREAM_BYTES = 12_000
const MOST_HELD = 16 * MIB + MAX_STREAMS * STREAM_BYTES

const measured = z.object({ streams: z.number(), names: z.number(), live: z.number() })

const measure = async (server: ChildProcess) => {
  const answer = once(server, 'message')
  server.send('measure')
  return measured.parse((await answer)[0])
}

const untilGone = async (server: ChildProcess, before: number): Promise<number> => {
  for (let attempt = 0; ; attempt++) {
    const { streams, live } = await measure(server)
    if ((streams === 0 && live - before < LEFT) || attempt === 100) return live - before
    await sleep(100)
  }
}

// Compiled code, and the log of what was refused.
const LEFT = 6 * MIB

describe('the signer holds no more than a bound', { timeout: 300_000 }, () => {
  const FLOODS: readonly { name: string; flood: Flood; streams: number }[] = [
    { name: 'for messages of which one byte came', flood: halfMessages, streams: 5_000 },
    { name: 'for messages that lack one byte', flood: nearlyWholeMessages, streams: 60 },
    {
      name: 'for long names that it has refused',
      flood: manyNames('refused-', 6_000),
      streams: 20,
    },
    { name: 'for names that are too long', flood: manyNames('', 8_192), streams: 20 },
    { name: 'for streams whose name it has refused', flood: refusedNames, streams: 5_000 },
    { name: 'for answers that are not taken', flood: untakenAnswers('alice'), streams: 5_000 },
  ]
  for (const { name, flood, streams } of FLOODS) {
    it(name, async (t) => {
      await using folder = await temporaryFolder()
      const path = folder.file('sds.sock')
      const file = fileURLToPath(import.meta.resolve('./memory-server.ts'))
      const server = fork(file, [path, String(MAX_STREAMS)], { execArgv: ['--expose-gc'] })
      try {
        await once(server, 'message')
        const address = { kind: 'unix', path } as const
        await askMeanwhile(address, () => 'honest', Promise.resolve())
        const before = await measure(server)
        const flooding = flood(address, streams)
        const served = await askMeanwhile(address, () => 'honest', flooding)
        const during = await measure(server)
        const held = during.live - before.live
        await (await flooding)[Symbol.asyncDispose]()
        const left = await untilGone(server, before.live)
        const sizes = [held, left].map((bytes) => `${(bytes / MIB).toFixed(1)} MiB`)
        t.diagnostic(`held ${sizes[0]}, left ${sizes[1]}, ${served.certificates} served meanwhile`)
        assert.ok(during.streams <= MAX_STREAMS, `${during.streams} streams`)
        assert.ok(held < MOST_HELD, `${held} bytes`)
        assert.ok(left < LEFT, `${left} bytes left`)
        assert.equal(served.refused, 0)
      } finally {
        server.disconnect()
      }
    })
  }
})
