// An API server that is scripted by the definitions of the API, over real HTTPS, and an authenticator that uses it.

import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Authenticator } from '../../../src/authenticate/authenticator.ts'
import { createAuthority, type Authority } from '../../servers/pki.ts'
import { buildFrom, type Built } from '../building.ts'
import { FakeClock } from '../../fakes/clock.ts'
import { startTokenServer, type TokenServerHandle } from '../../servers/token-server.ts'

/** The user of {@link GOOD}. */
export const NAME = 'system:serviceaccount:team-a:builder'
/** The path of TokenReviews. */
export const PATH = '/apis/authentication.k8s.io/v1/tokenreviews'

/** An answer with this status. */
export const review = (status: unknown): string =>
  JSON.stringify({ apiVersion: 'authentication.k8s.io/v1', kind: 'TokenReview', status })

/** The review of a valid token. */
export const GOOD = review({
  authenticated: true,
  user: {
    username: NAME,
    uid: 'u-1',
    groups: ['system:serviceaccounts', 'system:serviceaccounts:team-a', 'system:authenticated'],
    extra: { 'authentication.kubernetes.io/pod-name': ['web-0'] },
  },
  audiences: ['countersign'],
})
/** The review of an invalid token. */
export const INACTIVE = review({ authenticated: false, error: 'invalid bearer token' })

/** A scripted API server, and an authenticator that uses it. */
export interface Site extends AsyncDisposable {
  readonly scripted: TokenServerHandle
  readonly authority: Authority
  readonly authenticator: Authenticator
  readonly built: Built
  readonly clock: FakeClock
  /** The file of Countersign's own token. */
  readonly tokenFile: string
}

/** Starts a server that accepts every token, and builds an authenticator that uses it. */
export const start = async (settings: Readonly<Record<string, unknown>> = {}): Promise<Site> => {
  await using stack = new AsyncDisposableStack()
  const authority = stack.use(await createAuthority('Countersign API server test CA'))
  const identity = await authority.issue({
    commonName: 'api',
    names: ['127.0.0.1'],
    usage: 'server',
  })
  const scripted = stack.use(await startTokenServer(identity, () => ({ status: 201, body: GOOD })))
  const tokenFile = join(authority.folder, 'own.token')
  await writeFile(tokenFile, 'own-token-1\n')
  const clock = new FakeClock()
  const tokenReview = {
    server: scripted.origin,
    ca: authority.ca,
    token: `file:${tokenFile}`,
    ...settings,
  }
  const file = join(authority.folder, 'countersign.yaml')
  const built = stack.use(await buildFrom(file, JSON.stringify({ tokenReview }), clock))
  assert.deepEqual(built.problems, [])
  assert.ok(built.link !== undefined)
  const { authenticator } = built.link
  const owned = stack.move()
  return {
    scripted,
    authority,
    authenticator,
    built,
    clock,
    tokenFile,
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}
