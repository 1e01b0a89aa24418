// The API server as the rules see it: asked about a request, and its answer remembered for a short
// while. ProvenCredential about roles, never decisions: which rule decides is found anew for every request.

import { LRUCache } from 'lru-cache'
import { shared } from '../runtime/shared.ts'
import type { AskReview } from '../clients/kubernetes/review.ts'
import type { Clock } from '../runtime/clock.ts'
import type { Asker } from '../runtime/shared-server.ts'
import { accessReviewOf, readAccessReview } from './access-review.ts'
import type { AccessReviewer, Review } from './authorizer.ts'
import type { Question } from './question.ts'

/** Dependencies of the reviewer. */
export interface RememberedReviewsOptions {
  readonly ask: AskReview
  /**
   * The cache key of a review. It changes with everything that an answer depends on: what is kept
   * under the keys of yesterday is not found today.
   */
  readonly keyOf: (review: string) => string
  /** How long an answer is remembered, in milliseconds from the question; 0 for not at all. */
  readonly remember: number
  readonly clock: Clock
}

type Reviewed = Extract<Review, { outcome: 'reviewed' }>

// Some 2 MB when full.
const MAX_ENTRIES = 10_000
// A path that fills the headers that Envoy takes, and a caller in hundreds of groups. The server sends
// the question back, its characters escaped: this bounds the answer too.
const MAX_QUESTION_BYTES = 65_536

/** The longest answer to a review, in bytes: each may take six (`\u0026`). */
export const MAX_ANSWER_BYTES = 8 * MAX_QUESTION_BYTES

/**
 * A reviewer with a cache. Equal reviews that arrive together are sent once. Each user has a budget
 * of reviews, so that one who sends ever new names does not evict the answers for other users.
 */
export class RememberedReviews implements AccessReviewer {
  readonly #options: RememberedReviewsOptions
  // By the monotonic clock, so that one which is set back prolongs nothing.
  readonly #known = new LRUCache<string, { readonly review: Reviewed; readonly until: number }>({
    max: MAX_ENTRIES,
  })
  readonly #pending = new Map<string, Promise<Review>>()

  constructor(options: RememberedReviewsOptions) {
    this.#options = options
  }

  /** How many answers are cached, some of which may have ended. */
  get cached(): number {
    return this.#known.size
  }

  async review(question: Question, signal: AbortSignal): Promise<Review> {
    const text = JSON.stringify(accessReviewOf(question))
    if (Buffer.byteLength(text) > MAX_QUESTION_BYTES) {
      return unavailable(new Error('the SubjectAccessReview is too long to be sent'))
    }
    const key = this.#options.keyOf(text)
    const known = this.#recall(key)
    if (known !== undefined) return known
    try {
      return await shared(
        () => this.#answerTo({ subject: key, caller: question.identity.user }, text),
        signal,
      )
    } catch (cause) {
      return unavailable(cause) // this client left; the rest keep waiting
    }
  }

  #recall(key: string): Reviewed | undefined {
    const known = this.#known.get(key)
    if (known === undefined) return undefined
    if (this.#options.clock.monotonic() < known.until) return known.review
    this.#known.delete(key)
    return undefined
  }

  /** One question for all who wait for it; never rejects. */
  #answerTo(asker: Asker, text: string): Promise<Review> {
    const { subject: key } = asker
    const underWay = this.#pending.get(key)
    if (underWay !== undefined) return underWay
    const answer = this.#ask(asker, text).finally(() => this.#pending.delete(key))
    this.#pending.set(key, answer)
    return answer
  }

  async #ask(asker: Asker, text: string): Promise<Review> {
    const { ask, remember, clock } = this.#options
    // From the question on: the roles may have changed while the answer was on its way.
    const until = clock.monotonic() + remember
    try {
      const review = await ask(asker, text, (document) => {
        const reading = readAccessReview(document)
        switch (reading.outcome) {
          case 'reviewed':
            return reading
          case 'undecided':
            throw new Error(`the API server could not decide: ${JSON.stringify(reading.what)}`)
          case 'malformed':
            throw new Error(`the API server answered nonsense: ${reading.what}`)
        }
      })
      if (remember > 0) this.#known.set(asker.subject, { review, until })
      return review
    } catch (cause) {
      return unavailable(cause)
    }
  }
}

const unavailable = (cause: unknown): Review => ({ outcome: 'unavailable', cause })
