// The seam for the keys of an issuer, and the keys of a file, which change only with the configuration.

import { CountersignError } from '../../runtime/errors.ts'
import type { MaybePromise } from '../../runtime/maybe-promise.ts'
import { readKeys, type Keys } from './keys.ts'
import { readJsonObject } from '../../runtime/strict-json.ts'

/** The result of fetching newer keys; see {@link KeySet.newer}. */
export type KeyRenewal =
  | { readonly outcome: 'keys'; readonly keys: Keys }
  | { readonly outcome: 'same' }
  | { readonly outcome: 'unavailable'; readonly cause: unknown }

/** The keys of one issuer, over time. */
export interface KeySet {
  /** The current keys, synchronously; `undefined` while there are none that may be used. */
  current(): Keys | undefined
  /**
   * Newer keys than these, for a token that these do not match. Never rejects; a promise only while they are fetched.
   *
   * - `keys`: the issuer has published other keys.
   * - `same`: it has not, or was queried a moment ago.
   * - `unavailable`: the issuer could not be queried.
   */
  newer(than: Keys | undefined): MaybePromise<KeyRenewal>
}

/**
 * The keys of a file (a JWKS, RFC 7517 §5).
 *
 * @param name its path, for messages
 * @throws CountersignError `configuration-invalid` when it is not a key set or has no usable key
 */
export const fixedKeySet = (name: string, bytes: Uint8Array): KeySet => {
  const document = readJsonObject(bytes)
  const reading = document && readKeys(document)
  if (reading === undefined) {
    throw new CountersignError(
      'configuration-invalid',
      `${name} is not a JSON Web Key Set: {"keys": [...]}`,
    )
  }
  const { keys, ignored } = reading
  if (keys.size === 0) {
    throw new CountersignError(
      'configuration-invalid',
      [`${name} holds no key that can verify a token`, ...ignored].join('; '),
    )
  }
  return { current: () => keys, newer: () => ({ outcome: 'same' }) }
}
