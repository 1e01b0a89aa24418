// The seam for an issuer's keys, and the keys of a file, which change only with the configuration.

import { CountersignError } from '../../runtime/errors.ts'
import { readKeys, type Keys } from './keys.ts'
import { readJsonObject } from '../../runtime/strict-json.ts'

/** What came of looking for newer keys; see {@link KeySet.newer}. */
export type KeyRenewal =
  | { readonly outcome: 'keys'; readonly keys: Keys }
  | { readonly outcome: 'same' }
  | { readonly outcome: 'unavailable'; readonly cause: unknown }

/** The keys of one issuer, over time. */
export interface KeySet {
  /** The keys now, at once; `undefined` while there are none that may still be used. */
  current(): Keys | undefined
  /**
   * Other keys than these, for a token that these do not explain. Never rejects.
   *
   * - `keys`: the issuer has other keys now.
   * - `same`: it has not, or was asked a moment ago.
   * - `unavailable`: it could not be asked.
   */
  newer(than: Keys | undefined): Promise<KeyRenewal>
}

/**
 * The keys of a file (a JWKS, RFC 7517 §5).
 *
 * @param name its path, for messages
 * @throws CountersignError `configuration-invalid` when it is no key set or holds no usable key
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
  return { current: () => keys, newer: () => Promise.resolve({ outcome: 'same' }) }
}
