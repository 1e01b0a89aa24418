// Countersign's own token, got over HTTPS: requested once, renewed in time, and used while it is valid.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import {
  clientCredentials,
  type ClientCredentialsOptions,
} from '../../../src/transform/token/client-credentials.ts'
import { describeError } from '../../../src/runtime/errors.ts'
import type { Transformer } from '../../../src/transform/transformer.ts'
import { identityOf } from '../../fakes/identity.ts'
import { until } from '../../fakes/until.ts'
import {
  numbered,
  permitOf,
  startAskingForTokens,
  wordOf,
  type AskingForTokens,
} from './asking-for-tokens.ts'

const SECOND = 1_000
const MINUTE = 60_000
const FOREVER = new AbortController().signal

type Parts = Partial<ClientCredentialsOptions['terms']>

class Serving implements AsyncDisposable {
  readonly site: AskingForTokens
  readonly reported: string[] = []
  readonly transformer: Transformer

  constructor(site: AskingForTokens, terms: Parts = {}, generation = 'g') {
    const { source, cache, clock } = site
    this.site = site
    this.transformer = clientCredentials({
      terms: { audience: [], resource: [], scopes: [], cacheTtl: 5 * MINUTE, ...terms },
      source,
      generation,
      cache,
      report: (failure) => this.reported.push(describeError(failure)),
      clock,
    })
  }

  static async start(terms: Parts = {}): Promise<Serving> {
    return new Serving(await startAskingForTokens({ failureThreshold: 3 }), terms)
  }

  async get(signal = FOREVER): Promise<string> {
    return wordOf(await this.transformer.transform(permitOf(identityOf()), signal))
  }

  get requests(): number {
    return this.site.scripted.requests.length
  }

  /** What is got after so many requests to the endpoint, with none in progress. */
  async getAfter(requests: number): Promise<string> {
    const limit = performance.now() + 5_000
    while (this.requests < requests && performance.now() < limit) await sleep(5)
    assert.equal(this.requests, requests)
    await sleep(50)
    return await this.get()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.site[Symbol.asyncDispose]()
  }
}

describe('the token of a service by client credentials', () => {
  it('is requested as in RFC 6749 §4.4.2', async () => {
    await using serving = await Serving.start({
      scopes: ['read', 'write'],
      audience: ['a', 'b'],
      resource: ['https://x.example'],
    })
    assert.equal(await serving.get(), 'Bearer token-1')
    const [requests] = serving.site.scripted.requests
    assert.deepEqual(requests?.body.split('&'), [
      'grant_type=client_credentials',
      'resource=https%3A%2F%2Fx.example',
      'audience=a',
      'audience=b',
      'scope=read+write',
    ])
    const client = Buffer.from('countersign:client-secret').toString('base64')
    assert.equal(requests.headers['authorization'], `Basic ${client}`)
    const { kind, asks } = serving.transformer
    assert.deepEqual([kind, asks], ['service-token', true])
  })

  it('is requested once for simultaneous checks', async () => {
    await using serving = await Serving.start()
    const words = await Promise.all(Array.from({ length: 100 }, () => serving.get()))
    assert.deepEqual(new Set(words), new Set(['Bearer token-1']))
    assert.equal(await serving.get(), 'Bearer token-1')
    assert.equal(serving.requests, 1)
  })

  it('is shared by routes and configurations with the same settings', async () => {
    await using serving = await Serving.start()
    await serving.get()
    assert.equal(await new Serving(serving.site).get(), 'Bearer token-1')
    assert.equal(await new Serving(serving.site, {}, 'other').get(), 'Bearer token-2')
  })

  interface Case {
    readonly name: string
    readonly answer: object
    readonly cacheTtl?: number
    /** When it is renewed, and when it is over, in milliseconds. */
    readonly renewed: number
    readonly over: number
  }
  const CASES: readonly Case[] = [
    { name: 'after four fifths of a minute', answer: {}, renewed: 48 * SECOND, over: MINUTE },
    {
      name: 'half a minute before the end of an hour',
      answer: { expires_in: 3_600 },
      cacheTtl: 120 * MINUTE,
      renewed: 3_570 * SECOND,
      over: 60 * MINUTE,
    },
    {
      name: 'earlier where configured',
      answer: { expires_in: 3_600 },
      renewed: 5 * MINUTE,
      over: 60 * MINUTE,
    },
    {
      name: 'where it has no expires_in',
      answer: { expires_in: undefined },
      renewed: 270 * SECOND,
      over: 5 * MINUTE,
    },
  ]
  for (const { name, answer, cacheTtl = 5 * MINUTE, renewed, over } of CASES) {
    it(`is refreshed early while it is used: ${name}`, async () => {
      await using serving = await Serving.start({ cacheTtl })
      const { scripted, clock } = serving.site
      scripted.answer = numbered(answer)
      assert.equal(await serving.get(), 'Bearer token-1')
      clock.advance(renewed - 1)
      assert.equal(await serving.get(), 'Bearer token-1')
      assert.equal(serving.requests, 1)
      clock.advance(1)
      // No request waits: the old one is valid.
      const words = await Promise.all([serving.get(), serving.get()])
      assert.deepEqual(words, ['Bearer token-1', 'Bearer token-1'])
      await until(async () => (await serving.get()) === 'Bearer token-2')
      assert.equal(serving.requests, 2)
      clock.advance(over)
      assert.equal(await serving.get(), 'Bearer token-3')
    })
  }

  it('is requested for each check with cacheTtl: 0s', async () => {
    await using serving = await Serving.start({ cacheTtl: 0 })
    assert.equal(await serving.get(), 'Bearer token-1')
    assert.equal(await serving.get(), 'Bearer token-2')
  })
})

