// LDAP requests as bytes. The one place that knows ldapts, and only as an encoder: its client takes a
// response without a result code for success, reconnects by itself without binding again, and keeps
// what came before StartTLS for after it. Responses are read in responses.ts.

import {
  BindRequest,
  ExtendedRequest,
  FilterParser,
  PasswordPolicyControl,
  SearchRequest,
  UnbindRequest,
} from 'ldapts'
import { describeError } from '../../runtime/errors.ts'

/** What to search. */
export interface Search {
  readonly base: string
  readonly scope: 'base' | 'one' | 'sub'
  /** RFC 4515, complete. */
  readonly filter: string
  readonly attributes: readonly string[]
  /** The server stops after so many entries; more than that are an error. */
  readonly atMost: number
}

const START_TLS = '1.3.6.1.4.1.1466.20037' // RFC 4511 §4.14.1

/**
 * Whether a password can be sent in a bind. With an empty one a bind is "unauthenticated" and
 * succeeds for every user (RFC 4513 §5.1.2). A server that cuts at NUL, or trims, makes other passwords empty.
 */
export const isPresentable = (password: string): boolean =>
  password.trim() !== '' && !password.includes('\0')

/**
 * A simple bind that requests the account's state (draft-behera-ldap-password-policy) as well.
 *
 * @throws Error when name or password is empty: that would be an anonymous bind
 */
export const bindRequest = (messageId: number, dn: string, password: string): Buffer => {
  if (dn.trim() === '' || !isPresentable(password)) {
    throw new Error('a bind without a name or a password must never be sent')
  }
  const controls = [new PasswordPolicyControl()]
  return new BindRequest({ messageId, dn, password, controls }).write()
}

/** A search that never dereferences an alias: what is found is where it was searched. */
export const searchRequest = (messageId: number, search: Search, seconds: number): Buffer =>
  new SearchRequest({
    messageId,
    baseDN: search.base,
    scope: search.scope,
    derefAliases: 'never',
    filter: FilterParser.parseString(search.filter),
    // RFC 4511 §4.5.1.8: none would mean all.
    attributes: search.attributes.length === 0 ? ['1.1'] : [...search.attributes],
    sizeLimit: search.atMost,
    timeLimit: seconds,
  }).write()

/** A StartTLS request (RFC 4511 §4.14). */
export const startTlsRequest = (messageId: number): Buffer =>
  new ExtendedRequest({ messageId, oid: START_TLS }).write()

/** An UnbindRequest (RFC 4511 §4.3); it has no response. */
export const unbindRequest = (messageId: number): Buffer => new UnbindRequest({ messageId }).write()

/** Why a text is not a filter (RFC 4515), without the text itself; `undefined` for a filter. */
export const filterProblem = (filter: string): string | undefined => {
  try {
    FilterParser.parseString(filter)
    return undefined
  } catch (cause) {
    // After the colon, ldapts repeats the text.
    return describeError(cause).replace(/:.*/s, '').toLowerCase()
  }
}
