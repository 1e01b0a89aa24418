// The renewal of a token that nears its end, for every answer that a provider may give.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { TokenCache } from '../../../src/cli/login/cache/token-cache.ts'
import type { Login, TokenKind, Tokens } from '../../../src/cli/login/login-record.ts'
import type { Renewal } from '../../../src/cli/login/provider/provider.ts'
import { heldToken } from '../../../src/cli/login/renew.ts'
import { CountersignError } from '../../../src/runtime/errors.ts'
import { temporaryFolder } from '../../servers/temporary.ts'

const NOW = 1_800_000_000_000
const MINUTE = 60_000

const LOGIN: Login = {
  issuer: 'https://id.example.org',
  clientId: 'cli',
  subject: 'u-1',
  user: 'alice',
  idToken: { value: 'id-1', expires: NOW + 10 * MINUTE },
  accessToken: { value: 'access-1', expires: NOW + 10 * MINUTE },
  refreshToken: 'refresh-1',
  obtained: NOW,
}

const NEXT: Tokens = {
  subject: 'u-1',
  user: 'alice',
  idToken: { value: 'id-2', expires: NOW + 30 * MINUTE },
  accessToken: { value: 'access-2', expires: NOW + 30 * MINUTE },
  refreshToken: 'refresh-2',
  obtained: NOW + 10 * MINUTE,
}

interface Asking {
  /** What is kept; default: {@link LOGIN}. */
  readonly kept?: Login | 'nothing'
  readonly after: number
  readonly renewal?: Renewal | Error
  readonly kind?: TokenKind
}

/** Asks for a token, and gives what is kept then. */
const ask = async ({ kept = LOGIN, after, renewal, kind = 'id_token' }: Asking) => {
  await using folder = await temporaryFolder()
  const cache = new TokenCache(folder.file('tokens'))
  if (kept !== 'nothing') await cache.write(kept)
  let requests = 0
  const held = heldToken({
    cache,
    request: LOGIN,
    kind,
    now: () => NOW + after,
    renew: async ({ refreshToken }) => {
      requests++
      assert.equal(refreshToken, 'refresh-1')
      if (renewal === undefined) throw new TypeError('nobody was to be asked')
      if (renewal instanceof Error) throw renewal
      return renewal
    },
  })
  const outcome = await held.then(
    (value) => (value.outcome === 'held' ? value.token.value : value.why),
    (cause: unknown) =>
      cause instanceof CountersignError ? `${cause.code}: ${cause.message}` : Promise.reject(cause),
  )
  return { outcome, requests, kept: await cache.read(LOGIN) }
}

