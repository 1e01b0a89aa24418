// How the streams ended that were closed last: frames that were under way then are judged by it
// (RFC 9113 §5.1).

/** How a stream ended; `unknown` for one that closed long ago, or was never opened. */
export type StreamEnd = 'ended' | 'reset-by-peer' | 'reset' | 'unknown'

const ENDS = ['ended', 'reset-by-peer', 'reset'] as const
const REMEMBERED = 256

/** The last streams of a connection that were closed. */
export class ClosedStreams {
  /** Identifier × 4 + the index of the end: more than 32 bits. */
  readonly #ring = new Float64Array(REMEMBERED)
  #next = 0

  /** Remembers how a stream ended. */
  add(id: number, end: (typeof ENDS)[number]): void {
    this.#ring[this.#next] = id * 4 + (end === 'ended' ? 0 : ENDS.indexOf(end))
    this.#next = (this.#next + 1) % REMEMBERED
  }

  /** How a stream ended. */
  endOf(id: number): StreamEnd {
    for (const entry of this.#ring)
      if (Math.floor(entry / 4) === id) return ENDS[entry % 4] ?? 'unknown'
    return 'unknown'
  }
}
