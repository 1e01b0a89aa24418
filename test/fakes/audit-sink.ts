// An audit log in memory, which can be made to fail as a full disk does. It refuses an event that is not as the reference
// describes it.

import { settled, type RecordDone } from '../../src/audit/done.ts'
import { auditLineSchema } from '../../src/audit/events/events-schema.ts'
import type { AuditEvent, DecisionEvent } from '../../src/audit/event.ts'
import type { AuditSink, DecisionSink } from '../../src/audit/sink.ts'
import { CountersignError } from '../../src/runtime/errors.ts'

/** Keeps events; while `full`, refuses them. */
export class MemoryAudit implements AuditSink, DecisionSink {
  readonly events: AuditEvent[] = []
  full = false

  async write(event: AuditEvent): Promise<void> {
    await settled((done) => this.record(event, done))
  }

  record(event: AuditEvent, done: RecordDone): void {
    if (this.full) return done(new CountersignError('audit-unwritable', 'no space left'))
    auditLineSchema.parse({ log: 'audit', time: '', ...event })
    this.events.push(event)
    done(undefined)
  }

  /** Nothing waits. */
  flush(): void {}

  /** The decisions written since the last call. */
  takeDecisions(): readonly DecisionEvent[] {
    return this.events.splice(0).filter((event) => event.event === 'decision')
  }
}
