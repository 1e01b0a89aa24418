// One batch by POST, over HTTP or HTTPS. What the status means to the forwarder is decided here, for all sinks over HTTP.

import type { Clock } from '../../runtime/clock.ts'
import { httpFetcher, type HttpFetcher, type HttpResponse } from '../../runtime/http/fetch.ts'
import { NotTaken } from './delivery.ts'
import { FollowedMaterial, type Material, type MaterialFiles } from './material.ts'

// Answers are short, and only their status is needed.
const MAX_BYTES = 65_536
// Longer is not accepted: records would wait too long for a server that is back.
const LONGEST_WAIT_MS = 600_000

/** A body, and what it is. */
export interface PostBody {
  readonly type: string
  readonly bytes: Buffer
}

/** Sends bodies to one URL, by the TLS files and headers that are there now. */
export class HttpPost implements Disposable {
  readonly #url: URL
  readonly #serverName: string | undefined
  readonly #material: FollowedMaterial
  readonly #clock: Clock
  #fetcher: HttpFetcher | undefined
  #generation = ''

  constructor(url: string, files: MaterialFiles, clock: Clock) {
    this.#url = new URL(url)
    this.#serverName = files.tls?.serverName
    this.#material = new FollowedMaterial(files, clock)
    this.#clock = clock
  }

  /** Resolves with an answer 2xx; rejects as {@link Delivery.send}. */
  async send({ type, bytes }: PostBody, signal: AbortSignal): Promise<HttpResponse> {
    const material = await this.#material.current()
    const answer = await this.#fetcherFor(material).fetch(
      this.#url,
      {
        method: 'POST',
        headers: { ...material.headers, 'content-type': type },
        body: bytes,
        maxBytes: MAX_BYTES,
        repeatable: true,
      },
      signal,
    )
    if (answer.status >= 200 && answer.status < 300) return answer
    throw new NotTaken(`${this.#url.href} answered ${answer.status}`, {
      isAboutContent: CONTENT.has(answer.status),
      retryAfter: waitOf(answer.headers['retry-after'], this.#clock.now()),
    })
  }

  [Symbol.dispose](): void {
    this.#fetcher?.[Symbol.dispose]()
  }

  #fetcherFor({ ca, client, generation }: Material): HttpFetcher {
    if (this.#fetcher !== undefined && generation === this.#generation) return this.#fetcher
    this.#fetcher?.[Symbol.dispose]()
    this.#generation = generation
    return (this.#fetcher = httpFetcher({ ca, client, serverName: this.#serverName, kept: 1 }))
  }
}

// RFC 9110 §15.5.1, §15.5.14, §15.5.21
const CONTENT: ReadonlySet<number> = new Set([400, 413, 422])

/** `Retry-After` in milliseconds: seconds, or a date (RFC 9110 §10.2.3). */
const waitOf = (header: string | undefined, now: number): number | undefined => {
  if (header === undefined) return undefined
  const wait = /^\d{1,9}$/.test(header) ? Number(header) * 1_000 : Date.parse(header) - now
  return Number.isNaN(wait) ? undefined : Math.min(LONGEST_WAIT_MS, Math.max(0, wait))
}
