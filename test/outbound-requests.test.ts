// Every client that queries a server while a request waits, and a server that hangs, dribbles, never ends or
// speaks another protocol: no such answer is accepted, no caller waits beyond the time limit, no request stays
// open, and an honest answer is accepted afterwards.

import assert from 'node:assert/strict'
import type { RequestListener } from 'node:http'
import { before, describe, it } from 'node:test'
import { setTimeout } from 'node:timers/promises'
import { CredentialCache } from '../src/authenticate/credential-cache.ts'
import { OcspSource } from '../src/pki/ocsp/ocsp.ts'
import { RemoteCrl } from '../src/pki/crl/remote.ts'
import { secretInHeader } from '../src/clients/token-endpoint/client-authentication.ts'
import { discoveredEndpoint, fixedEndpoint } from '../src/clients/token-endpoint/endpoint.ts'
import { jsonFetcher } from '../src/clients/fetch-json.ts'
import { keyFetcher, type KeySource } from '../src/authenticate/bearer/key-source.ts'
import { RemoteKeySet } from '../src/authenticate/bearer/remote-key-set.ts'
import { TokenServer } from '../src/clients/token-endpoint/server.ts'
import { httpFetcher } from '../src/runtime/http/fetch.ts'
import { webFetch } from '../src/runtime/http/web-fetch.ts'
import { exchangedToken } from '../src/transform/token/exchange.ts'
import { TokenCache } from '../src/transform/token/token-cache.ts'
import { OPTIONS as OCSP, alice, ca } from './pki/ocsp/asking.ts'
import { answer, crl, NOW, single } from './pki/revoking.ts'
import { statusOf } from './authenticate/certificate/source-conformance.ts'
import { outcomeOf } from './authenticate/bearer/asking.ts'
import { ACTIVE, introspectionBy, LIMITS } from './authenticate/introspection/introspecting.ts'
import { jwksOf, makeKey } from './authenticate/bearer/issuing.ts'
import { FakeClock } from './fakes/clock.ts'
import { MISBEHAVIOURS, startHostileHttp } from './fakes/hostile-http.ts'
import { memoryLogger } from './fakes/logger.ts'
import { byToken, permitOf, TERMS, wordOf } from './transform/token/asking-for-tokens.ts'

const TIMEOUT_MS = 200
// Beyond every time limit, also on a busy machine.
const NEVER_MS = 10_000
const MINUTE = 60_000

const { logger } = memoryLogger()

/** Something that asks. */
interface User {
  readonly name: string
  /** How an honest server answers. */
  readonly honest: RequestListener
  /** Queries the server: whether the answer was accepted. */
  readonly make: (origin: string, stack: AsyncDisposableStack) => () => Promise<boolean>
}

const json = (body: object): RequestListener => {
  const text = JSON.stringify(body)
  return (_, response) => response.writeHead(200, { 'content-type': 'application/json' }).end(text)
}

// One question at a time: one that stays open is seen by the next.
const tokenServer = (stack: AsyncDisposableStack, clock: FakeClock): TokenServer =>
  new TokenServer({
    name: 'the server',
    fetch: stack.use(httpFetcher({ kept: 4 })).fetch,
    limits: { ...LIMITS, timeout: TIMEOUT_MS, failureThreshold: 1_000, concurrency: 1 },
    remedy: 'see "client"',
    clock,
    logger,
  })

const keys = (source: (origin: string) => KeySource): User['make'] => {
  return (origin, stack) => {
    const clock = new FakeClock()
    const set = stack.use(
      new RemoteKeySet({
        source: origin,
        fetchKeys: keyFetcher(source(origin), jsonFetcher(undefined)),
        times: {
          refresh: { min: MINUTE, max: MINUTE },
          coolDown: 1_000,
          maxAge: MINUTE,
          timeout: TIMEOUT_MS,
        },
        clock,
        logger,
      }),
    )
    return async () => {
      clock.advance(2_000)
      return (await set.newer(undefined)).outcome === 'keys'
    }
  }
}

let jwks = ''
before(async () => {
  jwks = jwksOf(await makeKey())
})

