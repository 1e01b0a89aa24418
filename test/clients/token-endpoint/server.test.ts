// An authorization server that refuses: which answers are refusals of a token, which are faults of Countersign’s
// own client, and which are failures of the server and count for its circuit breaker. Over real HTTPS.

import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import type { OAuthAnswer } from '../../../src/clients/token-endpoint/server.ts'
import { describeError } from '../../../src/runtime/errors.ts'
import { createAuthority, type Authority } from '../../servers/pki.ts'
import {
  startTokenServer,
  type Answer,
  type TokenServerHandle,
} from '../../servers/token-server.ts'
import { askingBy, type Asking } from '../../authenticate/introspection/introspecting.ts'

const QUESTION = 'grant_type=secret-of-the-question'

let authority: Authority
let scripted: TokenServerHandle
const connections = new AsyncDisposableStack()
before(async () => {
  authority = await createAuthority('Countersign token server test CA')
  const names = ['127.0.0.1']
  const identity = await authority.issue({ commonName: 'login', names, usage: 'server' })
  scripted = await startTokenServer(identity, () => ({}))
})
after(async () => {
  await connections.disposeAsync()
  await scripted[Symbol.asyncDispose]()
  await authority[Symbol.asyncDispose]()
})

const asking = (): Promise<Asking> => askingBy(connections, authority, { failureThreshold: 2 })

const ask = async ({ server }: Asking): Promise<OAuthAnswer | string> => {
  try {
    return await server.askFor(undefined, () =>
      Promise.resolve({ url: new URL(scripted.origin), headers: {}, body: QUESTION }),
    )
  } catch (cause) {
    return describeError(cause)
  }
}

const refusal = (error: unknown, status = 400): Answer => ({
  status,
  body: { error, error_description: 'the token secret-of-the-question is no good' },
})

interface Case {
  readonly name: string
  readonly answer: Answer
  readonly want: OAuthAnswer | RegExp
  /** Whether it counts against the server. */
  readonly counts: boolean
}

const CASES: readonly Case[] = [
  {
    name: 'an answer',
    answer: { body: { access_token: 'x' } },
    want: { outcome: 'answered', document: { access_token: 'x' } },
    counts: false,
  },
  ...['invalid_grant', 'invalid_request', 'invalid_target', 'invalid_scope', 'access_denied'].map(
    (error) => ({
      name: `a refusal: ${error}`,
      answer: refusal(error),
      want: { outcome: 'refused', error } as const,
      counts: false,
    }),
  ),
  ...[401, 403].map((status) => ({
    name: `a refusal with ${status}`,
    answer: refusal('invalid_token', status),
    want: { outcome: 'refused', error: 'invalid_token' } as const,
    counts: false,
  })),
  ...[
    'secret-of-the-question',
    'Invalid_grant',
    'invalid grant',
    'invalid_grant\n',
    '"invalid_grant"',
    '',
    'a'.repeat(65),
    'invalid_gränt',
  ].map((error) => ({
    name: `hostile: a refusal without its code where that is ${JSON.stringify(error)}`,
    answer: refusal(error),
    want: { outcome: 'refused' } as const,
    counts: false,
  })),
  ...['invalid_client', 'unauthorized_client', 'unsupported_grant_type'].flatMap((error) =>
    [400, 401].map((status) => ({
      name: `a fault of the own client: ${error}, with ${status}`,
      answer: refusal(error, status),
      want: new RegExp(`^the server refuses our own client \\(${error}\\): see "client"$`),
      counts: true,
    })),
  ),
  {
    name: 'a failure of the server: temporarily_unavailable',
    answer: refusal('temporarily_unavailable'),
    want: /^the server answered 400 \(temporarily_unavailable\)$/,
    counts: true,
  },
  {
    name: 'hostile: a failure of this request alone: server_error',
    answer: refusal('server_error'),
    want: /^the server answered 400 \(server_error\)$/,
    counts: false,
  },
  ...[429, 502, 503, 504].map((status) => ({
    name: `a failure of the server: ${status}`,
    answer: refusal('invalid_grant', status),
    want: new RegExp(`^the server answered ${status}$`),
    counts: status !== 429, // 429: the requests come too fast
  })),
  ...[204, 302, 404, 405, 500, 501].map((status) => ({
    name: `an unexpected status: ${status}`,
    answer: refusal('invalid_grant', status),
    want: new RegExp(`^the server answered ${status}$`),
    counts: false,
  })),
  ...[401, 403].map((status) => ({
    name: `a fault of the own client without an error code: ${status}`,
    answer: { status, body: '<html>' },
    want: new RegExp(`^the server refuses our own credentials \\(${status}\\): see "client"$`),
    counts: true,
  })),
  ...[
    ['no JSON', '<html>'],
    ['a list', '[{"error":"invalid_grant"}]'],
    ['no code', '{}'],
    ['a code that is no text', '{"error":["invalid_grant"]}'],
    ['two codes', '{"error":"invalid_grant","error":"invalid_client"}'],
    ['nothing', ''],
  ].map(([name = '', body]) => ({
    name: `hostile: an unexpected body with 400: ${name}`,
    answer: { status: 400, body },
    want: /^the server answered 400$/,
    counts: false,
  })),
  {
    name: 'hostile: a list in place of a JSON object',
    answer: { body: '[]' },
    want: /^the server sent no JSON object$/,
    counts: false,
  },
]

describe('an authorization server', () => {
  for (const { name, answer, want, counts } of CASES) {
    it(`reports ${name}`, async () => {
      const client = await asking()
      scripted.answer = () => answer
      for (let time = 0; time < 2; time += 1) {
        const got = await ask(client)
        if (want instanceof RegExp) assert.match(typeof got === 'string' ? got : got.outcome, want)
        else assert.deepEqual(got, want)
        assert.ok(!JSON.stringify(got).includes('secret-of-the-question'))
      }
      assert.equal(client.server.isUp, !counts)
      assert.ok(!client.log.join().includes('secret-of-the-question'))
    })
  }

  it('gets no request while its circuit is open, and the next one after the pause', async () => {
    const client = await asking()
    scripted.answer = () => refusal('invalid_client', 401)
    const earlier = scripted.requests.length
    for (let time = 0; time < 4; time += 1) {
      await ask(client)
    }
    assert.equal(scripted.requests.length - earlier, 2)
    scripted.answer = () => refusal('invalid_grant')
    client.clock.advance(5_000)
    assert.deepEqual(await ask(client), { outcome: 'refused', error: 'invalid_grant' })
    assert.ok(client.server.isUp)
  })
})
