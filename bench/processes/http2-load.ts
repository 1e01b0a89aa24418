// Load on Envoy over HTTP/2 without TLS: header blocks encoded beforehand, and answers of which the upstream's
// view is read.

import type { Expectation } from '../expectation.ts'
import { Http2Connection, type Answer } from '../load/connection.ts'
import { prepareRequest } from '../load/frames.ts'
import { generateLoad } from '../load/generate.ts'
import { decodeFields } from '../load/hpack.ts'

generateLoad(async (addresses, connections, exchanges) => {
  const opened = await Promise.all(
    addresses.flatMap((address) =>
      Array.from({ length: connections }, () => Http2Connection.open(address)),
    ),
  )
  const checks = new Map<string, FieldCheck>()
  const prepared = exchanges.map(({ bytes, expectation }) => {
    const key = JSON.stringify(expectation)
    const check = checks.get(key) ?? new FieldCheck(expectedFields(expectation))
    checks.set(key, check)
    return { request: prepareRequest(bytes), check }
  })
  return (index, done) => {
    const connection = opened[index % opened.length]
    const exchange = prepared[index % prepared.length]
    if (connection === undefined || exchange === undefined) throw new Error('nothing to send')
    connection.send(exchange.request, (answer) => done(exchange.check.failureOf(answer)))
  }
})

/** What Envoy must say that it would have sent to an upstream. */
const expectedFields = (expectation: Expectation): ReadonlyMap<string, string> => {
  if (expectation.outcome !== 'allow') throw new Error('only what is allowed is sent')
  const { user, keepsCredential } = expectation
  return new Map([
    [':status', '200'],
    ['x-saw-user', `user=${user ?? ''}`],
    // The first letter of `Bearer`.
    ['x-saw-credential', `credential=${keepsCredential === true ? 'B' : ''}`],
  ])
}

/** Checks fields of answers. A block with the bytes of fields that were right is right. */
class FieldCheck {
  readonly #expected: ReadonlyMap<string, string>
  #known: readonly Buffer[] = []

  constructor(expected: ReadonlyMap<string, string>) {
    this.#expected = expected
  }

  failureOf(answer: Answer | Error): Error | undefined {
    if (answer instanceof Error) return answer
    const { headers } = answer
    if (this.#known.length > 0 && this.#known.every((field) => headers.includes(field))) return
    const fields = decodeFields(headers)
    const seen = fields.filter(({ name }) => this.#expected.has(name))
    const isRight =
      seen.length === this.#expected.size &&
      seen.every(({ name, value }) => this.#expected.get(name) === value)
    if (!isRight) {
      const lines = fields.map(({ name, value }) => `${name}: ${value}`)
      return new Error(`wrong answer: ${lines.join(', ')}`)
    }
    this.#known = seen.map(({ start, end }) => Buffer.from(headers.subarray(start, end)))
    return undefined
  }
}
