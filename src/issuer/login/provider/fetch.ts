// How a provider of others is reached: never in the clear but on this machine, and in less time than Envoy
// waits for us.

import { isLoopback } from '../../../config/values.ts'
import { httpFetcher } from '../../../runtime/http-fetch.ts'
import { webFetch } from '../../../runtime/web-fetch.ts'

/** For each answer, in seconds: what is done for a login fits into what Envoy waits. */
export const ANSWER_LIMIT_S = 4

/** Whether what is sent there stays between us and it. */
export const isConfidential = ({ protocol, hostname }: URL): boolean =>
  protocol === 'https:' ||
  (protocol === 'http:' && isLoopback({ kind: 'tcp', host: hostname, port: 0 }))

/** The requests of the library, by our client. */
export const providerFetch = (ca: Buffer | undefined): ReturnType<typeof webFetch> => {
  const { fetch } = httpFetcher({ ca }) // it keeps no connections, so there is nothing to end
  return webFetch({ fetch, isConfidential, limit: ANSWER_LIMIT_S * 1_000 })
}