describe('the token of a service that cannot be refreshed', () => {
  it('is used to its end, and requested again once a second', async () => {
    await using serving = await Serving.start()
    const { scripted, clock } = serving.site
    await serving.get()
    scripted.answer = () => ({ status: 500 })
    clock.advance(50 * SECOND)
    const words = await Promise.all(Array.from({ length: 20 }, () => serving.get()))
    assert.deepEqual(new Set(words), new Set(['Bearer token-1']))
    assert.equal(await serving.getAfter(2), 'Bearer token-1')
    assert.equal(await serving.getAfter(2), 'Bearer token-1')
    assert.deepEqual(serving.reported, ['the server answered 500'])
    clock.advance(SECOND)
    assert.equal(await serving.get(), 'Bearer token-1')
    assert.equal(await serving.getAfter(3), 'Bearer token-1')
    // Its end.
    clock.advance(9 * SECOND)
    assert.equal(await serving.get(), 'unavailable: the server answered 500')
    scripted.answer = numbered()
    assert.equal(await serving.get(), 'Bearer token-1')
  })

  it('is used over a reload, too', async () => {
    await using serving = await Serving.start()
    const { scripted, clock } = serving.site
    await serving.get()
    scripted.answer = () => ({ status: 500 })
    clock.advance(50 * SECOND)
    const reloaded = new Serving(serving.site)
    assert.equal(await reloaded.get(), 'Bearer token-1')
    assert.deepEqual(reloaded.reported, ['the server answered 500'])
    clock.advance(10 * SECOND)
    assert.match(await reloaded.get(), /^unavailable: /)
  })

  it('is a configuration error where it is refused, and not requested for each check', async () => {
    await using serving = await Serving.start()
    const { scripted, clock } = serving.site
    scripted.answer = () => ({
      status: 400,
      body: { error: 'invalid_scope', error_description: 'x' },
    })
    const refused =
      'unavailable: the token endpoint refuses us a token (invalid_scope): see "scopes", "audience" and "resource", and what this client may ask for'
    for (let time = 0; time < 5; time += 1) {
      assert.equal(await serving.get(), refused)
    }
    assert.equal(serving.requests, 1)
    scripted.answer = numbered()
    clock.advance(5 * SECOND)
    assert.equal(await serving.get(), 'Bearer token-1')
  })

  it('is used where the refresh is refused, and requested again in five seconds', async () => {
    await using serving = await Serving.start()
    const { scripted, clock } = serving.site
    await serving.get()
    scripted.answer = () => ({ status: 400, body: { error: 'invalid_scope' } })
    clock.advance(50 * SECOND)
    await serving.get()
    assert.equal(await serving.getAfter(2), 'Bearer token-1')
    assert.match(
      serving.reported.join(),
      /^the token endpoint refuses us a token \(invalid_scope\)/,
    )
    clock.advance(4 * SECOND)
    assert.equal(await serving.getAfter(2), 'Bearer token-1')
    clock.advance(SECOND)
    scripted.answer = numbered({ access_token: 'new' })
    await serving.get()
    await until(async () => (await serving.get()) === 'Bearer new')
    assert.equal(serving.requests, 3)
  })

  it('hostile: is refused with another token_type', async () => {
    await using serving = await Serving.start()
    const TYPES = 'urn:ietf:params:oauth:token-type:'
    for (const changes of [
      { token_type: 'N_A' },
      { token_type: 'DPoP' },
      { issued_token_type: `${TYPES}refresh_token` },
      { access_token: 'a\r\nb' },
    ]) {
      serving.site.scripted.answer = numbered(changes)
      assert.match(await serving.get(), /^unavailable: .*answered nonsense/)
    }
  })

  it('is requested for the remaining checks when one has left', async () => {
    await using serving = await Serving.start()
    const { promise, resolve } = Promise.withResolvers<void>()
    const answer = numbered()
    const requests = Promise.withResolvers<void>()
    serving.site.scripted.answer = () => {
      requests.resolve()
      return { ...answer(), after: promise }
    }
    const leaving = new AbortController()
    const [first, second] = [serving.get(leaving.signal), serving.get()]
    await requests.promise
    leaving.abort(new Error('gone'))
    assert.equal(await first, 'unavailable: gone')
    resolve()
    assert.equal(await second, 'Bearer token-1')
    assert.equal(serving.requests, 1)
  })
})
