import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { after, before, beforeEach, describe, it } from 'node:test'
import { http2On, openHttp2, valuesOf, type Answer } from '../../servers/client.ts'
import { skipWithoutEnvoy } from '../../servers/envoy.ts'
import { createPki, type Pki } from '../../servers/pki.ts'
import { startTokenServer, type TokenServerHandle } from '../../servers/token-server.ts'
import { bearer, send, verdictOf, verdictOn } from '../asking.ts'
import { ALICE, eventually, HOST, received, startSite, type Site } from '../site.ts'

const ISSUER = 'https://login.example.org'
const AUDIENCE = 'kubernetes'

/** As many questions as may be open at the endpoint. */
const CONCURRENCY = 8

const ACTIVE = { active: true, iss: ISSUER, aud: AUDIENCE, sub: 'alice' }

describe('a slow introspection endpoint', { skip: skipWithoutEnvoy() }, () => {
  let pki: Pki
  let server: TokenServerHandle
  let site: Site
  before(async () => {
    pki = await createPki()
    const secret = `${pki.folder}/client.secret`
    await writeFile(secret, 'hush', { mode: 0o600 })
    server = await startTokenServer(pki.upstream, () => ({ body: ACTIVE }))
    site = await startSite({
      authenticators: {
        opaque: {
          introspection: {
            issuer: ISSUER,
            endpoint: `${server.origin}/introspect`,
            ca: pki.ca,
            client: { id: 'countersign', secret: `file:${secret}` },
            audiences: [AUDIENCE],
            cacheTtl: '1m',
            timeout: '1s',
            coolDown: '200ms',
            concurrency: CONCURRENCY,
          },
        },
      },
      route: { authenticate: ['opaque', 'staff'] },
    })
  })
  beforeEach(async () => {
    server.answer = () => ({ body: ACTIVE })
    // Whatever an earlier test has broken is whole again.
    await eventually(
      () => verdictOn(site, bearer(freshToken())),
      (verdict) => verdict === '200 permitted',
    )
  })
  after(async () => {
    await site[Symbol.asyncDispose]()
    await server[Symbol.asyncDispose]()
    await pki[Symbol.asyncDispose]()
  })

  let tokens = 0
  const freshToken = (): string => `opaque-${(tokens += 1)}`

  /** Shows each of the tokens on one connection, all at once. */
  const atOnce = async (presented: readonly string[]): Promise<readonly Answer[]> => {
    const session = await openHttp2(site.target)
    try {
      return await Promise.all(
        presented.map((token) => http2On(session, { host: HOST, headers: [bearer(token)] })),
      )
    } finally {
      session.destroy()
    }
  }

  const introspectedTokens = (token: string): number =>
    server.requests.filter(({ form }) => form['token'] === token).length

  it('is queried once about a token in a hundred simultaneous requests', async () => {
    const token = freshToken()
    const held = Promise.withResolvers<void>()
    server.answer = () => {
      setTimeout(held.resolve, 300)
      return { body: ACTIVE, after: held.promise }
    }
    const answers = await atOnce(Array.from({ length: 100 }, () => token))
    assert.deepEqual(
      answers.filter(({ status }) => status !== 200),
      [],
    )
    assert.equal(introspectedTokens(token), 1)
    assert.equal((await send(site, bearer(token))).status, 200)
    assert.equal(introspectedTokens(token), 1)
  })

  it('is queried once about a token that is refused, too', async () => {
    const token = freshToken()
    server.answer = () => ({ body: { active: false } })
    const answers = await atOnce(Array.from({ length: 100 }, () => token))
    assert.ok(answers.every(({ status }) => status === 401))
    assert.equal(introspectedTokens(token), 1)
  })

  it('delays no request beyond the deadline: 503, and passwords are still accepted', async () => {
    const held = Promise.withResolvers<void>()
    server.answer = () => ({ body: ACTIVE, after: held.promise })
    const slow = send(site, bearer(freshToken()))
    assert.equal(await verdictOn(site, ALICE), '200 permitted')
    const answer = await slow
    // Not by Envoy, whose own limit is longer: Countersign says it, and when to come back.
    assert.equal(await verdictOf(site, answer), '503 authenticator-unavailable')
    assert.equal(valuesOf(answer, 'retry-after').length, 1)
    held.resolve()
  })

  it('gets few queries at once, and from one address at most its budget', async () => {
    const held = Promise.withResolvers<void>()
    const earlier = server.requests.length
    server.answer = () => ({ body: ACTIVE, after: held.promise })
    const answers = await atOnce(Array.from({ length: 90 }, freshToken))
    const verdicts = new Set<string>()
    for (const answer of answers) verdicts.add(await verdictOf(site, answer))
    assert.deepEqual([...verdicts].toSorted(), [
      '429 rate-limited',
      '503 authenticator-unavailable',
    ])
    const requests = server.requests.length - earlier
    assert.ok(requests <= 20, `${requests} were asked`)
    assert.equal(await verdictOn(site, ALICE), '200 permitted')
    held.resolve()
  })

  it('is queried again when it answers again, and its answer is used', async () => {
    const token = freshToken()
    server.answer = () => ({ status: 503 })
    await eventually(
      () => verdictOn(site, bearer(token)),
      (verdict) => verdict === '503 authenticator-unavailable',
    )
    server.answer = () => ({ body: ACTIVE })
    const answer = await eventually(
      () => send(site, bearer(token)),
      ({ status }) => status === 200,
    )
    assert.deepEqual(received(answer, 'x-remote-user'), [`${ISSUER}#alice`])
  })

  const HOSTILE: readonly {
    readonly name: string
    readonly body: unknown
    readonly verdict: string
  }[] = [
    {
      name: 'for another audience',
      body: { ...ACTIVE, aud: 'other' },
      verdict: '401 token-audience',
    },
    {
      name: 'for several audiences',
      body: { ...ACTIVE, aud: ['other', AUDIENCE] },
      verdict: '200 permitted',
    },
    {
      name: 'without an audience',
      body: { ...ACTIVE, aud: undefined },
      verdict: '401 token-audience',
    },
    {
      name: 'of another issuer',
      body: { ...ACTIVE, iss: 'https://login.example.net' },
      verdict: '401 token-claims',
    },
    { name: 'that has expired', body: { ...ACTIVE, exp: 1 }, verdict: '401 token-expired' },
    { name: 'without a subject', body: { ...ACTIVE, sub: undefined }, verdict: '401 token-claims' },
    {
      name: 'of a user whose name is longer than allowed',
      body: { ...ACTIVE, sub: 'x'.repeat(2_000) },
      verdict: '403 identity-too-large',
    },
    {
      name: 'for refreshing other tokens',
      body: { ...ACTIVE, token_type: 'refresh_token' },
      verdict: '401 token-type',
    },
    {
      name: 'bound to a key that the request does not prove',
      body: { ...ACTIVE, cnf: { jkt: 'x' } },
      verdict: '401 token-binding',
    },
    {
      name: 'with `active` "true" as a text',
      body: { ...ACTIVE, active: 'true' },
      verdict: '503 authenticator-unavailable',
    },
    { name: 'in a list', body: [ACTIVE], verdict: '503 authenticator-unavailable' },
    {
      name: 'with two active fields',
      body: '{"active":false,"active":true,"aud":"kubernetes","sub":"alice"}',
      verdict: '503 authenticator-unavailable',
    },
  ]
  for (const { name, body, verdict } of HOSTILE) {
    it(`a slow introspection endpoint that reports a token ${name}: ${verdict}`, async () => {
      site.upstream.clear()
      server.answer = () => ({ body })
      assert.equal(await verdictOn(site, bearer(freshToken())), verdict)
      assert.equal(site.upstream.requests.length, verdict.startsWith('200') ? 1 : 0)
    })
  }
})
