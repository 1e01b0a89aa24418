// A token endpoint that is down, slow, broken or hostile: no request is forwarded without its token,
// and everything works again by itself.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { createAuthority } from '../../servers/pki.ts'
import { startTokenServer, type Answer } from '../../servers/token-server.ts'
import { byToken, Exchanging, numbered } from './asking-for-tokens.ts'

interface Case {
  readonly name: string
  readonly answer: Answer
  readonly want: RegExp
}

const TOKEN = { access_token: 'token-1', token_type: 'Bearer', expires_in: 60 }

const CASES: readonly Case[] = [
  {
    name: 'an answer without a token',
    answer: { body: { ...TOKEN, access_token: undefined } },
    want: /nonsense: "access_token"/,
  },
  {
    name: 'a token with a line end behind it',
    answer: { body: { ...TOKEN, access_token: 'a\r\nx: y' } },
    want: /nonsense: "access_token"/,
  },
  { name: 'a list', answer: { body: [TOKEN] }, want: /sent no JSON object/ },
  {
    name: 'two tokens',
    answer: { body: `{"access_token":"b",${JSON.stringify(TOKEN).slice(1)}` },
    want: /sent no JSON object/,
  },
  {
    name: 'a token of a million bytes',
    answer: { body: { ...TOKEN, access_token: 'x'.repeat(1_000_000) } },
    want: /sent more than 65536 bytes/,
  },
  {
    name: 'a token that is bound to a key',
    answer: { body: { ...TOKEN, token_type: 'DPoP' } },
    want: /nonsense: "token_type"/,
  },
  {
    name: 'a token that has expired',
    answer: { body: { ...TOKEN, expires_in: -1 } },
    want: /nonsense: "expires_in"/,
  },
  { name: 'a web page', answer: { body: '<html>' }, want: /sent no JSON object/ },
  {
    name: 'a redirect to another server',
    answer: { status: 307, headers: { location: 'https://127.0.0.1:1/' } },
    want: /answered 307/,
  },
  {
    name: 'the end of the connection',
    answer: { write: (response) => void response.destroy() },
    want: /cannot be fetched/,
  },
  {
    name: 'the error invalid_client',
    answer: { status: 401, body: { error: 'invalid_client' } },
    want: /refuses our own client \(invalid_client\): see "client"/,
  },
  {
    name: 'the status 429',
    answer: { status: 429, body: { error: 'invalid_grant' } },
    want: /answered 429/,
  },
  {
    name: 'the status 500',
    answer: { status: 500, body: { error: 'server_error' } },
    want: /answered 500/,
  },
]

describe('a token exchange', () => {
  for (const { name, answer, want } of CASES) {
    it(`hostile: is unavailable, and works again, after ${name}`, async () => {
      await using exchanging = await Exchanging.start()
      exchanging.site.scripted.answer = () => answer
      const word = await exchanging.show('opaque')
      assert.match(word, /^unavailable: /)
      assert.match(word, want)
      exchanging.site.clock.advance(1_000) // for which a failure of this token is remembered
      exchanging.site.scripted.answer = numbered()
      assert.equal(await exchanging.show('opaque'), 'Bearer token-1')
    })
  }
})

describe('the endpoint of a token exchange', () => {
  it('gets no requests while it is down, and cached tokens stay in use', async () => {
    await using exchanging = await Exchanging.start({}, { failureThreshold: 2, coolDown: 5_000 })
    const { scripted, clock, server, log } = exchanging.site
    assert.equal(await exchanging.show('warm'), 'Bearer token-1')
    scripted.answer = () => ({ status: 503 })
    const words: string[] = []
    for (let attempt = 0; attempt < 4; attempt += 1) {
      words.push(await exchanging.show(`cold-${attempt}`))
    }
    assert.equal(exchanging.requests, 3)
    assert.match(words[1] ?? '', /answered 503/)
    assert.match(words[3] ?? '', /circuit breaker is open/)
    assert.equal(server.isUp, false)
    assert.equal(await exchanging.show('warm'), 'Bearer token-1')
    scripted.answer = numbered()
    assert.match(await exchanging.show('cold'), /circuit breaker is open/)
    clock.advance(5_000)
    assert.equal(await exchanging.show('cold'), 'Bearer token-1')
    assert.equal(log.filter((line) => line.includes('circuit closed')).length, 1)
  })

  it('hostile: receives nothing where it is of another authority', async () => {
    await using stack = new AsyncDisposableStack()
    const exchanging = stack.use(await Exchanging.start())
    const other = stack.use(await createAuthority('Countersign other CA'))
    const names = ['127.0.0.1']
    const identity = await other.issue({ commonName: 'login', names, usage: 'server' })
    const { port } = exchanging.site.scripted
    await exchanging.site.scripted.stop()
    const impostor = stack.use(await startTokenServer(identity, numbered(), { port }))
    assert.match(await exchanging.show('opaque'), /^unavailable: .*certificate/)
    assert.equal(impostor.requests.length, 0)
  })

  it('is waited for until the timeout only', async () => {
    await using exchanging = await Exchanging.start({}, { timeout: 200 })
    const { promise, resolve } = Promise.withResolvers<void>()
    exchanging.site.scripted.answer = () => ({ after: promise })
    assert.match(await exchanging.show('opaque'), /^unavailable: .*timeout/)
    resolve()
  })

  it('hostile: gets at most as many requests at once as its limit', async () => {
    await using exchanging = await Exchanging.start({}, { concurrency: 4 })
    const answer = numbered()
    let [open, most] = [0, 0]
    exchanging.site.scripted.answer = () => {
      open += 1
      most = Math.max(most, open)
      return { ...answer(), after: pause(20).then(() => (open -= 1)) }
    }
    const presented = Array.from({ length: 10 }, (_, index) =>
      exchanging.show(`t${index}`, byToken()),
    )
    const words = await Promise.all(presented)
    assert.ok(
      words.every((word) => word.startsWith('Bearer ')),
      words.join(),
    )
    assert.equal(most, 3) // and one is kept for tokens that were good before
  })
})

describe('a request for a token that ends', () => {
  it('waits no longer, and the remaining ones get the token', async () => {
    await using exchanging = await Exchanging.start()
    const { promise, resolve } = Promise.withResolvers<void>()
    const requested = Promise.withResolvers<void>()
    exchanging.site.scripted.answer = () => {
      requested.resolve()
      return { ...numbered()(), after: promise }
    }
    const leaving = new AbortController()
    const first = exchanging.show('opaque', exchanging.alice, leaving.signal)
    const second = exchanging.show('opaque', byToken())
    await requested.promise
    leaving.abort(new Error('gone'))
    assert.equal(await first, 'unavailable: gone')
    resolve()
    assert.equal(await second, 'Bearer token-1')
    assert.equal(exchanging.requests, 1)
    // An answer that no request waits for any longer is cached all the same.
    assert.equal(await exchanging.show('opaque'), 'Bearer token-1')
    assert.equal(exchanging.requests, 1)
  })

  it('sends no further query', async () => {
    await using exchanging = await Exchanging.start()
    const gone = AbortSignal.abort(new Error('gone'))
    assert.equal(await exchanging.show('opaque', exchanging.alice, gone), 'unavailable: gone')
    assert.equal(exchanging.requests, 0)
  })
})
