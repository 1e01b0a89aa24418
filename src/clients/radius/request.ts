// The attributes of a verifier's requests: those of the NAS, equal in all requests, and those of the user.

import {
  ATTRIBUTE,
  integer,
  isSendable,
  isSendablePassword,
  REQUEST,
  text,
  type Attribute,
  type RequestContent,
} from './packet.ts'
import type { RadiusClientSettings } from './schema.ts'

type NasSettings = Pick<RadiusClientSettings, 'nasIdentifier' | 'callingStationId'>

const LOGIN = 1 // Service-Type (RFC 2865 §5.6)
const VIRTUAL = 5 // NAS-Port-Type (RFC 2865 §5.41)

/** What is the user's own in a request. */
export interface AccessOptions {
  readonly user: string
  readonly password: string
  /** The caller's address; empty where there is none. */
  readonly source: string
  /** The state of the challenge that is answered. */
  readonly state?: Uint8Array
}

/** Makes the contents of requests. */
export class RequestTemplate {
  /** Status-Server (RFC 5997 §3). */
  readonly status: RequestContent
  readonly #common: readonly Attribute[]
  readonly #callingStationId: boolean

  constructor({ nasIdentifier, callingStationId }: NasSettings) {
    this.#callingStationId = callingStationId
    const identifier = text(ATTRIBUTE['NAS-Identifier'], nasIdentifier)
    this.#common = [
      identifier, // RFC 2865 §5.32: this or an address is required
      integer(ATTRIBUTE['Service-Type'], LOGIN),
      integer(ATTRIBUTE['NAS-Port-Type'], VIRTUAL),
    ]
    this.status = { code: REQUEST.status, attributes: [identifier] }
  }

  /**
   * An Access-Request, or `undefined` where RADIUS cannot carry the name or the password.
   *
   * No `Called-Station-Id`: what the caller reached is authz itself, which `NAS-Identifier` names.
   */
  access({ user, password, source, state = NONE }: AccessOptions): RequestContent | undefined {
    const name = text(ATTRIBUTE['User-Name'], user)
    const secret = Buffer.from(password)
    if (!isSendable(name.value) || !isSendablePassword(secret)) return undefined
    if (state.length > 0 && !isSendable(state)) return undefined
    const answered = state.length === 0 ? [] : [{ type: ATTRIBUTE.State, value: state }]
    const attributes = [name, ...this.#common, ...this.#callerOf(source), ...answered]
    return { code: REQUEST.access, attributes, password: secret }
  }

  /** RFC 2865 §5.31 has the caller's telephone number here; other kinds of access send its address. */
  #callerOf(source: string): readonly Attribute[] {
    const caller = text(ATTRIBUTE['Calling-Station-Id'], source)
    return this.#callingStationId && isSendable(caller.value) ? [caller] : []
  }
}

const NONE = Buffer.alloc(0)
