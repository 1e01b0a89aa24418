// Sealed grants: the handle that authz gives to Envoy, and by which Envoy requests the certificate from the signer. A
// reader of Envoy's logs, statistics and dumps learns nothing from it.

import type { KeyObject } from 'node:crypto'
import { gcmsiv } from '@noble/ciphers/aes.js'
import type { GrantKey } from '../keys/grant-keys.ts'
import { decodeGrant, encodeGrant, type Grant } from './grant.ts'
import { FORMAT, ID_AT, LONGEST_HANDLE, readHandle, SEALED_AT } from './handle.ts'

/** A sealed grant, or why it cannot be one. */
export type Sealing =
  | { readonly outcome: 'sealed'; readonly handle: string }
  | { readonly outcome: 'too-large' }

/** Why a handle does not contain a grant of this keyring. */
export type OpeningFailure =
  | 'handle-malformed'
  | 'grant-key-unknown'
  | 'grant-forged'
  | 'grant-malformed'

/** A grant, or why the handle holds none. */
export type Opening =
  | { readonly outcome: 'opened'; readonly grant: Grant }
  | { readonly outcome: 'refused'; readonly code: OpeningFailure }

// RFC 8452 keeps its promises under a fixed nonce, save that equal texts show as equal: the very
// thing that is wanted, since a new handle is a new connection to the upstream.
const NONCE = new Uint8Array(12)

/**
 * Seals and opens with a keyring (AES-256-GCM-SIV, RFC 8452). Equal grants have equal handles for as
 * long as the first key stays the same.
 */
export class GrantSeal {
  readonly #sealing: GrantKey
  readonly #byId: ReadonlyMap<string, KeyObject>
  #sealed = 0

  /** @param keys at least one; the first seals, all open */
  constructor(keys: readonly GrantKey[]) {
    const [first] = keys
    if (first === undefined) throw new TypeError('a keyring without a key')
    this.#sealing = first
    this.#byId = new Map(keys.map(({ id, secret }) => [id.toString('hex'), secret]))
  }

  /** How many grants it has sealed. */
  get sealed(): number {
    return this.#sealed
  }

  /** When the key that seals was made, in milliseconds since the epoch, where the keyring has it. */
  get created(): number | undefined {
    return this.#sealing.created
  }

  /** The handle of a grant. */
  seal(grant: Grant): Sealing {
    this.#sealed += 1
    const header = Buffer.concat([Buffer.of(FORMAT), this.#sealing.id])
    const sealed = cipher(this.#sealing.secret, header).encrypt(encodeGrant(grant))
    const handle = Buffer.concat([header, sealed]).toString('base64url')
    return handle.length > LONGEST_HANDLE ? { outcome: 'too-large' } : { outcome: 'sealed', handle }
  }

  /** The grant behind a handle. */
  open(handle: string): Opening {
    const bytes = readHandle(handle)
    if (bytes === undefined) return refused('handle-malformed')
    const header = bytes.subarray(0, SEALED_AT)
    const secret = this.#byId.get(header.subarray(ID_AT).toString('hex'))
    if (secret === undefined) return refused('grant-key-unknown')
    let text: Uint8Array
    try {
      text = cipher(secret, header).decrypt(bytes.subarray(SEALED_AT))
    } catch {
      return refused('grant-forged')
    }
    try {
      return { outcome: 'opened', grant: decodeGrant(Buffer.from(text)) }
    } catch {
      return refused('grant-malformed')
    }
  }
}

const cipher = (secret: KeyObject, header: Buffer) => gcmsiv(secret.export(), NONCE, header)

const refused = (code: OpeningFailure): Opening => ({ outcome: 'refused', code })
