// Load as Envoy makes it: HTTP/2 connections that carry every check, the calls encoded beforehand.

import { Http2Connection, type Answer } from '../load/connection.ts'
import { prepareRequest } from '../load/frames.ts'
import { generateLoad } from '../load/generate.ts'
import { decodeFields, encodeFields } from '../load/hpack.ts'
import { CHECK_METHOD } from '../method.ts'
import type { Expectation } from '../expectation.ts'
import { AnswerCheck, AnswerFamily } from './check-answer.ts'

// What Envoy 1.40.0 sends with a check, as captured.
const HEADERS = encodeFields([
  [':method', 'POST'],
  [':path', CHECK_METHOD],
  [':authority', 'countersign:authz'],
  [':scheme', 'http'],
  ['te', 'trailers'],
  ['grpc-timeout', '5000m'],
  ['content-type', 'application/grpc'],
  ['x-envoy-internal', 'true'],
  ['x-forwarded-for', '192.0.2.10'],
  ['x-envoy-expected-rq-timeout-ms', '5000'],
])

const LENGTH_PREFIX = 5

generateLoad(async (addresses, connections, exchanges) => {
  const open = addresses.flatMap((address) =>
    Array.from({ length: connections }, () => Http2Connection.open(address)),
  )
  const opened = await Promise.all(open)
  const checks = new Map<string, AnswerCheck>()
  const families = new Map<string, AnswerFamily>()
  const prepared = exchanges.map(({ bytes, expectation }) => {
    const key = JSON.stringify(expectation)
    const check = checks.get(key) ?? new AnswerCheck(expectation, familyOf(expectation, families))
    checks.set(key, check)
    return { request: prepareRequest(HEADERS, bytes), check }
  })
  const status = new StatusCheck()
  return (index, done) => {
    const connection = opened[index % opened.length]
    const exchange = prepared[index % prepared.length]
    if (connection === undefined || exchange === undefined) throw new Error('nothing to send')
    connection.send(exchange.request, (answer) => {
      done(failureOf(answer, exchange.check, status))
    })
  }
})

/** Those of all users, where the answer has nothing of a user but the name. */
const familyOf = (expectation: Expectation, families: Map<string, AnswerFamily>): AnswerFamily => {
  if (expectation.outcome !== 'allow') return new AnswerFamily()
  const key = JSON.stringify({ ...expectation, user: expectation.user?.length })
  const family = families.get(key) ?? new AnswerFamily()
  families.set(key, family)
  return family
}

const failureOf = (
  answer: Answer | Error,
  check: AnswerCheck,
  status: StatusCheck,
): Error | undefined => {
  if (answer instanceof Error) return answer
  try {
    status.check(answer)
    check.check(messageOf(answer.body))
    return undefined
  } catch (cause) {
    return cause instanceof Error ? cause : new Error(String(cause))
  }
}

/** The message of a body that is one uncompressed message. */
const messageOf = (body: Buffer): Buffer => {
  const isOne =
    body.length >= LENGTH_PREFIX &&
    body[0] === 0 &&
    body.readUInt32BE(1) === body.length - LENGTH_PREFIX
  if (!isOne) throw new Error('wrong answer: not one uncompressed gRPC message')
  return body.subarray(LENGTH_PREFIX)
}

/** Checks `:status` and `grpc-status`. Blocks like the last right ones are right. */
class StatusCheck {
  #headers: Buffer = Buffer.alloc(0)
  #trailers: Buffer = Buffer.alloc(0)

  check({ headers, trailers = headers }: Answer): void {
    if (headers.equals(this.#headers) && trailers.equals(this.#trailers)) return
    const fields = [headers, trailers].flatMap((block) => decodeFields(block))
    const valueOf = (name: string): string | undefined =>
      fields.find((field) => field.name === name)?.value
    if (valueOf(':status') !== '200' || valueOf('grpc-status') !== '0') {
      const seen = fields.map(({ name, value }) => `${name}: ${value}`)
      throw new Error(`wrong answer: ${seen.join(', ')}`)
    }
    this.#headers = Buffer.from(headers)
    this.#trailers = Buffer.from(trailers)
  }
}
