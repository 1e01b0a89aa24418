// Reads the pages of an admin listener, as a scraper and the kubelet do.

import assert from 'node:assert/strict'
import { request, type IncomingHttpHeaders } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import type { ListenAddress } from '../../src/runtime/listen.ts'
import { assertDescribed } from './described-metrics.ts'
import { readPrometheus, type Series } from './exposition.ts'

/** An answer, read whole. */
export interface Reply {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly body: string
}

/** Asks for a page. */
export const read = async (
  address: ListenAddress | undefined,
  path: string,
  options: { readonly method?: string; readonly headers?: Readonly<Record<string, string>> } = {},
): Promise<Reply> => {
  assert.ok(address !== undefined)
  const target =
    address.kind === 'unix'
      ? { socketPath: address.path }
      : { host: address.host, port: address.port }
  const { promise, resolve, reject } = Promise.withResolvers<Reply>()
  request({ ...target, path, ...options, agent: false }, (response) => {
    const chunks: Buffer[] = []
    response
      .on('data', (chunk: Buffer) => chunks.push(chunk))
      .on('end', () =>
        resolve({
          status: response.statusCode ?? 0,
          headers: response.headers,
          body: Buffer.concat(chunks).toString(),
        }),
      )
      .on('error', reject)
  })
    .on('error', reject)
    .end()
  return await promise
}

/** The metrics now; a page may be a moment old. */
export const scrape = async (address: ListenAddress | undefined): Promise<Series> => {
  await sleep(SAME_PAGE_MS)
  const { status, headers, body } = await read(address, '/metrics')
  assert.equal(status, 200)
  assert.equal(headers['content-type'], 'text/plain; version=0.0.4; charset=utf-8')
  assertDescribed(body)
  return readPrometheus(body)
}

const SAME_PAGE_MS = 110

/** The series of one metric, by their labels. */
export const seriesOf = (series: Series, name: string): Readonly<Record<string, number>> =>
  Object.fromEntries(
    [...series]
      .filter(([key]) => key === name || key.startsWith(`${name}{`))
      .map(([key, value]) => [key.slice(name.length).replaceAll(/[{}"]/g, ''), value]),
  )
