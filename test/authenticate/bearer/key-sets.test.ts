// Key sets of a real HTTPS server: rotation, removal, outages, and what a reload keeps.

import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { after, before, describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Authenticator } from '../../../src/authenticate/authenticator.ts'
import type { KeySet } from '../../../src/authenticate/bearer/key-set.ts'
import { KeySets, type PublishedKeys } from '../../../src/authenticate/bearer/key-sets.ts'
import { systemClock } from '../../../src/runtime/clock.ts'
import { memoryLogger } from '../../fakes/logger.ts'
import { until } from '../../fakes/until.ts'
import { startJwksServer, type JwksServer } from '../../servers/jwks.ts'
import { createPki, type Pki } from '../../servers/pki.ts'
import { bearerWith, outcomeOf } from './asking.ts'
import { claimsOf, jwksOf, makeKey, type IssuerKey } from './issuing.ts'

const PERIOD = 200
const TIMES = {
  refresh: { min: PERIOD, max: PERIOD },
  coolDown: 50,
  maxAge: 60_000,
  timeout: 1_000,
}

let pki: Pki
let ca: Buffer
let old: IssuerKey
let next: IssuerKey
before(async () => {
  pki = await createPki()
  ca = await readFile(pki.ca)
  old = await makeKey('ES256', 'old')
  next = await makeKey('RS256', 'next')
})
after(async () => await pki[Symbol.asyncDispose]())

/** An issuer with one key, and key sets to fetch it. */
const setUp = async (times: Partial<PublishedKeys['times']> = {}) => {
  const server = await startJwksServer(pki.edge)
  const publish = (...keys: readonly IssuerKey[]): void => {
    server.answers.set('/keys', { body: jwksOf(...keys) })
  }
  publish(old)
  const sets = new KeySets(systemClock, memoryLogger().logger)
  const options: PublishedKeys = {
    source: { kind: 'url', url: `${server.origin}/keys` },
    ca,
    times: { ...TIMES, ...times },
  }
  return {
    server,
    sets,
    publish,
    options,
    async [Symbol.asyncDispose]() {
      sets[Symbol.dispose]()
      await server[Symbol.asyncDispose]()
    },
  }
}

/** A token that is good now, by the system's clock. */
const tokenOf = async (key: IssuerKey): Promise<string> => {
  const now = Math.floor(Date.now() / 1_000)
  return await key.token(claimsOf({ iat: now, exp: now + 60 }))
}

const authenticatorFor = (keys: KeySet) => bearerWith(keys, { clock: systemClock })

/** Waits for an outcome; the time limit of the test ends the wait. */
const becomes = async (
  authenticator: Authenticator,
  token: string,
  want: string,
): Promise<void> => {
  while ((await outcomeOf(authenticator, token)) !== want) {
    await sleep(PERIOD / 10)
  }
}

const fetchesOf = (server: JwksServer): number => server.requests.length

