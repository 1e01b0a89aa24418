// API keys: long random values, one for each client, stored as digests. For programs, which cannot log in or refresh a
// token.

import { presentedId } from '../../identity/presented-credential.ts'
import type { Clock } from '../../runtime/clock.ts'
import type { Authentication, Authenticator } from '../authenticator.ts'
import { locationsAt, keyReader, type KeyLocation } from './locations.ts'
import { readApiKey } from './key.ts'
import type { KeysFile } from './keys-file.ts'

/** What an API key authenticator needs. */
export interface ApiKeyOptions {
  /** Its name in the configuration. */
  readonly name: string
  readonly realm: string
  readonly places: readonly KeyLocation[]
  readonly keys: KeysFile
  readonly clock: Clock
}

/**
 * Makes an authenticator for the API keys of one file.
 *
 * Verified keys are not cached: a verification is one SHA-256 of some hundred bytes, which is as fast as the keyed
 * hash of a cache lookup.
 */
export const apiKeyAuthenticator = ({
  name,
  realm,
  places,
  keys,
  clock,
}: ApiKeyOptions): Authenticator => {
  const read = keyReader(places)
  return {
    name,
    challenges: places.map((place) => challengeOf(realm, place)),
    locations: locationsAt(places),
    authenticate: (request) => {
      const credentials = read(request)
      return credentials.outcome === 'present'
        ? prove(credentials.text, keys, clock)
        : NOT_PROVEN[credentials.outcome]
    },
  }
}

const NOT_PROVEN = {
  absent: { outcome: 'not-applicable' },
  malformed: { outcome: 'rejected', code: 'credential-malformed' },
  conflict: { outcome: 'rejected', code: 'credential-conflict' },
} as const

const prove = (text: string, keys: KeysFile, clock: Clock): Authentication => {
  const key = readApiKey(text)
  if (key === undefined) return NOT_PROVEN.malformed
  const known = keys.find(key)
  if (known === undefined) {
    return { outcome: 'rejected', code: 'api-key-unknown', presented: presentedId(key.id, false) }
  }
  const { credential } = known
  const { user, presented } = credential
  return credential.expires !== undefined && clock.now() >= credential.expires
    ? { outcome: 'rejected', code: 'api-key-expired', user, presented }
    : { outcome: 'authenticated', credential }
}

/**
 * RFC 9110 §11.6.1 requires a challenge with every 401, and no scheme is registered for API keys. This one names the
 * location of the key in the terms of OpenAPI (`securitySchemes`, type `apiKey`).
 */
const challengeOf = (realm: string, place: KeyLocation): string =>
  place.kind === 'header' && place.scheme !== undefined
    ? `${place.scheme} realm="${realm}"`
    : `ApiKey realm="${realm}", in="${place.kind}", name="${place.name}"`
