// The operational log: JSON lines on standard error, fixed messages with their data in fields.

import { pino, type Logger } from 'pino'

export type { Logger }

const STANDARD_ERROR = 2

/** A logger; hand on `.child({ component })`. `redact` is the second net behind never logging secrets. */
export const createLogger = (level: string): Logger =>
  pino(
    {
      level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      redact: ['*.authorization', '*.password', '*.cookie', '*.secret'],
    },
    pino.destination({ fd: STANDARD_ERROR, sync: true }),
  )
