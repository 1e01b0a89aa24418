// An introspection authenticator and a scripted server for it, with the fewest options.

import { readFile } from 'node:fs/promises'
import type { Authenticator } from '../../../src/authenticate/authenticator.ts'
import { CredentialCache } from '../../../src/authenticate/credential-cache.ts'
import {
  introspectionAuthenticator,
  type IntrospectionOptions,
} from '../../../src/authenticate/introspection/authenticator.ts'
import { secretInHeader } from '../../../src/clients/token-endpoint/client-authentication.ts'
import { fixedEndpoint } from '../../../src/clients/token-endpoint/endpoint.ts'
import { TokenServer } from '../../../src/clients/token-endpoint/server.ts'
import type { Clock } from '../../../src/runtime/clock.ts'
import { httpFetcher, type HttpFetchOptions } from '../../../src/runtime/http/fetch.ts'
import type { SharedServerLimits } from '../../../src/runtime/shared-server.ts'
import { FakeClock } from '../../fakes/clock.ts'
import { memoryLogger } from '../../fakes/logger.ts'
import { createAuthority, type Authority } from '../../servers/pki.ts'
import { startTokenServer, type TokenServerHandle } from '../../servers/token-server.ts'
import { AUDIENCE, ISSUER, NOW } from '../bearer/issuing.ts'

/** Short enough for tests that wait for them, and long enough for a busy machine. */
export const LIMITS: SharedServerLimits = {
  timeout: 10_000,
  failureThreshold: 3,
  coolDown: 5_000,
  concurrency: 256,
  perCaller: { concurrency: 20, perSecond: 50 },
}

/** The scripted answer for an opaque token of alice. */
export const ACTIVE = { active: true, sub: 'alice', aud: AUDIENCE, exp: NOW + 300 } as const

/** A client of an introspection endpoint, and what a test observes of it. */
export interface Asking {
  readonly server: TokenServer
  readonly log: readonly string[]
  /** Does not advance by itself, unless the server was given another clock. */
  readonly clock: FakeClock
}

/** A client of servers whose certificates are of an authority; its connections end with the stack. */
export const askingBy = async (
  stack: AsyncDisposableStack,
  authority: Authority,
  limits: Partial<SharedServerLimits> = {},
  {
    client,
    clock: ticking,
  }: { readonly client?: HttpFetchOptions['client']; readonly clock?: Clock } = {},
): Promise<Asking> => {
  const { logger, lines } = memoryLogger()
  const clock = new FakeClock()
  const { fetch } = stack.use(httpFetcher({ ca: await readFile(authority.ca), client, kept: 4 }))
  const server = new TokenServer({
    name: 'the server',
    fetch,
    limits: { ...LIMITS, ...limits },
    remedy: 'see "client"',
    isGood: ({ active }) => active !== false,
    clock: ticking ?? clock,
    logger,
  })
  return { server, log: lines, clock }
}

/** An authenticator that asks a scripted server. */
export const introspectionBy = (
  { server, clock }: Pick<Asking, 'server'> & { readonly clock: Clock },
  url: string,
  options: Partial<IntrospectionOptions> = {},
): Authenticator =>
  introspectionAuthenticator({
    name: 'opaque',
    realm: 'Kubernetes',
    issuer: ISSUER,
    audiences: [AUDIENCE],
    audienceMissing: 'refuse',
    subject: 'sub',
    tokens: 'opaque',
    skew: 0,
    endpoint: fixedEndpoint(url),
    client: secretInHeader('countersign', 'client-secret'),
    server,
    generation: 'g',
    cacheTtl: 30_000,
    clock,
    cache: new CredentialCache(clock),
    ...options,
  })

/** A scripted server, an authenticator that uses it, and what a test observes of both. */
export interface Introspection extends AsyncDisposable, Asking {
  readonly scripted: TokenServerHandle
  readonly authority: Authority
  readonly authenticator: Authenticator
  /** Another authenticator that uses the same server. */
  with(options: Partial<IntrospectionOptions>): Authenticator
}

/** Starts a server; it answers {@link ACTIVE} for every token until a test changes that. */
export const startIntrospection = async (
  options: Partial<IntrospectionOptions> = {},
  limits: Partial<SharedServerLimits> = {},
  clock?: Clock,
): Promise<Introspection> => {
  await using stack = new AsyncDisposableStack()
  const authority = stack.use(await createAuthority('Countersign token test CA'))
  const identity = await authority.issue({
    commonName: 'login',
    names: ['127.0.0.1'],
    usage: 'server',
  })
  const scripted = stack.use(await startTokenServer(identity, () => ({ body: ACTIVE })))
  const asking = await askingBy(stack, authority, limits, clock === undefined ? {} : { clock })
  const url = `${scripted.origin}/introspect`
  const withOptions = (more: Partial<IntrospectionOptions>): Authenticator =>
    introspectionBy(asking, url, { ...options, ...more })
  const owned = stack.move()
  return {
    ...asking,
    scripted,
    authority,
    authenticator: withOptions({}),
    with: withOptions,
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}
