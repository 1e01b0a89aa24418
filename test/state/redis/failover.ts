// Writes while a primary is replaced: what was acknowledged, and whether it is there afterwards.

import type { AttemptScope } from '../../../src/state/attempt-store.ts'
import type { State } from '../../../src/state/state.ts'

/** What was acknowledged, by key. */
export interface Acknowledged {
  readonly put: Set<string>
  readonly taken: Set<string>
  readonly used: Set<string>
  readonly removed: Set<string>
  readonly revoked: Set<string>
  readonly locked: Set<string>
  /** Refused or unanswered operations; they may have been done or not. */
  failed: number
}

const RECORD = { text: 'x', kind: 'login', lifetime: 600_000 } as const
const UNTIL = Date.now() + 600_000

// Locked by the first failure.
const scopeOf = (key: string): AttemptScope => ({
  key,
  weight: 1,
  binding: true,
  pace: {
    attempts: 1,
    backOff: 600_000,
    lockAfter: 1,
    lockFor: 600_000,
    forget: 600_000,
  },
})

/** Writes without a pause, in several loops, until the signal. Each loop has one operation after the other. */
export const writeUntil = async (
  state: State,
  name: string,
  end: AbortSignal,
): Promise<Acknowledged> => {
  const done: Acknowledged = {
    put: new Set(),
    taken: new Set(),
    used: new Set(),
    removed: new Set(),
    revoked: new Set(),
    locked: new Set(),
    failed: 0,
  }
  const step = async (key: string): Promise<void> => {
    const { records, replays, attempts } = state
    await records.put(`put ${key}`, RECORD)
    done.put.add(key)
    for (const kind of ['take', 'remove', 'revoke']) await records.put(`${kind} ${key}`, RECORD)
    if ((await records.take(`take ${key}`)) !== undefined) done.taken.add(key)
    await records.remove([`remove ${key}`])
    done.removed.add(key)
    if ((await replays.use(key, UNTIL)).outcome === 'first') done.used.add(key)
    await records.revoke([`revoke ${key}`])
    done.revoked.add(key)
    const attempt = await attempts.take([scopeOf(key)])
    if (attempt.outcome !== 'taken') return
    await attempts.settle(attempt.reservations.map((reservation) => ({ reservation, failures: 1 })))
    done.locked.add(key)
  }
  const loop = async (number: number): Promise<void> => {
    for (let count = 0; !end.aborted; count += 1) {
      try {
        await step(`${name} ${number} ${count}`)
      } catch {
        done.failed += 1
        // Refusals are answered at once.
        await new Promise((resolve) => setTimeout(resolve, 5))
      }
    }
  }
  await Promise.all(Array.from({ length: 8 }, (_, number) => loop(number)))
  return done
}

/**
 * What was acknowledged and is lost, one line for each.
 *
 * @param state of a process that has written none of it
 * @param writer counts attempts itself while the store is away, so only it knows whether the store had to
 */
export const lostOf = async (
  state: State,
  writer: State,
  done: Acknowledged,
): Promise<readonly string[]> => {
  const { records, replays } = state
  const isThere = async (key: string) => (await records.get(key)) !== undefined
  const holds: Readonly<Record<string, (key: string) => Promise<boolean>>> = {
    put: (key) => isThere(`put ${key}`),
    taken: async (key) => !(await isThere(`take ${key}`)),
    removed: async (key) => !(await isThere(`remove ${key}`)),
    revoked: async (key) => !(await isThere(`revoke ${key}`)),
    used: async (key) => (await replays.use(key, UNTIL)).outcome === 'repeated',
    locked: async (key) => (await writer.attempts.take([scopeOf(key)])).outcome === 'wait',
  }
  const lost: string[] = []
  for (const kind of ['put', 'taken', 'removed', 'revoked', 'used', 'locked'] as const) {
    for (const key of done[kind]) {
      if ((await holds[kind]?.(key)) !== true) lost.push(`${kind} ${key}`)
    }
  }
  return lost
}
