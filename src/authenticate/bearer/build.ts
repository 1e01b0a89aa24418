// The `bearer` section, built, with the source of its keys.

import type { Authenticator } from '../authenticator.ts'
import { bearerAuthenticator } from './authenticator.ts'
import { endedTokenCheck, type EndedTokenCheck } from '../session/token-status.ts'
import { RevocationMarks } from '../../logins/revocation-marks.ts'
import type { DpopOptions } from './dpop.ts'
import { fixedKeySet, type KeySet } from './key-set.ts'
import { ownKeySet } from './own-key-set.ts'
import { bearerSchema, type BearerConfig } from './schema.ts'
import type { CredentialLocation } from '../../request/credential-location.ts'
import { BEARER_LOCATIONS } from './bearer-credentials.ts'
import type { AuthenticatorKind } from '../kind.ts'
import type { AuthenticatorParts } from '../parts.ts'

/** Builds an authenticator for bearer tokens; `undefined` when there are problems with its keys. */
const buildBearer = async (
  name: string,
  config: BearerConfig,
  parts: AuthenticatorParts,
): Promise<Authenticator | undefined> => {
  const path = ['authenticators', name, 'bearer']
  const keys = await parts.problems.collect(path, () => keySetOf(config, parts))
  const { clock, credentialCache: cache } = parts
  const dpop = dpopOf(config, parts)
  const isTokenEnded = endingsOf(config, parts)
  return keys && bearerAuthenticator({ ...config, name, keys, clock, cache, dpop, isTokenEnded })
}

// The default of sessions: the end of a login takes effect everywhere within this time.
const LONGEST_REMEMBERED_MS = 5_000

/** The ended logins, where the issuer of the tokens is Countersign's own. */
const endingsOf = (
  { issuer, cacheTtl }: BearerConfig,
  { loginIssuer, loginStatus, state, clock }: AuthenticatorParts,
): EndedTokenCheck | undefined =>
  issuer === loginIssuer
    ? endedTokenCheck({
        grant: loginStatus.grant,
        revocationMarks: new RevocationMarks(state.records, clock),
        cacheTtl: Math.min(cacheTtl, LONGEST_REMEMBERED_MS),
      })
    : undefined

const dpopOf = (
  { dpop, skew }: BearerConfig,
  { clock, replays }: AuthenticatorParts,
): DpopOptions | undefined =>
  dpop && { ...dpop, origins: new Map(Object.entries(dpop.origins)), skew, clock, replays }

const keySetOf = async (
  { issuer, keys }: BearerConfig,
  { files, keySets, inUse, issuer: own }: AuthenticatorParts,
): Promise<KeySet> => {
  const { file, url, ca, ...times } = keys
  if (file !== undefined) return fixedKeySet(file, await files.read(file))
  if (url === undefined && own !== undefined && issuer === own.url) return ownKeySet(own.keys)
  const set = keySets.acquire({
    source: url === undefined ? { kind: 'discovery', issuer } : { kind: 'url', url },
    ca: ca === undefined ? undefined : await files.read(ca),
    times,
  })
  inUse.add(set)
  return set
}

// RFC 9449 §4.1
const DPOP_PROOF: CredentialLocation = { kind: 'header', name: 'dpop' }

/** The kind `bearer`. */
export const bearer = {
  schema: bearerSchema,
  subject: 'claims',
  method: 'bearer',
  proves: ['claims', 'token'],
  locations: ({ dpop }) =>
    dpop === undefined ? BEARER_LOCATIONS : [...BEARER_LOCATIONS, DPOP_PROOF],
  build: buildBearer,
} as const satisfies AuthenticatorKind<BearerConfig>
