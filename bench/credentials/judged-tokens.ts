// Tokens that another server judges: an issuer's introspection endpoint, a Kubernetes API server. Both are
// one process next to authz that answers the same of a token every time.

import { randomBytes, randomUUID } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import { z } from 'zod'
import { makeKey } from '../../test/authenticate/bearer/issuing.ts'
import { createAuthority } from '../../test/servers/pki.ts'
import type { Installation } from '../installation.ts'
import { GROUPS } from '../site.ts'
import { Worker } from '../worker.ts'
import type { Scheme, StartScheme } from './scheme.ts'

const ISSUER = 'https://login.example.org'
const AUDIENCE = 'kubernetes'
const SECRET = 'a-secret-of-the-bench'
const HOUR = 3_600

/** Tokens that are introspected (RFC 7662). */
export const introspection: StartScheme = async (installation, users) => {
  const tokens = new Map(users.map((user) => [user, randomBytes(32).toString('base64url')]))
  const server = await startTokenServer(installation, 'introspection', tokens)
  return schemeOf('opaque token, introspection', tokens, (cacheTtl) => ({
    introspection: {
      issuer: ISSUER,
      endpoint: `${server.origin}/introspect`,
      ca: server.ca,
      client: { id: 'countersign', secret: server.secret },
      audiences: [AUDIENCE],
      cacheTtl,
    },
    identity: { user: 'claims.sub', groups: 'claims.groups' },
  }))
}

/** Tokens of service accounts, which a Kubernetes API server reviews. */
export const tokenReview: StartScheme = async (installation, users) => {
  const key = await makeKey('RS256')
  const tokens = new Map<string, string>()
  for (const user of users) tokens.set(user, await key.token(serviceAccountClaims(user)))
  const server = await startTokenServer(installation, 'review', tokens)
  return schemeOf('service account, TokenReview', tokens, (cacheTtl) => ({
    tokenReview: { server: server.origin, ca: server.ca, token: server.secret, cacheTtl },
  }))
}

/** As an API server writes them: tokens as long as real ones. */
const serviceAccountClaims = (name: string): Readonly<Record<string, unknown>> => {
  const now = Math.floor(Date.now() / 1_000)
  return {
    aud: ['https://kubernetes.default.svc.cluster.local'],
    exp: now + HOUR,
    iat: now,
    iss: 'https://kubernetes.default.svc.cluster.local',
    jti: randomUUID(),
    'kubernetes.io': {
      namespace: 'team-a',
      node: { name: 'worker-1', uid: randomUUID() },
      pod: { name: `${name}-5f7d9c6b8-x2v4q`, uid: randomUUID() },
      serviceaccount: { name, uid: randomUUID() },
      warnafter: now + HOUR / 2,
    },
    nbf: now,
    sub: `system:serviceaccount:team-a:${name}`,
  }
}

const schemeOf = (
  name: string,
  tokens: ReadonlyMap<string, string>,
  authenticator: (cacheTtl: string) => object,
): Scheme => ({
  name,
  authenticators: (cacheTtl) => [authenticator(cacheTtl)],
  credential: (user) => ({ headers: [['authorization', `Bearer ${tokens.get(user) ?? ''}`]] }),
  proofs: 'many',
  remembers: true,
})

interface TokenServer {
  readonly origin: string
  /** The path of its CA's certificate. */
  readonly ca: string
  /** A reference to what proves us to it. */
  readonly secret: string
}

/** Starts the server; a token that is none of these is not active. */
export const startTokenServer = async (
  installation: Installation,
  name: string,
  tokens: ReadonlyMap<string, string>,
): Promise<TokenServer> => {
  const authority = installation.use(await createAuthority('Countersign token bench CA'))
  const names = ['127.0.0.1']
  const identity = await authority.issue({ commonName: name, names, usage: 'server' })
  const answers = Object.fromEntries(
    Array.from(tokens, ([user, token]) => [token, answersOf(user)] as const),
  )
  const worker = installation.use(new Worker('token-server'))
  const port = await worker.ask({ ...identity, answers }, z.int())
  const file = installation.file(`${name}.secret`)
  await writeFile(file, SECRET, { mode: 0o600 })
  return {
    origin: `https://127.0.0.1:${port}`,
    ca: authority.ca,
    secret: `file:${file}`,
  }
}

/** What is said of a user's token, by way of asking. */
const answersOf = (user: string): { readonly introspection: string; readonly review: string } => ({
  introspection: JSON.stringify({
    active: true,
    iss: ISSUER,
    aud: AUDIENCE,
    sub: user,
    groups: GROUPS,
    token_type: 'Bearer',
    exp: Math.floor(Date.now() / 1_000) + HOUR,
  }),
  review: JSON.stringify({
    apiVersion: 'authentication.k8s.io/v1',
    kind: 'TokenReview',
    status: {
      authenticated: true,
      user: { username: user, uid: `uid-of-${user}`, groups: [...GROUPS, 'system:authenticated'] },
    },
  }),
})
