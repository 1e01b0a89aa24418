// The operational log, in memory.

import { pino } from 'pino'
import type { Logger } from '../../src/runtime/logger.ts'

/** A logger that takes every level, and the lines that it wrote. */
export const memoryLogger = (): { readonly logger: Logger; readonly lines: readonly string[] } => {
  const lines: string[] = []
  const logger = pino({ level: 'debug' }, { write: (line: string) => void lines.push(line) })
  return { logger, lines }
}
