// The codec of CheckResponse against proto-loader's, an independent one; an encoded deny is never an allow.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'

import { encodeCheckResponse } from '../../src/check/codec.ts'
import type { AllowAnswer, DenyAnswer } from '../../src/check/answer/answer.ts'
import type { CheckResponse__Output } from '../../src/proto/generated/envoy/service/auth/v3/CheckResponse.ts'
import type { HeaderValueOption__Output } from '../../src/proto/generated/envoy/config/core/v3/HeaderValueOption.ts'
import { authorizationService } from '../../src/proto/load.ts'

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