describe('a cached login, on use,', { concurrency: true }, () => {
  it('is returned without a request while its token is fresh', async () => {
    assert.deepEqual(await ask({ after: MINUTE }), { outcome: 'id-1', requests: 0, kept: LOGIN })
  })

  for (const after of [9.5 * MINUTE, 11 * MINUTE]) {
    const name = after > 10 * MINUTE ? 'is over' : 'nears its end'
    it(`is refreshed when its token ${name}, together with the other tokens`, async () => {
      const tokens: Tokens = { ...NEXT, user: 'alice.adams' }
      const { outcome, kept } = await ask({ after, renewal: { kind: 'renewed', tokens } })
      assert.equal(outcome, 'id-2')
      assert.deepEqual(kept, { ...LOGIN, ...tokens })
    })
  }

  it('is an error that asks for a login where there is none', async () => {
    const { outcome } = await ask({ kept: 'nothing', after: 0 })
    assert.equal(outcome, 'there is no login at https://id.example.org')
  })

  it('is used until its token expires while it cannot be refreshed, then asks for a login', async () => {
    const { refreshToken: _, ...kept } = LOGIN
    assert.equal((await ask({ kept, after: 9.9 * MINUTE })).outcome, 'id-1')
    assert.match((await ask({ kept, after: 10 * MINUTE })).outcome, /issued no refresh token$/)
  })

  const REFUSAL: Renewal = { kind: 'refused', code: 'invalid_grant', why: 'invalid_grant: gone' }
  const CASES: readonly {
    name: string
    renewal: Renewal | Error
    over: RegExp
    forgotten?: boolean
  }[] = [
    {
      name: 'the provider is down',
      renewal: { kind: 'unavailable', why: 'no connection' },
      over: /^unavailable: the tokens of https:\S+ have expired and cannot be renewed: no connection$/,
    },
    {
      name: 'the provider’s name does not resolve',
      renewal: new CountersignError('unavailable', 'it cannot be asked'),
      over: /^unavailable: .* cannot be renewed: it cannot be asked$/,
    },
    {
      name: 'the answer cannot be trusted',
      renewal: { kind: 'unsound', why: 'JWT signature verification failed' },
      over: /^login-failed: .* cannot be renewed: JWT signature verification failed$/,
    },
    {
      name: 'the client is refused',
      renewal: { kind: 'refused', code: 'invalid_client', why: 'who?' },
      over: /^login-failed: .* cannot be renewed: who\?$/,
    },
    {
      name: 'the login has ended',
      renewal: REFUSAL,
      over: /^the login has ended \(invalid_grant: gone\)$/,
      forgotten: true,
    },
  ]
  for (const { name, renewal, over, forgotten = false } of CASES) {
    it(`is used while its token is valid although ${name}`, async () => {
      const { outcome, requests, kept } = await ask({ after: 9.5 * MINUTE, renewal })
      assert.deepEqual([outcome, requests], ['id-1', 1])
      assert.equal(kept?.refreshToken, forgotten ? undefined : 'refresh-1')
      assert.equal(kept?.idToken.value, 'id-1')
    })

    it(`is refused when its token has expired and ${name}`, async () => {
      const { outcome, kept } = await ask({ after: 10 * MINUTE, renewal })
      assert.match(outcome, over)
      assert.equal(kept?.refreshToken, forgotten ? undefined : 'refresh-1')
    })
  }

  it('is refused where the provider sends only the other token', async () => {
    const tokens: Tokens = { ...NEXT, idToken: LOGIN.idToken }
    const renewal: Renewal = { kind: 'renewed', tokens }
    const { outcome, kept } = await ask({ after: 11 * MINUTE, renewal })
    assert.match(outcome, /^the provider renews only the access token, .*--token access_token/)
    assert.equal(kept?.refreshToken, 'refresh-2')
    const access = await ask({ after: 11 * MINUTE, renewal, kind: 'access_token' })
    assert.equal(access.outcome, 'access-2')
  })

  it('is refused where the refreshed token has already expired', async () => {
    const tokens: Tokens = { ...NEXT, accessToken: { value: 'x', expires: NOW } }
    const { outcome } = await ask({
      after: 11 * MINUTE,
      renewal: { kind: 'renewed', tokens },
      kind: 'access_token',
    })
    assert.match(outcome, /check the clock of this machine$/)
  })

  it('is refreshed when the clock was set back, and used where that fails', async () => {
    const after = -60 * MINUTE
    const renewal: Renewal = { kind: 'renewed', tokens: { ...NEXT, obtained: NOW + after } }
    assert.equal((await ask({ after, renewal })).outcome, 'id-2')
    const down: Renewal = { kind: 'unavailable', why: 'no' }
    assert.equal((await ask({ after, renewal: down })).outcome, 'id-1')
  })

  it('is refreshed once for simultaneous processes', async () => {
    await using folder = await temporaryFolder()
    const cache = new TokenCache(folder.file('tokens'))
    await cache.write(LOGIN)
    let requests = 0
    const one = async (): Promise<string> => {
      const held = await heldToken({
        cache,
        request: LOGIN,
        kind: 'id_token',
        now: () => NOW + 11 * MINUTE,
        renew: async () => {
          requests++
          await new Promise((resolve) => setTimeout(resolve, 50))
          return { kind: 'renewed', tokens: NEXT }
        },
      })
      return held.outcome === 'held' ? held.token.value : held.why
    }
    const all = await Promise.all(Array.from({ length: 20 }, one))
    assert.deepEqual(new Set(all), new Set(['id-2']))
    assert.equal(requests, 1)
  })

  it('is used by processes that would have to wait for an early refresh', async () => {
    await using folder = await temporaryFolder()
    const cache = new TokenCache(folder.file('tokens'))
    await cache.write(LOGIN)
    await using _ = await cache.lock(LOGIN, { wait: 0 })
    const before = performance.now()
    const held = await heldToken({
      cache,
      request: LOGIN,
      kind: 'id_token',
      now: () => NOW + 9.5 * MINUTE,
      renew: async () => Promise.reject(new TypeError('nobody was to be asked')),
    })
    assert.equal(held.outcome === 'held' ? held.token.value : '', 'id-1')
    assert.ok(performance.now() - before < 5_000)
  })
  it('is not used in its last seconds, while another process refreshes it', async () => {
    await using folder = await temporaryFolder()
    const cache = new TokenCache(folder.file('tokens'))
    await cache.write(LOGIN)
    const turn = await cache.lock(LOGIN, { wait: 0 })
    const pending = heldToken({
      cache,
      request: LOGIN,
      kind: 'id_token',
      now: () => NOW + 10 * MINUTE - 4_000,
      renew: async () => Promise.reject(new TypeError('the other process has renewed it')),
    })
    await cache.write({ ...LOGIN, ...NEXT })
    await turn?.[Symbol.asyncDispose]()
    const held = await pending
    assert.equal(held.outcome === 'held' ? held.token.value : '', 'id-2')
  })
})
