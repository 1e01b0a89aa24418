// The clock of this machine, compared with those of the queried servers: the Date of an HTTP answer (RFC 9110
// §6.6.1), and TIME of Redis. Tokens and certificates are valid for a time that all sides read from their own clock.

import type { Finding } from './examination.ts'

interface Reading {
  readonly source: string
  /** Milliseconds by which this machine is ahead, at least. */
  readonly ahead: number
}

// An HTTP date has whole seconds.
const RESOLUTION_MS = 1_000
const WARNING_MS = 5_000
// The default of `skew`: from here on tokens of the server are refused.
const ERROR_MS = 30_000

/** Collects times, and compares them. */
export class ClockComparison {
  readonly #readings: Reading[] = []
  readonly #now: () => number

  /** @param now milliseconds since the epoch */
  constructor(now: () => number) {
    this.#now = now
  }

  /**
   * Takes down the time of a server, which it read after `began` and before now.
   *
   * @param time milliseconds since the epoch, cut to the second
   */
  note(source: string, time: number, began: number): void {
    if (!Number.isFinite(time)) return
    const ahead = began - (time + RESOLUTION_MS)
    const behind = time - this.#now()
    this.#readings.push({ source, ahead: Math.max(0, ahead) - Math.max(0, behind) })
  }

  /** The judgement. */
  finding(): Finding {
    const about = { area: 'clock', target: 'this machine', path: '' } as const
    const worst = this.#readings.toSorted(
      (one, other) => Math.abs(other.ahead) - Math.abs(one.ahead),
    )[0]
    if (worst === undefined) {
      return { ...about, outcome: 'skipped', message: 'no queried server tells its time' }
    }
    const distance = Math.abs(worst.ahead)
    if (distance < WARNING_MS) {
      const message = `within ${Math.ceil((distance + RESOLUTION_MS) / 1_000)} s of ${this.#sources()}`
      return { ...about, outcome: 'ok', message }
    }
    const side = worst.ahead > 0 ? 'ahead of' : 'behind'
    return {
      ...about,
      outcome: distance < ERROR_MS ? 'warning' : 'error',
      message: `${Math.round(distance / 1_000)} s ${side} ${worst.source}`,
      remedy:
        'Let both machines follow a time server (NTP): tokens and certificates are refused by a wrong clock',
    }
  }

  #sources(): string {
    const names = [...new Set(this.#readings.map(({ source }) => source))]
    return names.length > 2 ? `${names.length} servers` : names.join(' and ')
  }
}
