// HTTP requests of `countersign doctor`, whose answers also show the clock of their server.

import { httpFetcher, type HttpFetch, type HttpFetchOptions } from '../../runtime/http/fetch.ts'
import type { Bench } from './examination.ts'

/** Sends each request over a connection of its own, and takes down the `Date` of the answer (RFC 9110 §6.6.1). */
export const timedFetch =
  ({ clock, noteTime }: Bench, connections: HttpFetchOptions): HttpFetch =>
  async (url, request, signal) => {
    using fetcher = httpFetcher(connections)
    const began = clock.now()
    const response = await fetcher.fetch(url, request, signal)
    const { date } = response.headers
    if (date !== undefined) noteTime(url.origin, Date.parse(date), began)
    return response
  }
