// What requests leave behind: bytes of `state` and of the audit log, and for how long.

import { statSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { z } from 'zod'

/** What is there at one moment. */
export interface Left {
  readonly auditBytes: number
  /** As the state accounts for them. */
  readonly stateBytes: number
  /** When each thing in the state ends, in ms since 1970, by what it is and its key. */
  readonly ends: ReadonlyMap<string, number>
}

const usageSchema = z.object({ bytes: z.number().nullable() })
const endsSchema = z.array(z.object({ key: z.string(), ends: z.number() }))

const TABLES = ['records', 'counters', 'notes', 'uses'] as const

/** Looks at both files. */
export const lookAt = (files: { readonly audit: string; readonly state: string }): Left => {
  const database = new DatabaseSync(files.state, { readOnly: true })
  try {
    const { bytes } = usageSchema.parse(
      database.prepare('SELECT sum(bytes) AS bytes FROM usage').get(),
    )
    const ends = TABLES.flatMap((table) =>
      endsSchema
        .parse(database.prepare(`SELECT key, ends FROM ${table}`).all())
        .map((row) => [`${table} ${row.key}`, row.ends] as const),
    )
    return {
      auditBytes: statSync(files.audit).size,
      stateBytes: bytes ?? 0,
      ends: new Map(ends),
    }
  } finally {
    database.close()
  }
}

/** What has come since: bytes in all, and the seconds until the last of what is new ends. */
export const leftSince = (
  before: Left,
  after: Left,
): { readonly auditBytes: number; readonly stateBytes: number; readonly stateSeconds: number } => {
  const now = Date.now()
  const added = [...after.ends].filter(([key]) => !before.ends.has(key))
  return {
    auditBytes: after.auditBytes - before.auditBytes,
    // What ended meanwhile does not offset what came.
    stateBytes: Math.max(0, after.stateBytes - before.stateBytes),
    stateSeconds: Math.max(0, ...added.map(([, ends]) => (ends - now) / 1_000)),
  }
}
