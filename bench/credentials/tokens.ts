// Signed tokens, whose keys stand in a file.

import { writeFile } from 'node:fs/promises'
import { makeKey } from '../../test/authenticate/token/issuing.ts'
import { GROUPS } from '../site.ts'
import type { StartScheme } from './scheme.ts'

const ISSUER = 'https://login.example.org'
const AUDIENCE = 'kubernetes'
const HOUR = 3_600

/** Bearer tokens with one kind of signature. */
export const signedTokens =
  (algorithm: string): StartScheme =>
  async (installation, users) => {
    const key = await makeKey(algorithm)
    const file = installation.file(`${algorithm}.jwks`)
    await writeFile(file, JSON.stringify({ keys: [key.jwk] }))
    const now = Math.floor(Date.now() / 1_000)
    const tokens = new Map<string, string>()
    for (const user of users) {
      const claims = { iss: ISSUER, aud: AUDIENCE, sub: user, groups: GROUPS, iat: now }
      // oxlint-disable-next-line no-await-in-loop -- some dozens
      tokens.set(user, await key.token({ ...claims, exp: now + HOUR }))
    }
    return {
      name: `JWT, ${algorithm}`,
      authenticator: (remember) => ({
        bearer: { issuer: ISSUER, audiences: [AUDIENCE], keys: { file }, remember },
        identity: { user: 'claims.sub', groups: 'claims.groups' },
      }),
      credential: (user) => ({ headers: [['authorization', `Bearer ${tokens.get(user) ?? ''}`]] }),
      proofs: 'many',
      remembers: true,
    }
  }
