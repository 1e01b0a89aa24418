// The codec of CheckRequest against proto-loader's, an independent one. Input that no honest Envoy sends is in
// codec-hostile.test.ts.

import assert from 'node:assert/strict'
import { dirname, join } from 'node:path'
import { describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'

import { loadSync } from '@grpc/proto-loader'

import { decodeCheckRequest } from '../../src/check/codec.ts'
import type * as proto from '../../src/proto/generated/envoy/service/auth/v3/CheckRequest.ts'
import { loadOptions } from '../../scripts/proto-descriptor.ts'
import { authorizationService } from '../../src/proto/load.ts'
import type { CheckAttributes } from '../../src/request/attributes.ts'
import { mergedCheckRequest, rawCheckRequest } from '../fixtures/check-request.ts'

const encode = (request: proto.CheckRequest): Buffer =>
  authorizationService.Check.requestSerialize(request)

type Decoded = Omit<CheckAttributes, 'headers'> & {
  readonly headers: readonly { readonly name: string; readonly value: Buffer }[]
}

const line = (name: string, value: string | Buffer) => ({ name, value: Buffer.from(value) })

/** proto-loader's reading of a request, in the codec's terms. */
const attributesOf = ({ attributes }: proto.CheckRequest__Output): Decoded => {
  const http = attributes?.request?.http
  const socket = attributes?.source?.address?.socket_address
  const lines = http?.header_map?.headers ?? []
  return {
    sourceAddress: socket?.address ?? '',
    sourcePort: socket?.port_value ?? 0,
    peerCertificate: attributes?.source?.certificate ?? '',
    method: http?.method ?? '',
    path: http?.path ?? '',
    host: http?.host ?? '',
    headers: [
      ...Object.entries(http?.headers ?? {}).map(([name, value]) => line(name, value)),
      ...lines.map(({ key, value, raw_value: raw }) => line(key, raw.length > 0 ? raw : value)),
    ],
    contextExtensions: new Map(Object.entries(attributes?.context_extensions ?? {})),
    serverName: attributes?.tls_session?.sni ?? '',
  }
}

const decode = (bytes: Uint8Array): Decoded => {
  const { headers, ...attributes } = decodeCheckRequest(bytes)
  return { ...attributes, headers: headers.map(({ name, value }) => ({ name, value })) }
}

describe('decodeCheckRequest', () => {
  it('decodes header lines as proto-loader does', () => {
    assert.deepEqual(decode(encode(rawCheckRequest)), attributesOf(rawCheckRequest))
  })

  it('decodes merged headers as proto-loader does', () => {
    assert.deepEqual(decode(encode(mergedCheckRequest)), attributesOf(mergedCheckRequest))
  })

  it('is tested with a value in every field that is not the default', () => {
    const empty: Readonly<Record<string, unknown>> = { ...decode(Buffer.alloc(0)) }
    for (const [name, value] of Object.entries(decode(encode(rawCheckRequest)))) {
      assert.notDeepEqual(value, empty[name], name)
    }
  })

  it('keeps header lines of the same name separate and in order', () => {
    const { headers } = decodeCheckRequest(encode(rawCheckRequest))
    const cookies = headers.filter(({ name }) => name === 'cookie')
    assert.deepEqual(
      cookies.map(({ value }) => value.toString()),
      ['a=1', 'b=2'],
    )
  })

  it('keeps header bytes that are not UTF-8', () => {
    const { headers } = decodeCheckRequest(encode(rawCheckRequest))
    const group = headers.find(({ name }) => name === 'x-remote-group')
    assert.deepEqual(group?.value, Buffer.from('636166e9', 'hex'))
  })

  it('decodes an empty message to empty attributes', () => {
    assert.deepEqual(decode(Buffer.alloc(0)), attributesOf({ attributes: null }))
  })

  it('accepts a Uint8Array at any offset', () => {
    const bytes = encode(rawCheckRequest)
    const padded = new Uint8Array(bytes.length + 9)
    padded.set(bytes, 7)
    const view = padded.subarray(7, 7 + bytes.length)
    assert.deepEqual(decode(view), attributesOf(rawCheckRequest))
  })

  it('merges a message that occurs twice', () => {
    // protobuf.dev, "Encoding": occurrences of one embedded message are merged
    const first = encode({ attributes: { request: { http: { method: 'GET', path: '/a' } } } })
    const second = encode({ attributes: { request: { http: { path: '/b' } } } })
    const { method, path } = decodeCheckRequest(Buffer.concat([first, second]))
    assert.deepEqual({ method, path }, { method: 'GET', path: '/b' })
  })

  it('skips the fields that are not used', () => {
    const shipped = dirname(fileURLToPath(import.meta.resolve('@grpc/grpc-js-xds/package.json')))
    const folders = ['envoy-api', 'googleapis', 'protoc-gen-validate', 'xds']
    const whole = loadSync('envoy/service/auth/v3/external_auth.proto', {
      ...loadOptions,
      includeDirs: folders.map((folder) => join(shipped, 'deps', folder)),
    })['envoy.service.auth.v3.CheckRequest']
    assert.ok(whole !== undefined && 'serialize' in whole && typeof whole.serialize === 'function')
    const { attributes } = rawCheckRequest
    const unread = {
      attributes: {
        ...attributes,
        source: { ...attributes?.source, service: 'edge', labels: { a: 'b' } },
        destination: { address: { pipe: { path: '/run/x', mode: 0o600 } }, principal: 'server' },
        request: {
          time: { seconds: '1764000000', nanos: 5 },
          http: {
            ...attributes?.request?.http,
            size: '-1',
            raw_body: Buffer.from([0xff]),
          },
        },
        metadata_context: { filter_metadata: { 'envoy.filters.http.jwt_authn': { fields: {} } } },
        route_metadata_context: {},
      },
    }
    const bytes: unknown = whole.serialize(unread)
    assert.ok(Buffer.isBuffer(bytes) && bytes.length > encode(rawCheckRequest).length)
    assert.deepEqual(decode(bytes), attributesOf(rawCheckRequest))
  })
})
