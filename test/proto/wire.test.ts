// The generated types against a real server: what one side sends, the other receives, field by
// field, and the fixtures are typed by what the generator wrote.

import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'

import {
  Client,
  credentials,
  Server,
  ServerCredentials,
  type handleBidiStreamingCall,
  type handleServerStreamingCall,
  type handleUnaryCall,
} from '@grpc/grpc-js'

import type { CheckRequest__Output } from '../../src/proto/generated/envoy/service/auth/v3/CheckRequest.ts'
import type { CheckResponse__Output } from '../../src/proto/generated/envoy/service/auth/v3/CheckResponse.ts'
import type { HeaderValueOption__Output } from '../../src/proto/generated/envoy/config/core/v3/HeaderValueOption.ts'
import type { Secret__Output } from '../../src/proto/generated/envoy/extensions/transport_sockets/tls/v3/Secret.ts'
import type { DeltaDiscoveryRequest__Output } from '../../src/proto/generated/envoy/service/discovery/v3/DeltaDiscoveryRequest.ts'
import type { DeltaDiscoveryResponse__Output } from '../../src/proto/generated/envoy/service/discovery/v3/DeltaDiscoveryResponse.ts'
import type { HealthCheckRequest__Output } from '../../src/proto/generated/grpc/health/v1/HealthCheckRequest.ts'
import type { HealthCheckResponse__Output } from '../../src/proto/generated/grpc/health/v1/HealthCheckResponse.ts'
import {
  authorizationService,
  healthService,
  secretDiscoveryService,
  secretMessage,
} from '../../src/proto/load.ts'
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

const secretType = 'type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.Secret'

const secret: Secret__Output = {
  name: 'handle',
  type: 'tls_certificate',
  tls_certificate: {
    certificate_chain: { specifier: 'inline_bytes', inline_bytes: Buffer.from([0xff, 0x00]) },
    private_key: { specifier: 'inline_bytes', inline_bytes: Buffer.from([0x01]) },
  },
}

const secretsWanted: DeltaDiscoveryRequest__Output = {
  node: { id: 'envoy-1', cluster: 'edge' },
  type_url: secretType,
  resource_names_subscribe: ['handle', 'other'],
  resource_names_unsubscribe: ['last'],
  initial_resource_versions: { handle: 'v1', other: 'v2' },
  response_nonce: '7',
  error_detail: { code: 13, message: 'cannot be used' },
}

const secretsGiven: DeltaDiscoveryResponse__Output = {
  system_version_info: 'v3',
  resources: [
    {
      name: 'handle',
      version: 'v3',
      resource: { type_url: secretType, value: secretMessage.serialize(secret) },
      ttl: { seconds: '315576000000', nanos: 999_999_999 },
    },
  ],
  type_url: secretType,
  nonce: '8',
  removed_resources: ['other'],
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
  const secretsSeen: DeltaDiscoveryRequest__Output[] = []
  let client: Client

  const check: handleUnaryCall<CheckRequest__Output, CheckResponse__Output> = (call, reply) => {
    seen.push(call.request)
    reply(null, call.request.attributes?.request?.http?.header_map ? allow : deny)
  }
  const deltaSecrets: handleBidiStreamingCall<
    DeltaDiscoveryRequest__Output,
    DeltaDiscoveryResponse__Output
  > = (stream) => {
    stream.on('data', (request: DeltaDiscoveryRequest__Output) => {
      secretsSeen.push(request)
      stream.write(secretsGiven)
    })
    stream.on('end', () => stream.end())
  }
  before(async () => {
    server.addService(authorizationService, { Check: check })
    server.addService(secretDiscoveryService, { DeltaSecrets: deltaSecrets })
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

  it('carries every field of a request for secrets and of its answer, with the secret', async () => {
    const { path, requestSerialize, responseDeserialize } = secretDiscoveryService.DeltaSecrets
    const stream = client.makeBidiStreamRequest(path, requestSerialize, responseDeserialize)
    stream.write(secretsWanted)
    stream.end()
    assert.deepEqual(await stream.toArray(), [secretsGiven])
    assert.deepEqual(secretsSeen, [secretsWanted])
    const packed = Buffer.from(secretsGiven.resources[0]?.resource?.value ?? [])
    assert.deepEqual(secretMessage.deserialize(packed), secret)
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