const USERS: readonly User[] = [
  {
    name: 'introspection',
    honest: json(ACTIVE),
    make(origin, stack) {
      const clock = new FakeClock()
      const server = tokenServer(stack, clock)
      const authenticator = introspectionBy({ server, clock }, `${origin}/introspect`)
      return async () => {
        clock.advance(LIMITS.coolDown)
        return (await outcomeOf(authenticator, 'opaque')) === 'authenticated'
      }
    },
  },
  {
    name: 'the discovery of an introspection endpoint',
    honest: (request, response) => {
      const issuer = `http://${request.headers.host}`
      const document = { issuer, introspection_endpoint: `${issuer}/introspect` }
      json(request.url === '/introspect' ? ACTIVE : document)(request, response)
    },
    make(origin, stack) {
      const clock = new FakeClock()
      const endpoint = discoveredEndpoint({
        issuer: origin,
        member: 'introspection_endpoint',
        mutualTls: false,
        fetchJson: jsonFetcher(undefined),
        clock,
      })
      const server = tokenServer(stack, clock)
      const authenticator = introspectionBy({ server, clock }, origin, { endpoint })
      return async () => {
        clock.advance(LIMITS.coolDown)
        return (await outcomeOf(authenticator, 'opaque')) === 'authenticated'
      }
    },
  },
  {
    name: 'token exchange',
    honest: json({ access_token: 'token-1', token_type: 'Bearer', expires_in: 60 }),
    make(origin, stack) {
      const clock = new FakeClock()
      const transformer = exchangedToken({
        terms: TERMS,
        actor: undefined,
        source: {
          name: 'the token endpoint',
          endpoint: fixedEndpoint(`${origin}/token`),
          client: secretInHeader('countersign', 'client-secret'),
          server: tokenServer(stack, clock),
        },
        generation: 'g',
        cache: new TokenCache(),
        keys: new CredentialCache(clock),
        clock,
      })
      const permit = permitOf(byToken(), [['authorization', 'Bearer opaque']])
      const { signal } = new AbortController()
      return async () => {
        clock.advance(LIMITS.coolDown)
        return wordOf(await transformer.transform(permit, signal)) === 'Bearer token-1'
      }
    },
  },
  {
    name: 'a published key set',
    honest: (_, response) => response.end(jwks),
    make: keys((origin) => ({ kind: 'url', url: `${origin}/keys` })),
  },
  {
    name: 'a discovered key set',
    honest: (request, response) => {
      const issuer = `http://${request.headers.host}`
      const document = JSON.stringify({ issuer, jwks_uri: `${issuer}/keys` })
      response.end(request.url === '/keys' ? jwks : document)
    },
    make: keys((issuer) => ({ kind: 'discovery', issuer })),
  },
  {
    name: 'OCSP',
    honest: (_, response) => response.end(answer([single(alice)], { signer: ca })),
    make(origin) {
      const clock = new FakeClock(NOW)
      const urls = [`${origin}/ocsp`]
      const options = { ...OCSP, urls, timeout: TIMEOUT_MS, coolDown: 1_000 }
      const source = new OcspSource(options, { clock, logger })
      return async () => {
        clock.advance(2_000)
        return (await statusOf(source, alice)).outcome === 'good'
      }
    },
  },
  {
    name: 'a published CRL',
    honest: (_, response) => response.end(crl(ca, [])),
    make(origin, stack) {
      const clock = new FakeClock(NOW)
      const remote = stack.use(
        new RemoteCrl({
          url: new URL(`${origin}/ca.crl`),
          fetch: httpFetcher({}).fetch,
          times: { refresh: { min: MINUTE, max: MINUTE }, coolDown: 1_000, timeout: TIMEOUT_MS },
          maxBytes: 1_048_576,
          clock,
          logger,
        }),
      )
      return async () => {
        clock.advance(2_000)
        return await remote.current().then(
          () => true,
          () => false,
        )
      }
    },
  },
  {
    name: 'the client of upstream IdPs',
    honest: json({ honest: true }),
    make(origin) {
      const { fetch } = httpFetcher({})
      const ask = webFetch({ fetch, isConfidential: () => true, limit: TIMEOUT_MS })
      return async () => {
        try {
          const response = await ask(`${origin}/token`, { method: 'GET', headers: {} })
          const document: unknown = await response.json()
          return JSON.stringify(document) === '{"honest":true}'
        } catch {
          return false
        }
      }
    },
  },
]

const neverEnds = async (): Promise<never> => {
  await setTimeout(NEVER_MS, undefined, { ref: false })
  throw new Error('the question stays open')
}

for (const { name, honest, make } of USERS) {
  describe(`${name} at a server that`, { concurrency: 16 }, () => {
    for (const misbehaviour of MISBEHAVIOURS) {
      it(`hostile: fails for a server that ${misbehaviour.name}`, async () => {
        await using stack = new AsyncDisposableStack()
        const server = stack.use(await startHostileHttp(honest))
        const ask = make(server.origin, stack)
        server.misbehaviour = misbehaviour
        assert.equal(await Promise.race([ask(), neverEnds()]), false)
        server.misbehaviour = undefined
        // More than once only where this machine is too busy to answer in time.
        let attempts = 0
        while (!(await Promise.race([ask(), neverEnds()]))) {
          attempts += 1
          assert.ok(attempts < 10, 'an honest answer is not taken')
        }
      })
    }
  })
}
