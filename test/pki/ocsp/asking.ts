// An OCSP responder that says what a test wants, and who asks it.

import type { Issued } from '../../../src/pki/issued.ts'
import { OcspSource, type OcspOptions } from '../../../src/pki/ocsp/ocsp.ts'
import { FakeClock } from '../../fakes/clock.ts'
import { memoryLogger } from '../../fakes/logger.ts'
import {
  startScriptedHttp,
  type Script,
  type ScriptedRequest,
} from '../../servers/scripted-http.ts'
import {
  answer,
  Authority,
  HOUR,
  MINUTE,
  NOW,
  single,
  type AnswerOptions,
  type SingleOptions,
} from '../revoking.ts'
import { statusOf } from '../../authenticate/certificate/source-conformance.ts'

const SECOND = 1_000

/** Options that a test changes as it likes. */
export const OPTIONS: OcspOptions = {
  urls: [],
  aia: undefined,
  ca: undefined,
  responders: [],
  hash: 'sha1',
  nonce: 'optional',
  skew: MINUTE,
  maxAge: 5 * MINUTE,
  cacheTtl: HOUR,
  timeout: 2 * SECOND,
  coolDown: 5 * SECOND,
}

export const ca = new Authority()
export const alice = ca.issued()

/** The nonce that ends a question: `04 20` and 32 bytes. */
export const nonceIn = ({ body }: ScriptedRequest): Buffer => body.subarray(-32)

/** What says one thing of alice, and signs it itself. */
export const says =
  (options: SingleOptions = {}, more: Partial<AnswerOptions> = {}): Script =>
  () => ({ body: answer([single(alice, options)], { signer: ca, ...more }) })

/** A responder, and a source that asks it. */
export const setUp = async (script: Script, options: Partial<OcspOptions> = {}) => {
  const server = await startScriptedHttp(script)
  const clock = new FakeClock(NOW)
  const { logger, lines } = memoryLogger()
  const source = new OcspSource(
    { ...OPTIONS, urls: [`${server.origin}/ocsp`], ...options },
    { clock, logger },
  )
  const ask = async (issued: Issued = alice): Promise<string> =>
    (await statusOf(source, issued)).outcome
  return {
    server,
    clock,
    source,
    lines,
    ask,
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  }
}
