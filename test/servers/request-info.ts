// What the Kubernetes API server itself makes of request lines: its own code, of the module
// k8s.io/apiserver, behind a small Go program (the folder beside this file).

import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { text } from 'node:stream/consumers'
import { z } from 'zod'

const ROOT = resolve(import.meta.dirname, '../..')
const SOURCE = join(import.meta.dirname, 'request-info')
const CACHE = process.env['COUNTERSIGN_CACHE'] ?? join(ROOT, '.cache')

// A folder for each state of the source, so that an old program is never asked.
const digest = createHash('sha256')
for (const file of ['go.mod', 'go.sum', 'main.go']) digest.update(readFileSync(join(SOURCE, file)))
const PROGRAM = join(CACHE, 'request-info', digest.digest('hex').slice(0, 16), 'request-info')

const MISSING = `no ${PROGRAM}: "sh scripts/request-info.sh" builds it`

/**
 * For `skip` of node:test: the reason to skip tests that need the program, or `false` where there is
 * one. Throws where `CI` is `true`: there it is a fault that it is missing.
 */
export const skipWithoutRequestInfo = (): string | false => {
  if (existsSync(PROGRAM)) return false
  if (process.env['CI'] === 'true') throw new Error(MISSING)
  return MISSING
}

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
