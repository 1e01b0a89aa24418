// An ext_authz service that answers as it is told and keeps what it was asked: for tests of Envoy's
// half alone.

import { Server, ServerCredentials, type ServiceDefinition } from '@grpc/grpc-js'
import type { AllowAnswer, CheckAnswer } from '../../src/check/answer.ts'
import { decodeCheckRequest, encodeCheckResponse } from '../../src/check/codec.ts'
import type { CheckAttributes, RawHeader } from '../../src/request/attributes.ts'

/** A running service. */
export interface ScriptedAuthz extends AsyncDisposable {
  /** What Envoy asked, oldest first. */
  readonly checks: CheckAttributes[]
  /** What is answered from now on. */
  answer: CheckAnswer | ((attributes: CheckAttributes) => CheckAnswer)
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
export const linesOf = (lines: readonly RawHeader[], name: string): readonly string[] =>
  lines.filter((line) => line.name === name).map(({ value }) => value.toString('latin1'))

/** Starts the service on a UNIX socket. */
export const startScriptedAuthz = async (socket: string): Promise<ScriptedAuthz> => {
  const server = new Server()
  const checks: CheckAttributes[] = []
  const authz: ScriptedAuthz = {
    checks,
    answer: ALLOW,
    // Envoy keeps its connection, so there is no waiting for it.
    async [Symbol.asyncDispose]() {
      server.forceShutdown()
      await Promise.resolve()
    },
  }
  server.addService(AUTHORIZATION, {
    Check: (
      { request }: { readonly request: Buffer },
      reply: (error: null, response: Buffer) => void,
    ) => {
      const attributes = decodeCheckRequest(request)
      checks.push(attributes)
      const { answer } = authz
      reply(null, encodeCheckResponse(typeof answer === 'function' ? answer(attributes) : answer))
    },
  })
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  server.bindAsync(`unix:${socket}`, ServerCredentials.createInsecure(), (error) => {
    if (error === null) resolve()
    else reject(error)
  })
  await promise
  return authz
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
