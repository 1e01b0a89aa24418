// The keys of Countersign's own issuer. authz has them: fetched by way of Envoy, they would be missing until Envoy is up,
// and its certificate would need a CA.

import type { SigningKeySet } from '../../keys/signing-key-set.ts'
import { CountersignError } from '../../runtime/errors.ts'
import type { KeySet } from './key-set.ts'
import { readKeys, type Keys } from './keys.ts'

/** What the issuer publishes now: it changes with the clock; a reload makes another key set. */
export const ownKeySet = (issuer: Pick<SigningKeySet, 'published'>): KeySet => {
  let read: { readonly ids: string; readonly keys: Keys } | undefined
  const current = (): Keys => {
    const published = issuer.published()
    const ids = published.map(({ kid }) => kid).join(' ')
    if (read?.ids !== ids) read = { ids, keys: keysOf(published) }
    return read.keys
  }
  return {
    current,
    newer(than) {
      const keys = current()
      return keys.version === than?.version ? { outcome: 'same' } : { outcome: 'keys', keys }
    },
  }
}

const keysOf = (published: ReturnType<SigningKeySet['published']>): Keys => {
  const reading = readKeys({ keys: published })
  if (reading !== undefined) return reading.keys
  throw new CountersignError('signing-keys-invalid', 'the issuer publishes too many keys')
}
