// Who judges tokens for authz, by introspection (RFC 7662) or as TokenReview: answers that were made
// beforehand, over HTTPS.

import { readFileSync } from 'node:fs'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { createServer } from 'node:https'
import { text } from 'node:stream/consumers'
import { z } from 'zod'
import { answerQuestions } from './answer.ts'

const questionSchema = z.object({
  certificate: z.string(),
  key: z.string(),
  /** By token. */
  answers: z.record(z.string(), z.object({ introspection: z.string(), review: z.string() })),
})

const reviewSchema = z.object({ spec: z.object({ token: z.string() }) })

type Answers = z.output<typeof questionSchema>['answers']

// RFC 7662 §2.2: all that is said of a token that is unknown.
const INACTIVE = '{"active":false}'

/** The answer to a request; `undefined` for a review of a token that is unknown. */
const answerTo = (path: string | undefined, body: string, answers: Answers): string | undefined =>
  path === '/introspect'
    ? (answers[new URLSearchParams(body).get('token') ?? '']?.introspection ?? INACTIVE)
    : answers[reviewSchema.parse(JSON.parse(body)).spec.token]?.review

const respond = async (
  request: IncomingMessage,
  response: ServerResponse,
  answers: Answers,
): Promise<void> => {
  const answer = answerTo(request.url, await text(request), answers)
  const status = answer === undefined ? 404 : 200
  response.writeHead(status, { 'content-type': 'application/json' }).end(answer)
}

answerQuestions(async (message): Promise<number> => {
  const { certificate, key, answers } = questionSchema.parse(message)
  const tls = { cert: readFileSync(certificate), key: readFileSync(key) }
  const server = createServer(tls, (request, response) => {
    respond(request, response, answers).catch(() => response.destroy())
  })
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  server.once('error', reject)
  server.listen(0, '127.0.0.1', resolve)
  await promise
  const address = server.address()
  if (typeof address !== 'object' || address === null) throw new Error('the server is not bound')
  return address.port
})
