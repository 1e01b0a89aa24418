// How the Kubernetes API server itself reads request lines: its own code, of the module k8s.io/apiserver,
// behind a small Go program (the folder next to this file).

import { spawn } from 'node:child_process'
import { text } from 'node:stream/consumers'
import { z } from 'zod'
import { goProgram, skipWithoutGoProgram } from './go-program.ts'

const PROGRAM = goProgram('request-info')

/** For `skip` of node:test, as {@link skipWithoutGoProgram}. */
export const skipWithoutRequestInfo = (): string | false => skipWithoutGoProgram(PROGRAM)

/** A request line. */
export interface RequestLine {
  readonly method: string
  readonly target: string
}

const RequestInfo = z.strictObject({
  IsResourceRequest: z.boolean(),
  Path: z.string(),
  Verb: z.string(),
  APIPrefix: z.string(),
  APIGroup: z.string(),
  APIVersion: z.string(),
  Namespace: z.string(),
  Resource: z.string(),
  Subresource: z.string(),
  Name: z.string(),
  Parts: z.array(z.string()).nullable(),
  FieldSelector: z.string(),
  LabelSelector: z.string(),
})

const Answer = z.union([z.strictObject({ Error: z.string() }), RequestInfo])

/** `RequestInfo` of k8s.io/apiserver, or why a request has none: then the server answers an error. */
export type RequestInfoAnswer = z.infer<typeof Answer>

/** The answers to the lines, in their order. */
export const requestInfoOf = async (
  lines: readonly RequestLine[],
): Promise<readonly RequestInfoAnswer[]> => {
  const program = spawn(PROGRAM, { stdio: ['pipe', 'pipe', 'pipe'] })
  const complaints = text(program.stderr)
  program.stdin.end(lines.map((line) => JSON.stringify(line)).join('\n'))
  const answers = (await text(program.stdout)).split('\n').slice(0, -1)
  if (answers.length !== lines.length) {
    throw new Error(`${answers.length} answers: ${(await complaints).slice(-1000)}`)
  }
  return answers.map((answer) => Answer.parse(JSON.parse(answer)))
}
