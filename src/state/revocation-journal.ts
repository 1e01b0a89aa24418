// How processes that share a store learn of each other's revocations, and detect that the store was reset to an
// earlier state. Revocations are entries with consecutive numbers; the head names the latest. Each process remembers
// the latest number that it has seen: a lower one, or a missing entry, shows that an earlier state was restored.

import { setTimeout as sleep } from 'node:timers/promises'
import type { Clock } from '../runtime/clock.ts'
import {
  RevocationEntries,
  type Entry,
  type Head,
  type RevocationEntriesOptions,
} from './revocation-entries.ts'
import { markOf, RevocationMarks } from './revocation-marks.ts'

/** The options of a journal. */
export interface RevocationJournalOptions extends RevocationEntriesOptions {
  readonly clock: Clock
  /** Called when the store was reset to an earlier state, with the reaction. */
  readonly onRollback: (rollback: Rollback) => void
}

/**
 * The reaction to an earlier state: `restored`, this process knew every revocation since, and has written them again;
 * `revoked-all`, everything that was written until now counts as revoked.
 */
export type Rollback = 'restored' | 'revoked-all'

// How old the knowledge of other processes' revocations may be when a record is read.
const FRESH_MS = 1_000

// How many entries a process writes again, if the store has lost them.
const MOST_RECENT = 2_000

// Revocations within such a time share an entry.
const APPEND_EVERY_MS = 20

const MOST_TRIES = 50

/** The journal of one process. */
export class RevocationJournal {
  readonly #options: RevocationJournalOptions
  readonly #marks = new RevocationMarks()
  readonly #entries: RevocationEntries
  /** The latest head that it has seen. */
  #head: Head | undefined
  /** At least the latest entries that it has seen. */
  readonly #recent: Entry[] = []
  #lookedAt = Number.NEGATIVE_INFINITY
  #appendedAt = Number.NEGATIVE_INFINITY
  #looking: Promise<void> | undefined
  #pending: { readonly names: Set<number>; readonly appended: Promise<void> } | undefined
  /** Serialises reads and writes: a read must see the writes before it. */
  #turn: Promise<unknown> = Promise.resolve()

  constructor(options: RevocationJournalOptions) {
    this.#options = options
    this.#entries = new RevocationEntries(options)
  }

  /** Everything that was written until then is revoked; milliseconds since the epoch. */
  get floor(): number {
    return this.#marks.floor
  }

  /** When a name was revoked, by its keyed hash; milliseconds since the epoch. */
  revokedAt(hash: string): number | undefined {
    return this.#marks.instantOf(markOf(hash))
  }

  /**
   * Resolves when this process knows the other processes' revocations until a moment ago; `undefined` when it does
   * already.
   *
   * @throws the rejection of the store
   */
  fresh(): Promise<void> | undefined {
    return this.#isFresh() ? undefined : this.look()
  }

