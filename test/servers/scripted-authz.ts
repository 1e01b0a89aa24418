// An ext_authz service that answers as a test says and records its checks: for tests of Envoy's half alone.

import type { AllowAnswer, CheckAnswer } from '../../src/check/answer/answer.ts'
import { decodeCheckRequest, encodeCheckResponse } from '../../src/check/codec.ts'
import type { CheckAttributes } from '../../src/request/attributes.ts'
import { startGrpcServer, type ListenAddress } from '../../src/runtime/grpc/server.ts'
import type { UnaryCall } from '../../src/runtime/grpc/unary.ts'
import type { ServerTls } from '../../src/runtime/listen.ts'
import { memoryLogger } from '../fakes/logger.ts'
import { ReplaceableTls } from '../../src/runtime/server-tls.ts'

/** A running service. */
export interface ScriptedAuthz extends AsyncDisposable {
  /** What Envoy asked, oldest first. */
  readonly checks: CheckAttributes[]
  /** What is answered from now on. */
  answer: CheckAnswer | ((attributes: CheckAttributes) => CheckAnswer) | 'silence'
  /** Where it listens, with the port that the system chose when it was 0. */
  readonly address: ListenAddress
}

/** An answer that changes nothing. */
export const ALLOW: AllowAnswer = {
  allow: true,
  setHeaders: [],
  removeHeaders: [],
  responseHeaders: [],
  repeatedHeaders: [],
}

/** The values of a header line by line, bytes as latin1. */
export const linesOf = (lines: CheckAttributes['headers'], name: string): readonly string[] =>
  lines.filter((line) => line.name === name).map(({ value }) => value.toString('latin1'))

/** Starts the service. */
export const startScriptedAuthz = async (
  address: ListenAddress,
  tls?: ServerTls,
): Promise<ScriptedAuthz> => {
  const state: Pick<ScriptedAuthz, 'checks' | 'answer'> = { checks: [], answer: ALLOW }
  const handle = (request: Buffer, call: UnaryCall): void => {
    const attributes = decodeCheckRequest(request)
    state.checks.push(attributes)
    const { answer } = state
    if (answer === 'silence') return
    call.answer(encodeCheckResponse(typeof answer === 'function' ? answer(attributes) : answer))
  }
  const server = await startGrpcServer({
    address,
    mode: 0o600,
    tls: tls && new ReplaceableTls(tls),
    methods: [{ path: '/envoy.service.auth.v3.Authorization/Check', handle }],
    grace: 0,
    logger: memoryLogger().logger,
  })
  return Object.assign(state, {
    address: server.address,
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  })
}
