// An introspection endpoint that is broken, hostile, slow or down: no request is authenticated, the answer is 503, the
// circuit opens, and it closes by itself.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import type { Authentication } from '../../../src/authenticate/authenticator.ts'
import { createAuthority } from '../../servers/pki.ts'
import { startTokenServer, type Answer } from '../../servers/token-server.ts'
import { outcomeOf, show } from '../bearer/asking.ts'
import { codeOf } from '../../fakes/authenticator.ts'
import { ACTIVE, askingBy, introspectionBy, startIntrospection } from './introspecting.ts'

const GOOD = JSON.stringify(ACTIVE)

const causeOf = (authentication: Authentication): string => {
  assert.equal(codeOf(authentication), 'unavailable')
  assert.ok(authentication.outcome === 'unavailable')
  return authentication.cause instanceof Error ? authentication.cause.message : 'no error'
}

interface Case {
  readonly name: string
  readonly answer: Answer
  readonly cause: RegExp
}

const CASES: readonly Case[] = [
  {
    name: 'active as a text',
    answer: { body: { ...ACTIVE, active: 'true' } },
    cause: /nonsense: "active" is not a boolean/,
  },
  {
    name: 'active twice',
    answer: { body: `{"active":false,${GOOD.slice(1)}` },
    cause: /no JSON object/,
  },
  {
    name: 'active twice, once by an escape',
    answer: { body: `{"\\u0061ctive":false,${GOOD.slice(1)}` },
    cause: /no JSON object/,
  },
  { name: 'no object', answer: { body: `[${GOOD}]` }, cause: /no JSON object/ },
  {
    name: 'a web page',
    answer: { body: '<html>', headers: { 'content-type': 'text/html' } },
    cause: /no JSON object/,
  },
  { name: 'nothing', answer: { body: '' }, cause: /no JSON object/ },
  { name: 'nothing, by its status', answer: { status: 204, body: '' }, cause: /answered 204/ },
  {
    name: 'something in UTF-16',
    answer: { write: (response) => response.end(Buffer.from(GOOD, 'utf16le')) },
    cause: /no JSON object/,
  },
  { name: 'something after it', answer: { body: `${GOOD}{}` }, cause: /no JSON object/ },
  {
    name: 'a depth without end',
    answer: { body: `{"active":true,"x":${'['.repeat(20_000)}${']'.repeat(20_000)}}` },
    cause: /no JSON object/,
  },
  {
    name: 'more than is taken',
    answer: { body: { ...ACTIVE, x: 'x'.repeat(70_000) } },
    cause: /sent more than 65536 bytes/,
  },
  {
    name: 'more without end',
    answer: {
      write: (response) => {
        response.writeHead(200)
        const more = (): void => {
          if (!response.destroyed) response.write('x'.repeat(16_384), more)
        }
        more()
      },
    },
    cause: /sent more than 65536 bytes/,
  },
  {
    name: 'a compressed answer',
    answer: { body: GOOD, headers: { 'content-encoding': 'gzip' } },
    cause: /sent content-encoding gzip/,
  },
  {
    name: 'half of it',
    answer: {
      write: (response) => {
        response.writeHead(200, { 'content-length': GOOD.length })
        response.write(GOOD.slice(0, 20))
        setImmediate(() => response.destroy())
      },
    },
    cause: /cannot be fetched/,
  },
  {
    name: 'the end of the connection',
    answer: { write: (response) => void response.destroy() },
    cause: /cannot be fetched/,
  },
  {
    name: "refusing Countersign's credentials",
    answer: { status: 401, body: ACTIVE },
    cause: /refuses our own credentials \(401\): see "client"/,
  },
  {
    name: 'forbidding introspection',
    answer: { status: 403, body: ACTIVE },
    cause: /refuses our own credentials \(403\): see "client"/,
  },
  ...[400, 404, 405, 429, 500, 501, 502, 503, 504].map((status) => ({
    name: `status ${status}`,
    answer: { status, body: ACTIVE },
    cause: new RegExp(`answered ${status}$`),
  })),
]

describe('an introspection endpoint that answers', () => {
  for (const { name, answer, cause } of CASES) {
    it(`hostile: does not authenticate after an answer with ${name}`, async () => {
      await using site = await startIntrospection()
      site.scripted.answer = () => answer
      assert.match(causeOf(await show(site.authenticator, 'opaque')), cause)
      // After 429 the question is repeated once, later.
      assert.equal(site.scripted.requests.length, answer.status === 429 ? 2 : 1)
      // The failure is cached for a second, so that a client that retries at once causes one request.
      site.scripted.answer = () => ({ body: ACTIVE })
      if (answer.status !== 429) {
        assert.match(causeOf(await show(site.authenticator, 'opaque')), cause)
        assert.equal(site.scripted.requests.length, 1)
        site.clock.advance(1_000)
      }
      assert.equal(await outcomeOf(site.authenticator, 'opaque'), 'authenticated')
    })
  }

  for (const status of [301, 302, 303, 307, 308]) {
    it(`hostile: a redirection, by ${status}, is not followed`, async () => {
      await using site = await startIntrospection()
      const elsewhere = `${site.scripted.origin}/other`
      site.scripted.answer = ({ path }) =>
        path === '/other' ? { body: ACTIVE } : { status, headers: { location: elsewhere } }
      const cause = causeOf(await show(site.authenticator, 'opaque'))
      assert.match(cause, new RegExp(`answered ${status}$`))
      assert.deepEqual(
        site.scripted.requests.map(({ path }) => path),
        ['/introspect'],
      )
    })
  }
})

