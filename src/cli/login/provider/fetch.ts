// The HTTP client for providers: never without TLS except on this machine. It measures by how much
// the provider's clock is ahead.

import { isConfidential } from '../../../config/values.ts'
import type { HttpFetch } from '../../../runtime/http/fetch.ts'
import { webFetch } from '../../../runtime/http/web-fetch.ts'

/** How far the clock of the provider is ahead, by its latest response, in milliseconds. */
export interface ObservedClock {
  ahead: number
}

const LIMIT_MS = 20_000

/** `fetch` for the library, by the HTTP client of `runtime/http`. */
export const providerFetch = (
  fetch: HttpFetch,
  clock: ObservedClock,
): ReturnType<typeof webFetch> =>
  webFetch({
    fetch,
    isConfidential,
    limit: LIMIT_MS,
    onAnswer({ headers }) {
      clock.ahead = aheadBy(headers.date) ?? clock.ahead
    },
  })

/** RFC 9110 §6.6.1; to the second. */
const aheadBy = (date: string | undefined): number | undefined => {
  const at = Date.parse(date ?? '')
  return Number.isNaN(at) ? undefined : at - Date.now()
}
