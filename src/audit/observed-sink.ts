// Counts by what is recorded: whoever counts is told of each event once it is written, and of none that
// was lost, since what cannot be recorded does not happen.

import type { AuditEvent } from './event.ts'
import type { AuditSink } from './sink.ts'

/** Told of events. Must not throw, and can change none. */
export interface AuditObserver {
  written(event: AuditEvent): void
}

/** A sink whose events are observed. */
export const observedSink = (sink: AuditSink, observer: AuditObserver): AuditSink => ({
  async write(event) {
    await sink.write(event)
    observer.written(event)
  },
})
