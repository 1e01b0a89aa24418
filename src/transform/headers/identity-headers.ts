// What all headers about a caller have in common: they follow from the identity alone. The other files in
// this folder define their values.

import { Derived } from '../../runtime/derived.ts'
import type { Identity } from '../../identity/identity.ts'
import type { Transformation, Transformer } from '../transformer.ts'

/** A transformer that sets headers; `work` is pure. */
export const identityHeaders = (work: (identity: Identity) => Transformation): Transformer => {
  // Identities are remembered with the proof behind them, so this is worked out once for each.
  const known = new Derived<Identity, Transformation>()
  return {
    kind: 'headers',
    transform({ identity }) {
      const remembered = known.get(identity)
      if (remembered !== undefined) return remembered
      const transformation = work(identity)
      known.set(identity, transformation)
      return transformation
    },
  }
}
