// CRLs as a source of revocation: those of files, which change with the configuration, those of
// configured URLs, and those that certificates point to.

import { describeError } from '../../runtime/errors.ts'
import type { Clock } from '../../runtime/clock.ts'
import { shared } from '../../runtime/shared.ts'
import type { CrlDocument } from './document.ts'
import { judgeByCrls, type CrlTimes } from './judgement.ts'
import type { Issued } from '../issued.ts'
import type { PublishedCrls } from './remote.ts'
import type { RevocationSource, SourceStatus } from '../revocation-source.ts'

/** Somewhere that CRLs come from; rejects with a message for operators. */
export interface CrlPlace {
  current(): Promise<PublishedCrls>
}

/** The CRLs to judge by. */
export interface CrlOptions extends CrlTimes {
  readonly files: readonly CrlDocument[]
  readonly remote: readonly CrlPlace[]
  /** What a certificate points to itself. */
  readonly placesOf?: ((issued: Issued) => readonly CrlPlace[]) | undefined
  readonly clock: Clock
}

/** CRLs of all these places together, so that a delta may be elsewhere than what it completes. */
export class CrlSource implements RevocationSource {
  readonly #options: CrlOptions

  constructor(options: CrlOptions) {
    this.#options = options
  }

  async status(issued: Issued, signal: AbortSignal): Promise<SourceStatus> {
    try {
      return await shared(() => this.#judge(issued), signal)
    } catch (cause) {
      return { outcome: 'unavailable', cause }
    }
  }

  async #judge(issued: Issued): Promise<SourceStatus> {
    const { files, remote, placesOf, clock } = this.#options
    const places = placesOf === undefined ? remote : [...remote, ...placesOf(issued)]
    const settled = await Promise.allSettled(places.map((place) => place.current()))
    const published = settled.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []))
    const documents = [...files, ...published.flatMap((one) => one.documents)]
    const status = await judgeByCrls(documents, issued, this.#options, clock.now())
    if (status.outcome === 'good') {
      // As of the next CRL it may be another story.
      return { ...status, until: Math.min(status.until, ...published.map(({ until }) => until)) }
    }
    const failed = settled.flatMap((one) => (one.status === 'rejected' ? [one.reason] : []))
    if (status.outcome !== 'unavailable' || failed.length === 0) return status
    const reasons = [status.cause, ...failed].map(describeError).join('; ')
    return { outcome: 'unavailable', cause: new Error(reasons) }
  }
}
