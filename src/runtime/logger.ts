// The operational log: JSON lines on standard error, fixed messages with their data in fields.

import { pino, type DestinationStream, type Logger } from 'pino'
import { systemClock, type Clock } from './clock.ts'
import { LineLimit } from './line-limit.ts'

export type { Logger }

const STANDARD_ERROR = 2
const WARN = 40

/** Where lines go, and by which clock they are limited; the default is what a process wants. */
export interface LoggerParts {
  readonly destination?: DestinationStream
  readonly clock?: Clock
}

/**
 * A logger; hand on `.child({ component })`. `redact` is the second net behind never logging secrets.
 *
 * Of warnings and errors of one kind it writes ten a minute, the next with `leftOut`, the number of those
 * that it did not write.
 */
export const createLogger = (
  level: string,
  {
    destination = pino.destination({ fd: STANDARD_ERROR, sync: true }),
    clock = systemClock,
  }: LoggerParts = {},
): Logger => {
  const limit = new LineLimit(clock)
  return pino(
    {
      level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      redact: ['*.authorization', '*.password', '*.cookie', '*.secret'],
      hooks: {
        logMethod(args, method, severity) {
          const [fields, message] = args
          const isPlain = typeof fields === 'object' && !(fields instanceof Error)
          if (severity < WARN || !isPlain || typeof message !== 'string') {
            return method.apply(this, args)
          }
          const admission = limit.admit(message, { ...this.bindings(), ...fields })
          if (!admission.written) return
          const { leftOut } = admission
          method.apply(this, leftOut === 0 ? args : [{ ...fields, leftOut }, message])
        },
      },
    },
    destination,
  )
}
