// What a verifier's requests say: the same of us in every one, and the user's own.

import { isIPv4 } from 'node:net'
import { CountersignError } from '../../runtime/errors.ts'
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

/** The attributes of the network access server, which are the same in every request. */
export interface NasOptions {
  readonly nasIdentifier: string
  readonly nasAddress?: string | undefined
  readonly serviceType: number
  readonly nasPortType: number
  readonly callingStationId: boolean
}

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

  /** @throws CountersignError `configuration-invalid` for what no attribute can carry */
  constructor({
    nasIdentifier,
    nasAddress,
    serviceType,
    nasPortType,
    callingStationId,
  }: NasOptions) {
    this.#callingStationId = callingStationId
    const identifier = text(ATTRIBUTE['NAS-Identifier'], nasIdentifier)
    if (!isSendable(identifier.value)) {
      throw new CountersignError('configuration-invalid', 'a NAS-Identifier has 1 to 253 bytes')
    }
    this.#common = [
      identifier, // RFC 2865 §5.32: this or an address must be there
      ...(nasAddress === undefined ? [] : [addressOf(nasAddress)]),
      integer(ATTRIBUTE['Service-Type'], serviceType),
      integer(ATTRIBUTE['NAS-Port-Type'], nasPortType),
    ]
    this.status = { code: REQUEST.status, attributes: [identifier] }
  }

  /**
   * An Access-Request, or `undefined` where RADIUS cannot carry the name or the password.
   *
   * No `Called-Station-Id`: what the caller reached is a name of ours, which `NAS-Identifier` has.
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

  /** RFC 2865 §5.31 has the caller's telephone number here; what is no telephone sends its address. */
  #callerOf(source: string): readonly Attribute[] {
    const caller = text(ATTRIBUTE['Calling-Station-Id'], source)
    return this.#callingStationId && isSendable(caller.value) ? [caller] : []
  }
}

const NONE = Buffer.alloc(0)

const addressOf = (address: string): Attribute => {
  if (!isIPv4(address)) {
    throw new CountersignError('configuration-invalid', `"${address}" is no IPv4 address`)
  }
  const value = Buffer.from(address.split('.').map(Number))
  return { type: ATTRIBUTE['NAS-IP-Address'], value }
}
