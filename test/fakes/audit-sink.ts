// An audit log in memory, which can be made to fail as a full disk does.

import type { AuditEvent, DecisionEvent } from '../../src/audit/event.ts'
import type { AuditSink } from '../../src/audit/sink.ts'
import { CountersignError } from '../../src/runtime/errors.ts'

/** Keeps events; while `full`, refuses them. */
export class MemoryAudit implements AuditSink {
  readonly events: AuditEvent[] = []
  full = false

  write(event: AuditEvent): Promise<void> {
    if (this.full) return Promise.reject(new CountersignError('audit-unwritable', 'no space left'))
    this.events.push(event)
    return Promise.resolve()
  }

  /** The decisions written since the last call. */
  takeDecisions(): readonly DecisionEvent[] {
    return this.events.splice(0).filter((event) => event.event === 'decision')
  }
}
