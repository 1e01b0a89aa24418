// An ext_authz service that answers as a test says and records its checks: for tests of Envoy's half alone.

import type { ServiceDefinition } from '@grpc/grpc-js'
import type { AllowAnswer, CheckAnswer } from '../../src/check/answer/answer.ts'
import { decodeCheckRequest, encodeCheckResponse } from '../../src/check/codec.ts'
import type { CheckAttributes } from '../../src/request/attributes.ts'
import { startGrpcServer, type ListenAddress } from '../../src/runtime/grpc/server.ts'
import type { ServerTls } from '../../src/runtime/listen.ts'
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
  const check = (
    { request }: { readonly request: Buffer },
    reply: (error: null, response: Buffer) => void,
  ): void => {
    const attributes = decodeCheckRequest(request)
    state.checks.push(attributes)
    const { answer } = state
    if (answer === 'silence') return
    reply(null, encodeCheckResponse(typeof answer === 'function' ? answer(attributes) : answer))
  }
  const server = await startGrpcServer({
    address,
    mode: 0o600,
    tls: tls && new ReplaceableTls(tls),
    services: [{ definition: AUTHORIZATION, implementation: { Check: check } }],
    grace: 0,
  })
  return Object.assign(state, {
    address: server.address,
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  })
}

const asIs = (bytes: Buffer): Buffer => bytes

const AUTHORIZATION: ServiceDefinition = {
  Check: {
    path: '/envoy.service.auth.v3.Authorization/Check',
    requestStream: false,
    responseStream: false,
    requestSerialize: asIs,
    requestDeserialize: asIs,
    responseSerialize: asIs,
    responseDeserialize: asIs,
  },
}
