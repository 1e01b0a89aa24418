// So many at a time, so many waiting, and each caller in turn: what bounds the load on a back end, and
// prevents a caller with many requests from delaying another with few.

import { CountersignError } from './errors.ts'

/** What a {@link FairLimiter} allows. */
export interface FairLimiterOptions {
  /** What is limited, for messages: `questions to the API server`. */
  readonly name: string
  /** How many pieces of work run at a time. */
  readonly concurrency: number
  /** How many more may wait for that, of each lane; further ones are refused as overloaded. */
  readonly waiting: number
  /** How many of the places only preferred work can take. Default: 0. */
  readonly reserved?: number
  /** How fast work may begin. Default: as fast as there is room. */
  readonly pace?: Pace
}

/** How fast work may begin. */
export interface Pace {
  /** In how many milliseconds the next piece of work of a lane may begin; 0 for now. */
  readonly delay: (lane: Lane) => number
  /** Called when a piece of work begins. */
  readonly begin: () => void
}

/** Whose work it is. `preferred`: known to be worth doing; it runs first, and may take every place. */
export type Lane = 'preferred' | 'ordinary'

const LANES: readonly Lane[] = ['preferred', 'ordinary']
// While both lanes wait, one piece of work in four is ordinary, so that new callers have a turn too.
const ORDINARY_EVERY = 4

/** Runs work, a number of pieces at a time. Those that wait are taken in turn by caller. */
export class FairLimiter {
  readonly #options: FairLimiterOptions
  readonly #queues: Readonly<Record<Lane, CallerQueue>> = {
    preferred: new CallerQueue(),
    ordinary: new CallerQueue(),
  }
  readonly #running: Record<Lane, number> = { preferred: 0, ordinary: 0 }
  #begun = 0
  #timer: NodeJS.Timeout | undefined

  constructor(options: FairLimiterOptions) {
    this.#options = options
  }

  /** How many pieces of work wait. */
  get waiting(): number {
    return this.#queues.preferred.size + this.#queues.ordinary.size
  }

  /**
   * Runs the work once it is this caller's turn and there is room.
   *
   * @param caller whose work it is: a source address, or a user
   * @throws CountersignError `overloaded` when too many wait; the signal's reason when it aborts first
   */
  async run<T>(
    caller: string,
    signal: AbortSignal,
    work: () => Promise<T>,
    lane: Lane = 'ordinary',
  ): Promise<T> {
    await this.#enter(caller, signal, lane)
    try {
      return await work()
    } finally {
      this.#running[lane] -= 1
      this.#advance()
    }
  }

  async #enter(caller: string, signal: AbortSignal, lane: Lane): Promise<void> {
    signal.throwIfAborted()
    const queue = this.#queues[lane]
    if (queue.size === 0 && this.#mayBegin(lane)) {
      this.#begin(lane)
      return
    }
    const { name, waiting } = this.#options
    const overloaded = (): CountersignError =>
      new CountersignError('overloaded', `${waiting} ${name} wait already`)
    // Who waits for much makes room for who waits for less.
    if (queue.size >= waiting && !queue.dropFor(caller)) throw overloaded()
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    const onAbort = (): void => {
      queue.remove(caller, entry)
      reject(signal.reason)
    }
    const entry: Entry = { admit: resolve, drop: () => reject(overloaded()) }
    queue.add(caller, entry)
    signal.addEventListener('abort', onAbort, { once: true })
    try {
      this.#advance()
      await promise
    } finally {
      signal.removeEventListener('abort', onAbort)
    }
  }

  #hasRoom(lane: Lane): boolean {
    const { concurrency, reserved = 0 } = this.#options
    const { preferred, ordinary } = this.#running
    if (preferred + ordinary >= concurrency) return false
    return lane === 'preferred' || ordinary < concurrency - reserved
  }

  #mayBegin(lane: Lane): boolean {
    return this.#hasRoom(lane) && (this.#options.pace?.delay(lane) ?? 0) <= 0
  }

  #begin(lane: Lane): void {
    this.#running[lane] += 1
    this.#begun += 1
    this.#options.pace?.begin()
  }

  /** Admits waiting work as far as there is room. It is counted at once, before any work that arrives later. */
  #advance(): void {
    for (;;) {
      const lane = this.#next()
      if (lane === undefined) break
      const entry = this.#queues[lane].take()
      if (entry === undefined) break
      this.#begin(lane)
      entry.admit()
    }
    this.#wakeInTime()
  }

  #next(): Lane | undefined {
    const order = this.#begun % ORDINARY_EVERY === 0 ? LANES.toReversed() : LANES
    return order.find((lane) => this.#queues[lane].size > 0 && this.#mayBegin(lane))
  }

  /** Where only time keeps work from beginning. */
  #wakeInTime(): void {
    const { pace } = this.#options
    if (pace === undefined || this.#timer !== undefined) return
    const delays = LANES.filter((lane) => this.#queues[lane].size > 0 && this.#hasRoom(lane)).map(
      (lane) => pace.delay(lane),
    )
    if (delays.length === 0) return
    this.#timer = setTimeout(
      () => {
        this.#timer = undefined
        this.#advance()
      },
      Math.max(1, Math.ceil(Math.min(...delays))),
    )
  }
}

interface Entry {
  readonly admit: () => void
  /** Refuses it, because the queue is full. */
  readonly drop: () => void
}

/** What waits, by caller; those in turn. */
class CallerQueue {
  // In the order of their turns.
  readonly #callers = new Map<string, Set<Entry>>()
  size = 0

  add(caller: string, entry: Entry): void {
    const entries = this.#callers.get(caller) ?? new Set()
    entries.add(entry)
    this.#callers.set(caller, entries)
    this.size += 1
  }

  remove(caller: string, entry: Entry): void {
    const entries = this.#callers.get(caller)
    if (entries?.delete(entry) !== true) return
    this.size -= 1
    if (entries.size === 0) this.#callers.delete(caller)
  }

  /** Takes the first of the caller whose turn it is, and gives the turn to the next caller. */
  take(): Entry | undefined {
    const [turn] = this.#callers
    if (turn === undefined) return undefined
    const [caller, entries] = turn
    const [entry] = entries
    if (entry !== undefined) this.remove(caller, entry)
    if (entries.size > 0) {
      this.#callers.delete(caller)
      this.#callers.set(caller, entries)
    }
    return entry
  }

  /** Refuses the last of the caller who waits for most, if that is more than this caller would. */
  dropFor(caller: string): boolean {
    const own = this.#callers.get(caller)?.size ?? 0
    let most: { readonly caller: string; readonly entries: Set<Entry> } | undefined
    for (const [other, entries] of this.#callers) {
      if (entries.size > (most?.entries.size ?? own + 1)) most = { caller: other, entries }
    }
    const last = most === undefined ? undefined : [...most.entries].at(-1)
    if (most === undefined || last === undefined) return false
    this.remove(most.caller, last)
    last.drop()
    return true
  }
}
