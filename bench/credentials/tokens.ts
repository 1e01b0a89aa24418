// Signed tokens, whose keys are in a file; alone, and bound to a key that the caller proves anew with every
// request (DPoP).

import { createHash, randomBytes, sign } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import { encode, makeKey } from '../../test/authenticate/bearer/issuing.ts'
import { makeCaller, type Caller } from '../../test/authenticate/bearer/proving.ts'
import type { Installation } from '../installation.ts'
import { pathOf } from '../requests.ts'
import { GROUPS, HEADERS_ROUTE } from '../site.ts'
import type { Scheme, StartScheme } from './scheme.ts'

/** `iss` of all tokens. */
export const ISSUER = 'https://login.example.org'
/** `aud` of all tokens. */
export const AUDIENCE = 'kubernetes'
// Longer than any run.
const HALF_DAY = 12 * 3_600

/** Tokens of one issuer, by user. */
export interface Issued {
  readonly tokens: ReadonlyMap<string, string>
  /** The path of the key set. */
  readonly keySet: string
  readonly authenticator: (cacheTtl: string) => {
    readonly bearer: object
    readonly identity: object
  }
}

/** Bearer tokens with one kind of signature. */
export const signedTokens =
  (algorithm: string): StartScheme =>
  async (installation, users) => {
    const { tokens, authenticator } = await issue(installation, algorithm, users)
    return {
      name: `JWT, ${algorithm}`,
      authenticators: (cacheTtl) => [authenticator(cacheTtl)],
      credential: (user) => ({ headers: [['authorization', `Bearer ${tokens.get(user) ?? ''}`]] }),
      proofs: 'many',
      remembers: true,
    }
  }

/** Tokens that are bound to their caller's key. */
export const boundTokens: StartScheme = async (installation, users) => {
  const callers = new Map<string, Caller>()
  for (const user of users) callers.set(user, await makeCaller())
  const { tokens, authenticator } = await issue(installation, 'ES256', users, (user) => ({
    cnf: { jkt: callers.get(user)?.thumbprint },
  }))
  const credential: Scheme['credential'] = (user, index) => {
    const [caller, token] = [callers.get(user), tokens.get(user)]
    if (caller === undefined || token === undefined) throw new Error(`no token for ${user}`)
    const proof = proofOf(caller, token, index)
    return {
      headers: [
        ['authorization', `DPoP ${token}`],
        ['dpop', proof],
      ],
    }
  }
  return {
    name: 'JWT, ES256, with DPoP proof',
    authenticators: (cacheTtl) => {
      const { bearer, identity } = authenticator(cacheTtl)
      // The longest there is: the proofs are all made before the first is sent.
      return [{ bearer: { ...bearer, dpop: { window: '10m', require: true } }, identity }]
    },
    credential,
    proofs: 'many',
    remembers: true,
    once: true,
  }
}

/** A proof for one request (RFC 9449 §4.2). By node:crypto: thousands are made. */
const proofOf = ({ jwk, privateKey }: Caller, token: string, index: number): string => {
  const header = { typ: 'dpop+jwt', alg: 'ES256', jwk }
  const claims = {
    jti: randomBytes(16).toString('base64url'),
    htm: 'GET',
    htu: `https://${HEADERS_ROUTE.host}${pathOf(index).replace(/\?.*/, '')}`,
    iat: Math.floor(Date.now() / 1_000),
    ath: createHash('sha256').update(token).digest('base64url'),
  }
  const signed = `${encode(JSON.stringify(header))}.${encode(JSON.stringify(claims))}`
  const key = { key: privateKey, dsaEncoding: 'ieee-p1363' } as const
  return `${signed}.${encode(sign('sha256', Buffer.from(signed), key))}`
}

let issuers = 0

/** Tokens for these users, by an issuer of their own. */
export const issue = async (
  installation: Installation,
  algorithm: string,
  users: readonly string[],
  more: (user: string) => object = () => ({}),
): Promise<Issued> => {
  const key = await makeKey(algorithm)
  const file = installation.file(`issuer-${(issuers += 1)}.jwks`)
  await writeFile(file, JSON.stringify({ keys: [key.jwk] }))
  const now = Math.floor(Date.now() / 1_000)
  const common = { iss: ISSUER, aud: AUDIENCE, groups: GROUPS, iat: now, exp: now + HALF_DAY }
  const tokens = new Map<string, string>()
  for (const user of users) {
    tokens.set(user, await key.token({ ...common, sub: user, ...more(user) }))
  }
  return {
    tokens,
    keySet: file,
    authenticator: (cacheTtl) => ({
      bearer: { issuer: ISSUER, audiences: [AUDIENCE], keys: { file }, cacheTtl },
      identity: { user: 'claims.sub', groups: 'claims.groups' },
    }),
  }
}
