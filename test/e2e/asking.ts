// How the scenarios of tokens ask a site, and what they read out of the answer and of the audit log.

import assert from 'node:assert/strict'
import { http1, valuesOf, type Answer, type HeaderLine } from '../servers/client.ts'
import { HOST, type Site } from './site.ts'

/** The line that shows a bearer token. */
export const bearer = (token: string): HeaderLine => ['Authorization', `Bearer ${token}`]

/** Sends a GET of `/` over HTTP/1.1. */
export const send = (site: Site, ...headers: readonly HeaderLine[]): Promise<Answer> =>
  http1(site.target, { host: HOST, headers })

/** The status of an answer and the reason of its decision, such as `401 token-expired`. */
export const verdictOf = async (site: Site, answer: Answer): Promise<string> => {
  const [id] = valuesOf(answer, 'x-countersign-decision')
  const event = (await site.events()).findLast((candidate) => candidate.id === id)
  return `${answer.status} ${event?.reason ?? 'by Envoy'}`
}

/** The same, of a request with these headers. */
export const verdictOn = async (site: Site, ...headers: readonly HeaderLine[]): Promise<string> =>
  await verdictOf(site, await send(site, ...headers))

/** The only value of a header. */
export const singleOf = (answer: Answer, name: string): string => {
  const values = valuesOf(answer, name)
  assert.equal(values.length, 1, name)
  return values[0] ?? ''
}
