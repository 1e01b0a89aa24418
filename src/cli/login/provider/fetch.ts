// How a provider is reached: by our own client, never in the clear but on this machine, and with an eye on
// its clock.

import { isConfidential } from '../../../config/values.ts'
import type { HttpFetch } from '../../../runtime/http/fetch.ts'
import { webFetch } from '../../../runtime/http/web-fetch.ts'

/** How far the clock of the provider is ahead, by its latest response, in milliseconds. */
export interface ObservedClock {
  ahead: number
}

const LIMIT_MS = 20_000

/** The requests of the library, by our client. */
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