describe('the keys of an issuer', () => {
  it('are replaced by a rotation: the new key is found, then the old one is removed', async () => {
    await using site = await setUp()
    const authenticator = authenticatorFor(site.sets.acquire(site.options))
    const [oldToken, newToken] = [await tokenOf(old), await tokenOf(next)]
    assert.equal(await outcomeOf(authenticator, oldToken), 'authenticated')
    site.publish(old, next)
    await sleep(2 * TIMES.coolDown)
    assert.equal(await outcomeOf(authenticator, newToken), 'authenticated')
    assert.equal(await outcomeOf(authenticator, oldToken), 'authenticated')
    site.publish(next)
    await becomes(authenticator, oldToken, 'token-key-unknown')
    assert.equal(await outcomeOf(authenticator, newToken), 'authenticated')
  })

  it('are rotated under load without rejecting a valid token', async () => {
    await using site = await setUp({ coolDown: 0 })
    const authenticator = authenticatorFor(site.sets.acquire(site.options))
    const outcomes = new Set<string>()
    let requests = 0
    const end = new AbortController()
    const load = async (keyNow: () => IssuerKey): Promise<void> => {
      while (!end.signal.aborted) {
        outcomes.add(await outcomeOf(authenticator, await tokenOf(keyNow())))
        requests += 1
      }
    }
    let signing = old
    const began = performance.now()
    const callers = Array.from({ length: 8 }, () => load(() => signing))
    const untilMore = async (more: number): Promise<void> => {
      const enough = requests + more
      await until(() => requests >= enough)
    }
    await untilMore(50)
    site.publish(old, next)
    await untilMore(25) // as issuers do: a key is published before it is used
    signing = next
    await untilMore(50)
    end.abort()
    await Promise.all(callers)
    assert.deepEqual(outcomes, new Set(['authenticated']))
    // The first, one for the new key, which those that wait for it share, and the regular ones.
    const most = 3 + (performance.now() - began) / PERIOD
    assert.ok(fetchesOf(site.server) <= most, `${fetchesOf(site.server)}, not ${most}`)
  })

  it('are replaced under the same kid', async () => {
    await using site = await setUp()
    const authenticator = authenticatorFor(site.sets.acquire(site.options))
    assert.equal(await outcomeOf(authenticator, await tokenOf(old)), 'authenticated')
    const restarted = await makeKey('ES256', 'old')
    site.publish(restarted)
    await sleep(2 * TIMES.coolDown)
    assert.equal(await outcomeOf(authenticator, await tokenOf(restarted)), 'authenticated')
  })

  it('are fetched once for 500 tokens of unknown kids', async () => {
    await using site = await setUp({ coolDown: 60_000, refresh: { min: 60_000, max: 60_000 } })
    const authenticator = authenticatorFor(site.sets.acquire(site.options))
    assert.equal(await outcomeOf(authenticator, await tokenOf(old)), 'authenticated')
    const storm = Array.from({ length: 500 }, async (_, index) => {
      const forged = await next.token(await claimsNow(), { kid: `kid-${index}` })
      return await outcomeOf(authenticator, forged)
    })
    assert.deepEqual(new Set(await Promise.all(storm)), new Set(['token-key-unknown']))
    assert.equal(fetchesOf(site.server), 1)
  })

  it('remain during an outage of the issuer, and are replaced when it publishes new ones', async () => {
    await using site = await setUp()
    const authenticator = authenticatorFor(site.sets.acquire(site.options))
    assert.equal(await outcomeOf(authenticator, await tokenOf(old)), 'authenticated')
    await site.server.stop()
    await sleep(2 * PERIOD)
    assert.equal(await outcomeOf(authenticator, await tokenOf(old)), 'authenticated')
    assert.equal(await outcomeOf(authenticator, await tokenOf(next)), 'unavailable')
    const port = Number(new URL(site.server.origin).port)
    await using again = await startJwksServer(pki.edge, port)
    again.answers.set('/keys', { body: jwksOf(next) })
    await becomes(authenticator, await tokenOf(next), 'authenticated')
    assert.equal(await outcomeOf(authenticator, await tokenOf(old)), 'token-key-unknown')
  })

  it('verify tokens of known keys while the issuer is slow', async () => {
    await using site = await setUp()
    const authenticator = authenticatorFor(site.sets.acquire(site.options))
    assert.equal(await outcomeOf(authenticator, await tokenOf(old)), 'authenticated')
    site.server.answers.set('/keys', { body: '{}', after: new Promise(() => {}) })
    await sleep(2 * TIMES.coolDown)
    const waiting = outcomeOf(authenticator, await tokenOf(next))
    const known = await outcomeOf(authenticator, await tokenOf(old))
    const first = await Promise.race([waiting, Promise.resolve('still waiting')])
    assert.deepEqual([known, first], ['authenticated', 'still waiting'])
    assert.equal(await waiting, 'unavailable')
  })

  it('expire at their maximum age while the issuer is down', async () => {
    await using site = await setUp({ maxAge: 2 * PERIOD })
    const authenticator = authenticatorFor(site.sets.acquire(site.options))
    const token = await tokenOf(old)
    assert.equal(await outcomeOf(authenticator, token), 'authenticated')
    await site.server.stop()
    await becomes(authenticator, token, 'unavailable')
  })
})

const claimsNow = async () => {
  const now = Math.floor(Date.now() / 1_000)
  return claimsOf({ iat: now, exp: now + 60 })
}

describe('key sets across reloads', () => {
  it('are shared by equal options only', async () => {
    await using site = await setUp()
    const { sets, options } = site
    const shared = sets.acquire(options)
    assert.equal(sets.acquire({ ...options, ca: Buffer.from(ca) }), shared)
    assert.notEqual(sets.acquire({ ...options, times: { ...options.times, maxAge: 1 } }), shared)
    assert.notEqual(sets.acquire({ ...options, ca: undefined }), shared)
    const other = { kind: 'url', url: `${site.server.origin}/other` } as const
    assert.notEqual(sets.acquire({ ...options, source: other }), shared)
  })

  it('keep their keys while the issuer is down', async () => {
    await using site = await setUp()
    const keys = site.sets.acquire(site.options)
    assert.equal((await keys.newer(undefined)).outcome, 'keys')
    await site.server.stop()
    assert.notEqual(site.sets.acquire(site.options).current(), undefined)
  })

  it('are closed when no configuration uses them', async () => {
    await using site = await setUp()
    site.server.answers.set('/other', { body: jwksOf(old) })
    const source = { kind: 'url', url: `${site.server.origin}/other` } as const
    const kept = site.sets.acquire(site.options)
    const dropped = site.sets.acquire({ ...site.options, source })
    await Promise.all([kept.newer(undefined), dropped.newer(undefined)])
    site.sets.retain(new Set([kept]))
    const countOf = (path: string): number =>
      site.server.requests.filter((one) => one === path).length
    const [keptBefore, droppedBefore] = [countOf('/keys'), countOf('/other')]
    while (countOf('/keys') < keptBefore + 3) {
      await sleep(PERIOD / 10)
    }
    assert.equal(countOf('/other'), droppedBefore)
    assert.equal(site.sets.acquire(site.options), kept)
  })

  it('refuse a source without TLS', async () => {
    await using site = await setUp()
    const source = { kind: 'url', url: 'http://login.example.org/keys' } as const
    assert.throws(() => site.sets.acquire({ ...site.options, source }), {
      code: 'configuration-invalid',
    })
  })
})
