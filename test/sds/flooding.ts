// Peers that make the signer hold as much as they can, and what its process has of memory meanwhile.

import { once } from 'node:events'
import type { ClientHttp2Stream } from 'node:http2'
import { setTimeout as sleep } from 'node:timers/promises'
import { secretDiscoveryService } from '../../src/proto/load.ts'
import { frame as message } from '../../src/runtime/grpc/framing.ts'
import type { ListenAddress } from '../../src/runtime/listen.ts'
import { connectHttp2, openRaw } from '../fakes/grpc-stream.ts'
import { callHeaders, FLAG, FRAME, frame, FrameClient, setting } from '../fakes/http2-frames.ts'
import { SdsClient, SECRET_TYPE } from '../fakes/sds-client.ts'

const { path: METHOD, requestSerialize } = secretDiscoveryService.DeltaSecrets

const INITIAL_WINDOW = 4
const HEADERS = callHeaders(METHOD)

const subscription = (...names: readonly string[]): Buffer =>
  message(requestSerialize({ type_url: SECRET_TYPE, resource_names_subscribe: [...names] }))

/** Stream ids of a client: 1, 3, 5, … */
const idOf = (index: number): number => 2 * index + 1

const PER_WRITE = 100

/** A peer that opens streams, each with the same frames, and connects anew when it is cut off. */
class Flooder {
  readonly #address: ListenAddress
  readonly #first: readonly Buffer[]
  #client: FrameClient | undefined
  #opened = 0

  constructor(address: ListenAddress, first: readonly Buffer[]) {
    this.#address = address
    this.#first = first
  }

  async open(count: number, framesOf: (stream: number) => readonly Buffer[]): Promise<void> {
    for (let sent = 0; sent < count; sent += PER_WRITE) {
      const client = await this.#connected()
      const ids = Array.from({ length: PER_WRITE }, (_, n) => idOf(this.#opened + n))
      this.#opened += PER_WRITE
      const frames = ids.flatMap((id) => [
        frame(FRAME.headers, FLAG.endHeaders, id, HEADERS),
        ...framesOf(id),
      ])
      await client.send(...frames)
    }
  }

  async close(): Promise<void> {
    this.#client?.[Symbol.dispose]()
    await this.#client?.closed
  }

  async #connected(): Promise<FrameClient> {
    if (this.#client !== undefined && !this.#client.isClosed) return this.#client
    this.#client = await FrameClient.connect(this.#address)
    this.#opened = 0
    await this.#client.send(...this.#first)
    return this.#client
  }
}

/** Peers that hold what they have opened until they are disposed of. */
export type Flood = (address: ListenAddress, streams: number) => Promise<AsyncDisposable>

const onConnections =
  (
    count: number,
    framesOf: (stream: number) => readonly Buffer[],
    first: readonly Buffer[] = [],
  ): Flood =>
  async (address, streams) => {
    const flooders = Array.from({ length: count }, () => new Flooder(address, first))
    const share = Math.ceil(streams / count)
    await Promise.all(flooders.map((flooder) => flooder.open(share, framesOf)))
    return {
      async [Symbol.asyncDispose]() {
        await Promise.all(flooders.map((flooder) => flooder.close()))
      },
    }
  }

// A message of 1 MiB is announced, and one byte of it sent.
const BEGUN = Buffer.from([0, 0x00, 0x10, 0x00, 0x00, 0x78])

/** Each stream announces a message of 1 MiB and sends one byte of it. */
export const halfMessages = onConnections(8, (id) => [frame(FRAME.data, 0, id, BEGUN)])

/** Each stream asks for one name that no certificate has, and stays. */
export const refusedNames = onConnections(8, (id) => [
  frame(FRAME.data, 0, id, subscription(`refused-${id}`)),
])

/** Each stream asks for a certificate again and again, and takes no answer. */
export const untakenAnswers = (handle: string): Flood => {
  const data = subscription(handle)
  return onConnections(
    2,
    (id) => Array.from({ length: 12 }, () => frame(FRAME.data, 0, id, data)),
    [frame(FRAME.settings, 0, 0, setting(INITIAL_WINDOW, 0))],
  )
}

/** Resolves when the bytes have left, or the server has ended the stream. */
const written = async (stream: ClientHttp2Stream, bytes: Buffer): Promise<void> =>
  await new Promise((resolve) => {
    if (stream.closed) return resolve()
    stream.once('close', resolve)
    stream.write(bytes, () => {
      stream.off('close', resolve)
      resolve()
    })
  })

const NAMES_PER_MESSAGE = 125

/** Each stream asks for 1,000 names of that length, which no certificate has. */
export const manyNames =
  (prefix: string, length: number): Flood =>
  async (address, streams) => {
    if (address.kind !== 'unix') throw new TypeError('a UNIX socket')
    const session = connectHttp2(address.path, 16_777_216)
    await Promise.all(
      Array.from({ length: streams }, async (_, index) => {
        const stream = openRaw(session, { ':path': METHOD })
        stream.resume()
        for (let at = 0; at < 1_000; at += NAMES_PER_MESSAGE) {
          const names = Array.from({ length: NAMES_PER_MESSAGE }, (__, n) =>
            `${prefix}${index}-${at + n}-`.padEnd(length, 'x'),
          )
          await written(stream, subscription(...names))
        }
      }),
    )
    return {
      async [Symbol.asyncDispose]() {
        session.destroy()
        if (!session.destroyed) await once(session, 'close')
      },
    }
  }

/** Each stream sends a message of 1 MiB, except its last byte. */
export const nearlyWholeMessages: Flood = async (address, streams) => {
  if (address.kind !== 'unix') throw new TypeError('a UNIX socket')
  const session = connectHttp2(address.path)
  const nearly = Buffer.concat([BEGUN.subarray(0, 5), Buffer.alloc(1_048_575)])
  await Promise.all(
    Array.from({ length: streams }, async () => {
      const stream = openRaw(session, { ':path': METHOD })
      await written(stream, nearly)
    }),
  )
  return {
    async [Symbol.asyncDispose]() {
      session.destroy()
      if (!session.destroyed) await once(session, 'close')
    },
  }
}

/** What an honest Envoy saw. */
export interface Served {
  readonly certificates: number
  readonly refused: number
  /** The longest wait, in milliseconds. */
  readonly slowest: number
}

const PAUSE_MS = 20

/** Asks for one certificate after another until `during` is over, each on a stream of its own. */
export const askMeanwhile = async (
  address: ListenAddress,
  handle: () => string,
  during: Promise<unknown>,
): Promise<Served> => {
  using client = new SdsClient(address)
  let [certificates, refused, slowest] = [0, 0, 0]
  const rest = during.then(() => 'over')
  let state: string
  do {
    const start = performance.now()
    const stream = client.open()
    stream.subscribe(handle())
    const { secrets } = await stream.next()
    if (secrets.length === 1) certificates += 1
    else refused += 1
    slowest = Math.max(slowest, performance.now() - start)
    stream.cancel()
    state = await Promise.race([rest, sleep(PAUSE_MS, 'during')])
  } while (state === 'during')
  return { certificates, refused, slowest }
}
