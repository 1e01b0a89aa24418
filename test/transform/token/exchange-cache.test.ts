// How often an exchange is requested, and how long its answer is used: a token, or a refusal.

import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { describe, it } from 'node:test'
import { TokenCache, type HeldToken } from '../../../src/transform/token/token-cache.ts'
import type { Answer } from '../../servers/token-server.ts'
import { byToken, Exchanging, numbered, startAskingForTokens } from './asking-for-tokens.ts'

const SECOND = 1_000
const MINUTE = 60_000

const refusal = (error: string): Answer => ({ status: 400, body: { error } })

describe('an exchanged token', () => {
  it('is requested once for simultaneous checks', async () => {
    await using exchanging = await Exchanging.start()
    const held = Promise.withResolvers<void>()
    exchanging.site.scripted.answer = () => ({ ...numbered()(), after: held.promise })
    const presented = Array.from({ length: 100 }, () => exchanging.show('opaque'))
    // One connection that shows it anew, as after a proof that was forgotten.
    presented.push(exchanging.show('opaque', byToken()))
    held.resolve()
    assert.deepEqual(new Set(await Promise.all(presented)), new Set(['Bearer token-1']))
    assert.equal(exchanging.requests, 1)
    assert.equal(await exchanging.show('opaque'), 'Bearer token-1')
    assert.deepEqual(exchanging.site.cache.statistics().lookups.get('exchanged-token'), {
      hits: 1,
      joined: 100,
      misses: 1,
    })
  })

  it('is used for the same caller’s token only', async () => {
    await using exchanging = await Exchanging.start()
    assert.equal(await exchanging.show('opaque'), 'Bearer token-1')
    // The same identity by another token of its own, and back.
    assert.equal(await exchanging.show('another'), 'Bearer token-2')
    assert.equal(await exchanging.show('opaque'), 'Bearer token-1')
    assert.equal(await exchanging.show('opaque', byToken({ user: 'bob' })), 'Bearer token-1')
    assert.equal(exchanging.requests, 2)
  })

  it('is requested again for other settings', async () => {
    await using site = await startAskingForTokens()
    const [one, two] = [new Exchanging(site), new Exchanging(site, { generation: 'h' })]
    assert.equal(await one.show('opaque'), 'Bearer token-1')
    assert.equal(await two.show('opaque'), 'Bearer token-2')
    // And the same after a reload that changed nothing of it.
    assert.equal(await new Exchanging(site).show('opaque'), 'Bearer token-1')
  })

  interface Case {
    readonly name: string
    readonly answer: object
    readonly cacheTtl?: number
    /** How long it is used, in milliseconds. */
    readonly used: number
  }
  const CASES: readonly Case[] = [
    {
      name: 'for an hour, minus half a minute',
      answer: { expires_in: 3_600 },
      cacheTtl: 60 * MINUTE,
      used: 3_570 * SECOND,
    },
    {
      name: 'for five minutes where the caller’s token lasts longer',
      answer: { expires_in: 3_600 },
      used: 5 * MINUTE,
    },
    { name: 'for four fifths where it is short', answer: { expires_in: 60 }, used: 48 * SECOND },
    {
      name: 'for the time of tokens without expires_in',
      answer: { expires_in: undefined },
      used: 5 * MINUTE,
    },
    { name: 'for the configured time', answer: {}, cacheTtl: 10 * SECOND, used: 10 * SECOND },
  ]
  for (const { name, answer, cacheTtl = 5 * MINUTE, used } of CASES) {
    it(`is cached ${name}`, async () => {
      await using exchanging = await Exchanging.start({ terms: { cacheTtl } })
      const { scripted, clock } = exchanging.site
      scripted.answer = numbered(answer)
      assert.equal(await exchanging.show('opaque'), 'Bearer token-1')
      clock.advance(used - 1)
      assert.equal(await exchanging.show('opaque'), 'Bearer token-1')
      assert.equal(await exchanging.show('opaque', byToken()), 'Bearer token-1')
      clock.advance(1)
      assert.equal(await exchanging.show('opaque', byToken()), 'Bearer token-2')
      assert.equal(await exchanging.show('opaque'), 'Bearer token-2')
    })
  }

  it('is used for one check with cacheTtl: 0s', async () => {
    await using exchanging = await Exchanging.start({ terms: { cacheTtl: 0 } })
    assert.equal(await exchanging.show('opaque'), 'Bearer token-1')
    assert.equal(await exchanging.show('opaque'), 'Bearer token-2')
  })

  it('is not used after the end of the caller’s token, nor is another requested', async () => {
    await using exchanging = await Exchanging.start()
    const { clock } = exchanging.site
    const alice = byToken({ expires: clock.now() + 10 * SECOND })
    assert.equal(await exchanging.show('opaque', alice), 'Bearer token-1')
    clock.advance(10 * SECOND - 1)
    assert.equal(await exchanging.show('opaque', alice), 'Bearer token-1')
    clock.advance(1)
    assert.equal(await exchanging.show('opaque', alice), 'credential-expired')
    assert.equal(await exchanging.show('other', alice), 'credential-expired')
    assert.equal(exchanging.requests, 1)
  })

  it('is removed when the cache is cleared', async () => {
    await using exchanging = await Exchanging.start()
    const { cache } = exchanging.site
    await exchanging.show('opaque')
    cache.revoke()
    assert.equal(await exchanging.show('opaque', byToken()), 'Bearer token-2')
  })

  it('hostile: is not cached under any text of the caller’s token', async () => {
    const keys: string[] = []
    class WatchedMemory extends TokenCache {
      override tokenOf(...given: Parameters<TokenCache['tokenOf']>): Promise<HeldToken> {
        keys.push(given[1])
        return super.tokenOf(...given)
      }
    }
    await using exchanging = await Exchanging.start({ cache: new WatchedMemory() })
    await exchanging.show('opaque-of-alice')
    const [key = '', ...more] = keys
    assert.deepEqual(more, [])
    assert.equal(key.length, 32)
    // Keyed, so that guesses cannot be tested against it.
    const unkeyed = createHash('sha256').update('g\0opaque-of-alice').digest('binary')
    assert.notEqual(key, unkeyed)
  })
})

