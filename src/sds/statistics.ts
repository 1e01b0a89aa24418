// What the service counts, and the log line that reports it once a minute where it changed.

import { isDeepStrictEqual } from 'node:util'
import type { Logger } from '../runtime/logger.ts'

/** `streams` and `names` are current values; the rest counts since the start. */
export interface SdsStatistics {
  /** Open streams. */
  readonly streams: number
  /** Names that they hold, one for each stream that holds it. */
  readonly names: number
  /** Certificates made. */
  readonly issued: number
  /** Names that the issuer refused. */
  readonly refused: number
  /** Answers that Envoy rejected. */
  readonly nacks: number
  /** Bugs of the issuer's, and requests for which a stream was ended. */
  readonly errors: number
}

/** The counters at work. */
export type Counters = { -readonly [Name in keyof SdsStatistics]: number }

/** Counters at their start. */
export const zeroCounters = (): Counters => ({
  streams: 0,
  names: 0,
  issued: 0,
  refused: 0,
  nacks: 0,
  errors: 0,
})

const INTERVAL_MS = 60_000

/** Logs the statistics once a minute where they changed. */
export const logStatistics = (sds: { statistics(): SdsStatistics }, logger: Logger): Disposable => {
  let last = sds.statistics()
  const timer = setInterval(() => {
    const now = sds.statistics()
    if (!isDeepStrictEqual(now, last)) logger.info(now, 'statistics')
    last = now
  }, INTERVAL_MS)
  return { [Symbol.dispose]: () => clearInterval(timer) }
}
