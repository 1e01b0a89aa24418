// The operational log, in memory.

import { pino } from 'pino'
import type { Clock } from '../../src/runtime/clock.ts'
import { createLogger, type Logger } from '../../src/runtime/logger.ts'

/** A logger, and the lines that it wrote. */
export interface MemoryLogger {
  readonly logger: Logger
  readonly lines: readonly string[]
}

/** A logger that takes every level, and every line. */
export const memoryLogger = (): MemoryLogger => {
  const lines: string[] = []
  const logger = pino({ level: 'debug' }, { write: (line: string) => void lines.push(line) })
  return { logger, lines }
}

/** A logger as a process has it. */
export const processLogger = (clock: Clock): MemoryLogger => {
  const lines: string[] = []
  const destination = { write: (line: string) => void lines.push(line) }
  return { logger: createLogger('info', { destination, clock }), lines }
}
