// The codec against proto-loader's, an independent one. Input that no honest Envoy sends
// is in codec-hostile.test.ts.

import assert from 'node:assert/strict'
import { dirname, join } from 'node:path'
import { describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'

import { loadSync } from '@grpc/proto-loader'

import { decodeCheckRequest, encodeCheckResponse } from '../../src/check/codec.ts'
import type { AllowAnswer, DenyAnswer } from '../../src/check/answer/answer.ts'
import type * as proto from '../../src/proto/generated/envoy/service/auth/v3/CheckRequest.ts'
import type { CheckResponse__Output } from '../../src/proto/generated/envoy/service/auth/v3/CheckResponse.ts'
import type { HeaderValueOption__Output } from '../../src/proto/generated/envoy/config/core/v3/HeaderValueOption.ts'
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

const decodeResponse = (bytes: Buffer): CheckResponse__Output =>
  authorizationService.Check.responseDeserialize(bytes)

/** A header in the one encoding that overwrites in every version of Envoy. */
const overwrite = (key: string, value: string): HeaderValueOption__Output => ({
  header: { key, value, raw_value: Buffer.alloc(0) },
  append: { value: false },
  append_action: 'OVERWRITE_IF_EXISTS_OR_ADD',
  keep_empty_value: false,
})

const text = (stringValue: string) => ({ kind: 'stringValue' as const, stringValue })
const list = (...values: string[]) => ({
  kind: 'listValue' as const,
  listValue: { values: values.map(text) },
})

const allow: AllowAnswer = {
  allow: true,
  setHeaders: [
    ['x-remote-user', 'alice'],
    ['x-remote-uid', 'ünïcode ✓ 😀'],
    ['authorization', `Bearer ${'x'.repeat(300)}`],
  ],
  removeHeaders: ['cookie', '', 'x-remote-group'],
  responseHeaders: [['x-countersign-decision', '0b1c']],
  repeatedHeaders: [
    { name: 'x-remote-group', values: ['dev', '', 'öps'] },
    { name: 'x-remote-extra-scopes', values: [] },
  ],
}

const deny: DenyAnswer = {
  allow: false,
  grpcStatus: 16,
  httpStatus: 401,
  headers: [
    ['www-authenticate', 'Basic realm="Kubernetes"'],
    ['www-authenticate', 'Bearer'],
  ],
  body: 'Wer da? ¿Quién es?\n',
}

describe('encodeCheckResponse', () => {
  it('encodes every part of an allow', () => {
    assert.deepEqual(decodeResponse(encodeCheckResponse(allow)), {
      status: { code: 0, message: '' },
      http_response: 'ok_response',
      ok_response: {
        headers: allow.setHeaders.map((header) => overwrite(...header)),
        headers_to_remove: allow.removeHeaders,
        response_headers_to_add: [overwrite('x-countersign-decision', '0b1c')],
      },
      dynamic_metadata: {
        fields: {
          headers: {
            kind: 'structValue',
            structValue: {
              fields: {
                'x-remote-group': list('dev', '', 'öps'),
                'x-remote-extra-scopes': list(),
              },
            },
          },
        },
      },
    })
  })

  it('encodes every part of a deny', () => {
    assert.deepEqual(decodeResponse(encodeCheckResponse(deny)), {
      status: { code: 16, message: '' },
      http_response: 'denied_response',
      denied_response: {
        status: { code: 'Unauthorized' },
        headers: deny.headers.map((header) => overwrite(...header)),
        body: deny.body,
      },
      dynamic_metadata: null,
    })
  })

  it('omits dynamic metadata where no header is repeated', () => {
    const { dynamic_metadata } = decodeResponse(
      encodeCheckResponse({ ...allow, repeatedHeaders: [] }),
    )
    assert.equal(dynamic_metadata, null)
  })

  describe('the certificate handle in a CheckResponse', () => {
    const upstreamSecret = `${'Ab-_09'.repeat(900)}ü`
    const fieldsOf = (answer: AllowAnswer) =>
      decodeResponse(encodeCheckResponse(answer)).dynamic_metadata?.fields

    it('is in the dynamic metadata', () => {
      const answer = { ...allow, repeatedHeaders: [], upstreamSecret }
      assert.deepEqual(fieldsOf(answer), { upstream_secret: text(upstreamSecret) })
    })

    it('is in the dynamic metadata together with repeated headers', () => {
      const fields = fieldsOf({ ...allow, upstreamSecret })
      const { headers } = fieldsOf(allow) ?? {}
      assert.ok(headers !== undefined)
      assert.deepEqual(fields, { headers, upstream_secret: text(upstreamSecret) })
    })

    it('changes nothing else of the answer', () => {
      const answer = decodeResponse(encodeCheckResponse({ ...allow, upstreamSecret }))
      const { dynamic_metadata } = decodeResponse(encodeCheckResponse(allow))
      assert.deepEqual({ ...answer, dynamic_metadata }, decodeResponse(encodeCheckResponse(allow)))
    })

    it('has the expected bytes', () => {
      const bytes = encodeCheckResponse({
        allow: true,
        setHeaders: [],
        removeHeaders: [],
        responseHeaders: [],
        repeatedHeaders: [],
        upstreamSecret: 'a',
      })
      const key = Buffer.from('upstream_secret').toString('hex')
      // status {}, ok_response {}, dynamic_metadata { fields { upstream_secret: "a" } }
      const want = `0a020800 1a00 2218 0a16 0a0f${key} 1203 1a0161`
      assert.equal(bytes.toString('hex'), want.replaceAll(' ', ''))
    })

    it('is encoded at every length', () => {
      for (let length = 1; length <= 6_000; length += 61) {
        const fields = fieldsOf({ ...allow, upstreamSecret: 'x'.repeat(length) })
        assert.equal(fields?.['upstream_secret']?.stringValue?.length, length)
      }
    })
  })

  it('encodes append: false as a BoolValue that is present though empty', () => {
    const bytes = encodeCheckResponse({
      allow: true,
      setHeaders: [['a', 'b']],
      removeHeaders: [],
      responseHeaders: [],
      repeatedHeaders: [],
    })
    const option = '0a060a016112016212001802' // header { a, b }, append {}, append_action 2
    assert.equal(bytes.toString('hex'), `0a0208001a0e120c${option}`)
  })

  it('encodes texts of every length, ASCII or not', () => {
    for (let length = 0; length < 300; length++) {
      for (const unit of ['a', 'é', '✓']) {
        const body = `${'b'.repeat(length)}${unit}`
        const { denied_response } = decodeResponse(encodeCheckResponse({ ...deny, body }))
        assert.equal(denied_response?.body, body)
      }
    }
  })

  it('grows its buffer for a larger message', () => {
    const setHeaders = Array.from({ length: 40 }, (_, index): [string, string] => [
      `x-${index}`,
      String(index).repeat(5_000),
    ])
    const { ok_response } = decodeResponse(encodeCheckResponse({ ...allow, setHeaders }))
    assert.deepEqual(
      ok_response?.headers.map(({ header }) => [header?.key, header?.value]),
      setHeaders,
    )
  })

  it('returns bytes that the next message does not overwrite', () => {
    const first = encodeCheckResponse(allow)
    const copy = Buffer.from(first)
    encodeCheckResponse(deny)
    assert.deepEqual(first, copy)
  })

  it('starts again after an answer that could not be encoded', () => {
    const want = encodeCheckResponse(deny)
    const bad: DenyAnswer = {
      ...deny,
      get headers(): never {
        throw new Error('no headers')
      },
    }
    assert.throws(() => encodeCheckResponse(bad), /no headers/)
    assert.deepEqual(encodeCheckResponse(deny), want)
  })
})

describe('an encoded deny is never an allow', () => {
  for (const grpcStatus of [0, -0, 17, -1, 2 ** 32, 2 ** 32 + 5, 0.5, NaN, Infinity]) {
    it(`with gRPC status ${grpcStatus}`, () => {
      const { status } = decodeResponse(encodeCheckResponse({ ...deny, grpcStatus }))
      assert.equal(status?.code, 7)
    })
  }

  for (const httpStatus of [0, -1, 100, 199, 600, 401.5, NaN, 2 ** 32 + 401]) {
    it(`with HTTP status ${httpStatus}, which is sent as 403`, () => {
      const { denied_response } = decodeResponse(encodeCheckResponse({ ...deny, httpStatus }))
      assert.equal(denied_response?.status?.code, 'Forbidden')
    })
  }
})
