// How the artifacts of `oidc-provider` are stored in `state`: the sets that each belongs to, and its kind of record.

import type { AdapterPayload } from 'oidc-provider'
import {
  artifactIndexes,
  DEVICE_CODES,
  grantIndex,
  GRANTS,
  grantsIndex,
  LOGINS,
} from '../../logins/login-store.ts'
import type { RecordKind } from '../../state/record-store.ts'
import { ENDPOINTS } from '../http/paths.ts'

/** The sets that an artifact belongs to. */
export const indexesOf = (kind: string, payload: AdapterPayload): readonly string[] => {
  const { grantId, accountId, sessionUid, result } = payload
  // Of a login under way it is who has just been proven.
  const account = accountId ?? result?.login?.accountId
  const indexes = [
    ...(grantId === undefined ? [] : [grantIndex(grantId)]),
    ...(account === undefined ? [] : artifactIndexes(account)),
    ...(kind === 'Grant' && sessionUid !== undefined ? [grantsIndex(sessionUid)] : []),
  ]
  const counted = countedIn(kind, payload)
  return counted === undefined ? indexes : [...indexes, counted]
}

/** The set by which the artifact is counted. */
const countedIn = (kind: string, { accountId, error }: AdapterPayload): string | undefined => {
  switch (kind) {
    case 'Session':
      return accountId === undefined ? undefined : LOGINS
    case 'Grant':
      return GRANTS
    case 'DeviceCode': // one that is approved or denied is written again
      return accountId === undefined && error === undefined ? DEVICE_CODES : undefined
    default:
      return undefined
  }
}

/**
 * The kind of record of an artifact: only an authenticated user or client takes room of the logins' quota.
 *
 * @param path of the request that writes it
 */
export const recordKindOf = (kind: string, payload: AdapterPayload, path?: string): RecordKind => {
  switch (kind) {
    // RFC 9449 §11.1. The endpoint for pushed requests accepts proofs of public clients; a replayed one
    // yields a code that only the holder of its key can use (§10.1).
    case 'ReplayDetection':
      return path === ENDPOINTS.pushed_authorization_request ? 'public' : 'used'
    case 'PushedAuthorizationRequest': // RFC 9126: of public clients, too
      return payload.trusted ? 'login' : 'public'
    case 'DeviceCode':
      return personIn(payload) === undefined ? 'anonymous' : 'login'
    default:
      return 'login'
  }
}

/** The account that has logged in, where one has. */
export const personIn = ({ accountId, result, session }: AdapterPayload): string | undefined =>
  accountId ?? result?.login?.accountId ?? session?.accountId
