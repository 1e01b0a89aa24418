// The audit log of a scenario, read from its file.

import { readFile } from 'node:fs/promises'
import type { DecisionEvent, AuditEvent } from '../../src/audit/event.ts'

/** The decisions in an audit log, in their order. */
export const decisionsIn = async (file: string): Promise<readonly DecisionEvent[]> => {
  const lines = (await readFile(file, 'utf8')).split('\n').filter((line) => line !== '')
  return lines
    .map((line): { event: string } & DecisionEvent => JSON.parse(line))
    .filter(({ event }) => event === 'decision')
}

/** All events of an audit log, in their order. */
export const auditEventsIn = async (file: string): Promise<readonly AuditEvent[]> => {
  const lines = (await readFile(file, 'utf8')).split('\n').filter((line) => line !== '')
  return lines.map((line): AuditEvent => JSON.parse(line))
}
