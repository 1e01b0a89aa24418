// What callers of the composed routes can show, and the authenticators that take it.

import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { hashOf, newApiKey } from '../../../src/authenticate/api-key/key.ts'
import { claimsOf, jwksOf, makeKey } from '../../authenticate/bearer/issuing.ts'
import type { HeaderLine } from '../../servers/client.ts'

/** Seconds since the epoch. */
export const now = (): number => Math.floor(Date.now() / 1_000)

/** The key of a program. */
export const botKey = newApiKey('bot')
/** The key of a program that is called as alice is. */
export const aliceKey = newApiKey('alice')
/** A key that was never issued. */
export const strangeKey = newApiKey('nobodys')

const KEYS = `keys:
  bot: { hash: '${hashOf(botKey)}', user: bot, groups: [bots] }
  alice: { hash: '${hashOf(aliceKey)}', user: alice }
`

/** The line that shows a key. */
export const key = (text: string): HeaderLine => ['X-Api-Key', text]

const issuer = await makeKey()

/** A token of alice, valid for five minutes, with these claims changed. */
export const tokenWith = (changes: Readonly<Record<string, unknown>> = {}): Promise<string> =>
  issuer.token(claimsOf({ iat: now(), exp: now() + 300, ...changes }))

/**
 * Tokens and keys, and the callers that show nothing.
 *
 * @param folder for their files, which stays as long as the site
 * @param bearer keys of the section that differ
 */
export const authenticatorsIn = async (
  folder: string,
  bearer: Readonly<Record<string, unknown>> = {},
): Promise<Readonly<Record<string, unknown>>> => {
  const [jwks, keys] = [join(folder, 'jwks.json'), join(folder, 'api-keys.yaml')]
  await writeFile(jwks, jwksOf(issuer))
  await writeFile(keys, KEYS)
  const { iss, aud } = claimsOf()
  return {
    tokens: {
      bearer: { realm: 'Tokens', issuer: iss, audiences: [aud], keys: { file: jwks }, ...bearer },
      identity: { user: 'claims.sub', groups: '["by-token"]' },
    },
    keys: {
      apiKey: { realm: 'Keys', file: keys, locations: [{ header: 'X-Api-Key' }] },
    },
    nobody: { anonymous: { user: 'visitor' } },
  }
}
