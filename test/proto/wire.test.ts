// The generated types against a real server: what one side sends, the other receives, field by
// field, and the fixtures are typed by what the generator wrote.

import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'

import {
  Client,
  credentials,
  Server,
  ServerCredentials,
  type handleServerStreamingCall,
  type handleUnaryCall,
} from '@grpc/grpc-js'

import type { CheckRequest__Output } from '../../src/proto/generated/envoy/service/auth/v3/CheckRequest.ts'
import type { CheckResponse__Output } from '../../src/proto/generated/envoy/service/auth/v3/CheckResponse.ts'
import type { HeaderValueOption__Output } from '../../src/proto/generated/envoy/config/core/v3/HeaderValueOption.ts'
import type { HealthCheckRequest__Output } from '../../src/proto/generated/grpc/health/v1/HealthCheckRequest.ts'
import type { HealthCheckResponse__Output } from '../../src/proto/generated/grpc/health/v1/HealthCheckResponse.ts'
import { authorizationService, healthService } from '../../src/proto/load.ts'
import { mergedCheckRequest, rawCheckRequest } from '../fixtures/check-request.ts'

const option = (
  key: string,
  append_action: HeaderValueOption__Output['append_action'],
): HeaderValueOption__Output => ({
  header: { key, value: 'text', raw_value: Buffer.from([0xff, 0x00]) },
  append: { value: true },
  append_action,
  keep_empty_value: true,
})

const allow: CheckResponse__Output = {
  status: { code: 0, message: 'fine' },
  http_response: 'ok_response',
  ok_response: {
    headers: [option('a', 'APPEND_IF_EXISTS_OR_ADD'), option('b', 'ADD_IF_ABSENT')],
    headers_to_remove: ['cookie', 'x-remote-user'],
    response_headers_to_add: [
      option('c', 'OVERWRITE_IF_EXISTS_OR_ADD'),
      option('d', 'OVERWRITE_IF_EXISTS'),
    ],
  },
  dynamic_metadata: {
    // proto-loader's own names: its bundled Struct was loaded without keepCase
    fields: { handle: { kind: 'stringValue', stringValue: 'opaque' } },
  },
}

const deny: CheckResponse__Output = {
  status: { code: 16, message: 'who are you?' },
  http_response: 'denied_response',
  denied_response: {
    status: { code: 'Unauthorized' },
    headers: [option('www-authenticate', 'OVERWRITE_IF_EXISTS_OR_ADD')],
    body: 'unauthorized\n',
  },
  dynamic_metadata: null,
}

const healthCheck: handleUnaryCall<HealthCheckRequest__Output, HealthCheckResponse__Output> = (
  call,
  reply,
) => {
  reply(null, { status: call.request.service === 'known' ? 'SERVING' : 'UNKNOWN' })
}
const healthWatch: handleServerStreamingCall<
  HealthCheckRequest__Output,
  HealthCheckResponse__Output
> = (call) => {
  for (const status of ['SERVICE_UNKNOWN', 'SERVING', 'NOT_SERVING'] as const) {
    call.write({ status })
  }
  call.end()
}

interface Unary<In, Out> {
  readonly path: string
  readonly requestSerialize: (value: In) => Buffer
  readonly responseDeserialize: (bytes: Buffer) => Out
}

describe('the loaded services over a loopback connection', () => {
  const server = new Server()
  const seen: CheckRequest__Output[] = []
  let client: Client

  const check: handleUnaryCall<CheckRequest__Output, CheckResponse__Output> = (call, reply) => {
    seen.push(call.request)
    reply(null, call.request.attributes?.request?.http?.header_map ? allow : deny)
  }
  before(async () => {
    server.addService(authorizationService, { Check: check })
    server.addService(healthService, { Check: healthCheck, Watch: healthWatch })
    const { promise, resolve, reject } = Promise.withResolvers<number>()
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, port) => {
      if (error === null) resolve(port)
      else reject(error)
    })
    client = new Client(`127.0.0.1:${await promise}`, credentials.createInsecure())
  })

  after(() => {
    client.close()
    server.forceShutdown()
  })

  const call = <In, Out>(method: Unary<In, Out>, request: In): Promise<Out> => {
    const { promise, resolve, reject } = Promise.withResolvers<Out>()
    const { path, requestSerialize, responseDeserialize } = method
    client.makeUnaryRequest(path, requestSerialize, responseDeserialize, request, (error, out) => {
      if (error === null && out !== undefined) resolve(out)
      else reject(error ?? new Error('no response'))
    })
    return promise
  }

  it('carries every field of a check with header lines, and of an allow', async () => {
    assert.deepEqual(await call(authorizationService.Check, rawCheckRequest), allow)
    assert.deepEqual(seen.pop(), rawCheckRequest)
  })

  it('carries every field of a check with merged headers, and of a deny', async () => {
    assert.deepEqual(await call(authorizationService.Check, mergedCheckRequest), deny)
    assert.deepEqual(seen.pop(), mergedCheckRequest)
  })

  it('carries health checks', async () => {
    assert.deepEqual(await call(healthService.Check, { service: 'known' }), { status: 'SERVING' })
    assert.deepEqual(await call(healthService.Check, { service: '' }), { status: 'UNKNOWN' })
  })

  it('carries a health watch', async () => {
    const { path, requestSerialize, responseDeserialize } = healthService.Watch
    const request = { service: 'known' }
    const stream = client.makeServerStreamRequest(
      path,
      requestSerialize,
      responseDeserialize,
      request,
    )
    assert.deepEqual(await stream.toArray(), [
      { status: 'SERVICE_UNKNOWN' },
      { status: 'SERVING' },
      { status: 'NOT_SERVING' },
    ])
  })
})
