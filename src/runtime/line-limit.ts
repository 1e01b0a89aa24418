// How many lines of one kind the operational log takes. Unauthenticated clients can cause warnings as fast
// as they send requests; the first lines tell an operator all that a thousand would.

import type { Clock } from './clock.ts'
import { TokenBucket } from './token-bucket.ts'

/** Whether a line is written: left out, or written with the number of lines of its kind left out before it. */
export type LineAdmission =
  | { readonly written: false }
  | { readonly written: true; readonly leftOut: number }

interface Kind {
  readonly bucket: TokenBucket
  leftOut: number
}

// Of one kind.
const RATE = { burst: 10, perSecond: 1 / 6 }
// Kinds differ by values of the configuration, so there are some dozens.
const MAX_KINDS = 1_000
// The fields that distinguish lines with one message, whose values come from the configuration, never from
// a request.
const PLACES = [
  'component',
  'route',
  'authenticator',
  'server',
  'source',
  'store',
  'file',
  'provider',
]

/** Counts lines by kind: their message, and what it is about. */
export class LineLimit {
  readonly #clock: Clock
  readonly #kinds = new Map<string, Kind>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** @param fields of the line, by name */
  admit(message: string, fields: Readonly<Record<string, unknown>>): LineAdmission {
    const kind = this.#kindOf([message, ...PLACES.map((name) => fields[name])].join('\0'))
    if (!kind.bucket.take()) {
      kind.leftOut += 1
      return { written: false }
    }
    const { leftOut } = kind
    kind.leftOut = 0
    return { written: true, leftOut }
  }

  #kindOf(name: string): Kind {
    const known = this.#kinds.get(name)
    if (known !== undefined) return known
    const kind = { bucket: new TokenBucket(RATE, this.#clock), leftOut: 0 }
    // Reached after several configurations; earlier counts of omitted lines are dropped.
    if (this.#kinds.size >= MAX_KINDS) this.#kinds.clear()
    this.#kinds.set(name, kind)
    return kind
  }
}