describe('a refused exchange', () => {
  it('is explained by the error code only', async () => {
    await using exchanging = await Exchanging.start()
    exchanging.site.scripted.answer = () => ({
      status: 400,
      body: { error: 'invalid_target', error_description: 'opaque is for nobody' },
    })
    assert.equal(await exchanging.show('opaque'), 'exchange-refused: invalid_target')
  })

  it('hostile: is not explained by a code that could be a token', async () => {
    await using exchanging = await Exchanging.start()
    exchanging.site.scripted.answer = ({ form }) => refusal(`${form['subject_token']}\n"x`)
    assert.equal(await exchanging.show('opaque'), 'exchange-refused: no code of OAuth')
  })

  it('is requested once for simultaneous checks', async () => {
    await using exchanging = await Exchanging.start()
    const held = Promise.withResolvers<void>()
    exchanging.site.scripted.answer = () => ({ ...refusal('invalid_grant'), after: held.promise })
    const presented = Array.from({ length: 100 }, () => exchanging.show('opaque'))
    held.resolve()
    const words = new Set(await Promise.all(presented))
    assert.deepEqual(words, new Set(['exchange-refused: invalid_grant']))
    assert.equal(exchanging.requests, 1)
  })

  it('is cached for five seconds only', async () => {
    await using exchanging = await Exchanging.start()
    const { scripted, clock } = exchanging.site
    scripted.answer = () => refusal('invalid_grant')
    await exchanging.show('opaque')
    scripted.answer = numbered()
    clock.advance(5 * SECOND - 1)
    assert.equal(await exchanging.show('opaque'), 'exchange-refused: invalid_grant')
    assert.equal(exchanging.requests, 1)
    assert.equal(await exchanging.show('another'), 'Bearer token-1')
    clock.advance(1)
    assert.equal(await exchanging.show('opaque'), 'Bearer token-2')
  })

  it('is not cached with cacheTtl: 0s', async () => {
    await using exchanging = await Exchanging.start({ terms: { cacheTtl: 0 } })
    exchanging.site.scripted.answer = () => refusal('invalid_grant')
    await exchanging.show('opaque')
    exchanging.site.scripted.answer = numbered()
    assert.equal(await exchanging.show('opaque'), 'Bearer token-1')
  })

  it('is not a failure of the server, which gets other requests', async () => {
    await using exchanging = await Exchanging.start({}, { failureThreshold: 2 })
    const { scripted } = exchanging.site
    scripted.answer = ({ form }) =>
      form['subject_token'] === 'good' ? numbered()() : refusal('invalid_grant')
    for (let attempt = 0; attempt < 6; attempt += 1) {
      await exchanging.show(`bad-${attempt}`)
    }
    assert.equal(await exchanging.show('good'), 'Bearer token-1')
  })
})