describe('an introspection endpoint', () => {
  it('hostile: with a certificate of another authority receives no token', async () => {
    await using stack = new AsyncDisposableStack()
    await using site = await startIntrospection()
    const other = stack.use(await createAuthority('Countersign other CA'))
    const asking = await askingBy(stack, other)
    const authenticator = introspectionBy(asking, site.scripted.origin)
    assert.match(causeOf(await show(authenticator, 'opaque')), /cannot be fetched: .*certificate/)
    assert.equal(site.scripted.requests.length, 0)
  })

  it('hostile: with a certificate for another name receives no token', async () => {
    await using stack = new AsyncDisposableStack()
    await using site = await startIntrospection()
    const { authority } = site
    const names = ['login.example.org']
    const identity = await authority.issue({ commonName: 'x', names, usage: 'server' })
    const server = stack.use(await startTokenServer(identity, () => ({ body: ACTIVE })))
    const authenticator = introspectionBy(await askingBy(stack, authority), server.origin)
    assert.match(causeOf(await show(authenticator, 'opaque')), /cannot be fetched: /)
    assert.equal(server.requests.length, 0)
  })

  it('an introspection endpoint that is slow times out', async () => {
    await using site = await startIntrospection({}, { timeout: 200 })
    const { promise, resolve } = Promise.withResolvers<void>()
    site.scripted.answer = () => ({ body: ACTIVE, after: promise })
    assert.match(causeOf(await show(site.authenticator, 'opaque')), /timeout/)
    resolve()
  })

  it('an introspection endpoint that was down is used again once it is back', async () => {
    await using stack = new AsyncDisposableStack()
    await using site = await startIntrospection({ cacheTtl: 0 })
    const { authenticator, scripted, authority } = site
    assert.equal(await outcomeOf(authenticator, 'opaque'), 'authenticated')
    await scripted.stop()
    assert.match(causeOf(await show(authenticator, 'opaque')), /ECONNREFUSED/)
    const identity = await authority.issue({
      commonName: 'again',
      names: ['127.0.0.1'],
      usage: 'server',
    })
    const { port } = scripted
    stack.use(await startTokenServer(identity, () => ({ body: ACTIVE }), { port }))
    assert.equal(await outcomeOf(authenticator, 'opaque'), 'authenticated')
  })

  it('an introspection endpoint that fails opens the circuit, and one request tries it after the cool-down', async () => {
    await using site = await startIntrospection(
      { cacheTtl: 0 },
      { failureThreshold: 3, coolDown: 5_000 },
    )
    const { authenticator, scripted, clock, log } = site
    scripted.answer = () => ({ status: 503 })
    const presented: string[] = []
    for (let attempt = 0; attempt < 5; attempt += 1) {
      presented.push(causeOf(await show(authenticator, `t${attempt}`)))
    }
    assert.equal(scripted.requests.length, 3)
    assert.match(presented[2] ?? '', /answered 503/)
    assert.match(presented[4] ?? '', /circuit breaker is open/)
    // Still failing: the request that tried it opens the circuit again.
    clock.advance(5_000)
    await show(authenticator, 'u')
    await show(authenticator, 'v')
    assert.equal(scripted.requests.length, 4)
    scripted.answer = () => ({ body: ACTIVE })
    clock.advance(5_000)
    assert.equal(await outcomeOf(authenticator, 'w'), 'authenticated')
    assert.equal(await outcomeOf(authenticator, 'x'), 'authenticated')
    assert.equal(log.filter((line) => line.includes('circuit opened')).length, 1)
    assert.equal(log.filter((line) => line.includes('circuit closed')).length, 1)
  })

  it('hostile: remains in use for other tokens when it fails for one', async () => {
    await using site = await startIntrospection({ cacheTtl: 0 }, { failureThreshold: 3 })
    const { authenticator, scripted } = site
    scripted.answer = ({ form }) => (form['token'] === 'good' ? { body: ACTIVE } : { status: 500 })
    for (let attempt = 0; attempt < 6; attempt += 1) {
      assert.equal(await outcomeOf(authenticator, `bad${attempt}`), 'unavailable')
    }
    assert.equal(await outcomeOf(authenticator, 'good'), 'authenticated')
  })

  it('hostile: receives at most the configured number of concurrent requests', async () => {
    await using site = await startIntrospection({ cacheTtl: 0 }, { concurrency: 4 })
    const { authenticator, scripted } = site
    let [open, most] = [0, 0]
    scripted.answer = () => {
      open += 1
      most = Math.max(most, open)
      return { body: ACTIVE, after: pause(20).then(() => (open -= 1)) }
    }
    const presented = Array.from({ length: 10 }, (_, index) =>
      outcomeOf(authenticator, `t${index}`),
    )
    assert.deepEqual(new Set(await Promise.all(presented)), new Set(['authenticated']))
    assert.equal(most, 3) // one is reserved for tokens that were accepted before
    // For those there may be four at a time.
    const again = Array.from({ length: 10 }, (_, index) => outcomeOf(authenticator, `t${index}`))
    assert.deepEqual(new Set(await Promise.all(again)), new Set(['authenticated']))
    assert.equal(most, 4)
  })

  it('receives requests one after another over one connection', async () => {
    await using site = await startIntrospection({ cacheTtl: 0 })
    for (let attempt = 0; attempt < 3; attempt += 1) {
      assert.equal(await outcomeOf(site.authenticator, `t${attempt}`), 'authenticated')
    }
    assert.equal(new Set(site.scripted.requests.map(({ port }) => port)).size, 1)
  })
})