  #isFresh(): boolean {
    return this.#options.clock.monotonic() - this.#lookedAt < FRESH_MS
  }

  /** Reads the revocations of other processes. */
  async look(): Promise<void> {
    this.#looking ??= this.#inTurn(() => this.#look()).finally(() => {
      this.#looking = undefined
    })
    await this.#looking
  }

  /**
   * Revokes names, by their keyed hashes: at once in this process, and in all of them when it resolves.
   *
   * @throws the rejection of the store; the names are revoked in this process all the same
   */
  async revoke(hashes: readonly string[]): Promise<void> {
    if (hashes.length === 0) return
    const now = this.#options.clock.now()
    const names = hashes.map(markOf)
    for (const name of names) this.#marks.mark(name, now)
    const pending = this.#pending ?? this.#schedule()
    for (const name of names) pending.names.add(name)
    await pending.appended
  }

  /** Revokes everything that was written until now. */
  async revokeAll(): Promise<void> {
    const floor = this.#options.clock.now()
    this.#marks.raise(floor)
    await this.#inTurn(async () => {
      await this.#look()
      await this.#append([], floor)
    })
  }

  #schedule(): { readonly names: Set<number>; readonly appended: Promise<void> } {
    const names = new Set<number>()
    this.#pending = { names, appended: this.#appendLater(names) }
    return this.#pending
  }

  async #appendLater(names: ReadonlySet<number>): Promise<void> {
    const { clock } = this.#options
    const wait = this.#appendedAt + APPEND_EVERY_MS - clock.monotonic()
    await sleep(Math.min(APPEND_EVERY_MS, Math.max(0, wait)))
    await this.#inTurn(async () => {
      this.#pending = undefined
      this.#appendedAt = clock.monotonic()
      // Entries that other processes have appended meanwhile remain: a number is never used twice.
      if (!this.#isFresh()) await this.#look()
      await this.#append([...names], this.#head?.floor ?? 0)
    })
  }

  async #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#turn.then(work, work)
    this.#turn = turn.catch(() => undefined)
    return await turn
  }

  async #look(): Promise<void> {
    const at = this.#options.clock.monotonic()
    const found = await this.#entries.readHead()
    const known = this.#head
    if (known === undefined) await this.#begin(found)
    else if (found === undefined || this.#isEarlier(found)) await this.#recover(found)
    else if (!(await this.#follow(known, found))) await this.#recover(undefined)
    this.#lookedAt = at
  }

  /** The first read, by a process that does not know earlier entries. */
  async #begin(found: Head | undefined): Promise<void> {
    if (!this.#entries.hasHead) {
      // Whole seconds, as tokens have them (RFC 7519 §4.1.6): the first that is issued is not revoked.
      return await this.#append([], Math.floor(this.#options.clock.now() / 1_000) * 1_000 - 1)
    }
    if (found === undefined) return await this.#recover(undefined)
    const { sequence, floor } = found
    const recent = numbers(Math.max(1, sequence - MOST_RECENT), sequence)
    for (const entry of await this.#entries.read(recent))
      if (entry !== undefined) this.#learn(entry)
    this.#marks.raise(floor)
    this.#head = found
    // Seals it with the first key of this keyring, whatever key sealed it before.
    await this.#append([], floor)
  }

  /** Reads the new entries; returns whether all of them were there. */
  async #follow(known: Head, found: Head): Promise<boolean> {
    const entries = await this.#entries.read(numbers(known.sequence + 1, found.sequence))
    for (const entry of entries) if (entry !== undefined) this.#learn(entry)
    if (entries.includes(undefined)) return false
    this.#marks.raise(found.floor)
    this.#head = found
    return true
  }

  /** @param found `undefined` where it is unknown what the store has lost */
  async #recover(found: Head | undefined): Promise<void> {
    const { clock, onRollback } = this.#options
    const known = this.#head
    const [oldest] = this.#recent
    const knowsAll =
      known !== undefined &&
      found?.floor === known.floor &&
      oldest !== undefined &&
      oldest.sequence <= found.sequence + 1
    onRollback(knowsAll ? 'restored' : 'revoked-all')
    if (!knowsAll) {
      this.#marks.raise(clock.now())
      return await this.#append([], this.#marks.floor)
    }
    // Entries that other processes have not read yet, under their numbers; and all of them once more, since another
    // process may have used a number meanwhile.
    for (const entry of this.#recent) {
      if (entry.sequence <= found.sequence) continue
      await this.#entries.add(entry)
    }
    const names = new Set(this.#recent.flatMap((entry) => entry.names))
    await this.#append([...names], known.floor)
  }

  /** Appends an entry, and writes its number to the head. */
  async #append(names: readonly number[], floor: number): Promise<void> {
    const at = this.#options.clock.now()
    let sequence = (this.#head?.sequence ?? 0) + 1
    for (;;) {
      if (await this.#entries.add({ sequence, names, at })) break
      const [other] = await this.#entries.read([sequence])
      if (other !== undefined) this.#learn(other)
      sequence += 1
    }
    this.#learn({ sequence, names, at })
    await this.#advance({ sequence, floor })
  }

  /** Writes the number of an entry to the head, unless it has a later one. */
  async #advance({ sequence, floor: least }: Head): Promise<void> {
    let floor = least
    for (let tries = 0; tries < MOST_TRIES; tries += 1) {
      const latest = Math.max(sequence, this.#entries.latest)
      if (await this.#entries.writeHead({ sequence: latest, floor })) {
        this.#head = { sequence, floor }
        this.#marks.raise(floor)
        // The entries in between are read with the next read.
        if (latest > sequence) this.#lookedAt = Number.NEGATIVE_INFINITY
        return
      }
      const found = await this.#entries.readHead()
      if (this.#isEarlier(found)) return await this.#recover(found)
      // An empty store that another process began with at the same time.
      if (this.#head === undefined && found !== undefined) return await this.#begin(found)
      floor = Math.max(floor, found?.floor ?? 0)
    }
    throw new Error('the head of the revocations changes faster than it can be written')
  }

  /** Whether a head is of an earlier state than this process has seen. */
  #isEarlier(found: Head | undefined): boolean {
    const known = this.#head
    if (known === undefined) return false
    return found === undefined || found.sequence < known.sequence || found.floor < known.floor
  }

  #learn(entry: Entry): void {
    for (const name of entry.names) this.#marks.mark(name, entry.at)
    this.#recent.push(entry)
    if (this.#recent.length > 2 * MOST_RECENT) this.#recent.splice(0, MOST_RECENT)
  }
}

const numbers = (first: number, last: number): readonly number[] =>
  Array.from({ length: Math.max(0, last - first + 1) }, (_, index) => first + index)
