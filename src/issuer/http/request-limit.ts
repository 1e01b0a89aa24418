// How many requests the authorization server works on at once. Logins wait for directories and for users, so
// there are many of them; the documents that upstreams read are none of these, and are never refused.

import type { Application } from '../../runtime/http/server.ts'

/** Requests that are under way at once, over all connections. Envoy has as many connections for them. */
export const MOST_REQUESTS = 1_024

// RFC 9110 §10.2.3. A place becomes free as soon as one of the logins ends.
const RETRY_AFTER_SECONDS = '5'

const BUSY = '503 Service Unavailable\n\nToo many logins are under way. Wait, then try again.\n'

/** Counts what is under way; one for each listener, whatever the configuration in force is. */
export class RequestLimit {
  readonly #most: number
  #taken = 0

  /** @param most requests at once */
  constructor(most = MOST_REQUESTS) {
    this.#most = most
  }

  /**
   * The same application, which answers 503 while there is no place.
   *
   * @param isFree whether a path needs no place
   */
  bounding(application: Application, isFree: (path: string) => boolean): Application {
    return async (path, request, response) => {
      if (isFree(path)) return await application(path, request, response)
      if (this.#taken >= this.#most) {
        // Of a body that is still to come, nothing is read.
        response.writeHead(503, {
          'content-type': 'text/plain; charset=utf-8',
          'retry-after': RETRY_AFTER_SECONDS,
          'cache-control': 'no-store',
          connection: 'close',
        })
        response.end(BUSY)
        return
      }
      this.#taken += 1
      try {
        await application(path, request, response)
      } finally {
        this.#taken -= 1
      }
    }
  }
}
