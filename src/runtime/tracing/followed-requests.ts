// Requests that an operator follows on the running process: a follower is called with each that has ended, with its parts. At the level
// debug they are logged. Nothing is recorded while there is neither.

import type { Clock } from '../clock.ts'
import type { Logger } from '../logger.ts'
import type { Notes, Span, SpanAttributes, SpanKind, Tracer } from './span.ts'

/** A part of a request that has ended. */
export interface FollowedPart {
  readonly name: string
  readonly kind: SpanKind
  /** Milliseconds from the beginning of the request. */
  readonly start: number
  readonly duration: number
  readonly attributes: SpanAttributes
  readonly notes: Notes
  /** Present where it has failed. */
  readonly failure?: string
  readonly parts: readonly FollowedPart[]
}

/** Called for each request that has ended. It must not throw. */
type Follower = (request: FollowedPart) => void

/** Calls followers with all requests of a process. */
export class FollowedRequests implements Tracer {
  readonly #clock: Pick<Clock, 'monotonic'>
  readonly #logger: Pick<Logger, 'isLevelEnabled' | 'debug'>
  readonly #followers = new Set<Follower>()

  constructor(clock: Pick<Clock, 'monotonic'>, logger: Pick<Logger, 'isLevelEnabled' | 'debug'>) {
    this.#clock = clock
    this.#logger = logger
  }

  /** Calls a follower until the result is disposed of. */
  follow(follower: Follower): Disposable {
    // Two calls with one function are two followers.
    const own: Follower = (request) => follower(request)
    this.#followers.add(own)
    return { [Symbol.dispose]: () => void this.#followers.delete(own) }
  }

  begin(name: string, _traceparent?: string, attributes: SpanAttributes = {}): Span | undefined {
    if (this.#followers.size === 0 && !this.#logger.isLevelEnabled('debug')) return undefined
    const clock = this.#clock
    const zero = clock.monotonic()
    return new FollowedSpan(name, 'internal', attributes, {
      now: () => clock.monotonic() - zero,
      ended: (request) => {
        for (const follower of this.#followers) follower(request)
        this.#logger.debug({ followed: request }, 'request')
      },
    })
  }
}

interface Surroundings {
  /** Milliseconds from the beginning of the request. */
  readonly now: () => number
  readonly ended: (part: FollowedPart) => void
}

class FollowedSpan implements Span {
  readonly reference = undefined
  readonly #name: string
  readonly #kind: SpanKind
  readonly #surroundings: Surroundings
  readonly #start: number
  readonly #parts: FollowedPart[] = []
  #attributes: SpanAttributes
  #notes: Notes = {}
  #failure: string | undefined

  constructor(
    name: string,
    kind: SpanKind,
    attributes: SpanAttributes,
    surroundings: Surroundings,
  ) {
    this.#name = name
    this.#kind = kind
    this.#attributes = attributes
    this.#surroundings = surroundings
    this.#start = surroundings.now()
  }

  child(name: string, kind: SpanKind, attributes: SpanAttributes = {}): Span {
    const { now } = this.#surroundings
    const ended = (part: FollowedPart): void => void this.#parts.push(part)
    return new FollowedSpan(name, kind, attributes, { now, ended })
  }

  set(attributes: SpanAttributes): void {
    this.#attributes = { ...this.#attributes, ...attributes }
  }

  link(): void {} // of a collector's traces

  note(notes: Notes): void {
    this.#notes = { ...this.#notes, ...notes }
  }

  fail(description: string): void {
    this.#failure = description
  }

  end(): void {
    const { now, ended } = this.#surroundings
    ended({
      name: this.#name,
      kind: this.#kind,
      start: this.#start,
      duration: now() - this.#start,
      attributes: this.#attributes,
      notes: this.#notes,
      ...(this.#failure === undefined ? {} : { failure: this.#failure }),
      parts: this.#parts,
    })
  }
}
