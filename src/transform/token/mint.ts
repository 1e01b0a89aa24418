// A token that authz mints for the upstream: in `Authorization`, or in a header of its own as an assertion.

import type { Identity } from '../../identity/identity.ts'
import type { Clock } from '../../runtime/clock.ts'
import { Derived, keepsDerived } from '../../runtime/derived.ts'
import type { Transformation, Transformer } from '../transformer.ts'
import type { Minter } from './minter.ts'
import type { HeldToken, TokenCache } from './token-cache.ts'

/** What the transformer needs. */
export interface MintOptions {
  readonly kind: 'minted-token' | 'assertion'
  /** The header, lower case, and the text before the token. */
  readonly header: string
  readonly prefix: '' | 'Bearer '
  readonly minter: Minter
  readonly cache: TokenCache
  readonly clock: Clock
}

interface Known {
  readonly transformation: Transformation
  /** Milliseconds since the epoch. */
  readonly until: number
}

/** `bearer.mint` and `assertion`: one token for an identity until two thirds of its life are over. */
export const mintedToken = (options: MintOptions): Transformer => {
  const { kind, minter, cache, clock } = options
  // Identities are remembered with the proof behind them: most requests end here.
  const known = new Derived<Identity, Known>()
  const mint = async (identity: Identity): Promise<Transformation> => {
    try {
      const minting = await minter.mint(identity, kind)
      if (minting.outcome === 'failed') return minting
      const transformation = inHeader(options, minting.held)
      known.set(identity, { transformation, until: minting.held.until })
      return transformation
    } catch (cause) {
      return { outcome: 'unavailable', cause }
    }
  }
  return {
    kind,
    transform({ identity }) {
      const remembered = known.get(identity)
      if (remembered === undefined || clock.now() >= remembered.until) return mint(identity)
      cache.countHit(kind)
      return remembered.transformation
    },
  }
}

const inHeader = ({ header, prefix }: MintOptions, { token, id }: HeldToken): Transformation => ({
  outcome: 'transformed',
  forwarding: {
    setHeaders: keepsDerived([[header, `${prefix}${token}`] as const]),
    repeatedHeaders: [],
    ...(id === undefined ? {} : { tokenIds: [id] }),
  },
})
