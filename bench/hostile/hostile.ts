// The hostile part of the bench: what an unauthenticated client costs, in each of the ways that there are,
// and its effect on another user's requests. All of it through a real Envoy, with what `envoy generate`
// writes.

import { Installation } from '../installation.ts'
import { beginLogin } from './begin-login.ts'
import { HELD_KINDS, requestKinds } from './kinds.ts'
import {
  measureAlone,
  measureHeld,
  measureRequests,
  type Alone,
  type HostileCost,
  type HostileSize,
} from './measure.ts'
import { startHostileSite } from './site.ts'

/** What all kinds come to. */
export interface HostileResults {
  /** The user without other load; absent where nothing was measured. */
  readonly alone: Alone | undefined
  readonly rows: readonly HostileCost[]
  readonly size: HostileSize
  /** Why nothing was measured. */
  readonly skipped: string | undefined
}

/**
 * Measures every kind, one after the other, each from an address of its own: limits go by the address.
 *
 * @param missing why there is no Envoy; `false` where there is one
 */
export const measureHostile = async (
  size: HostileSize,
  missing: string | false,
  progress: (text: string) => void,
): Promise<HostileResults> => {
  if (missing !== false) return { alone: undefined, rows: [], size, skipped: missing }
  await using installation = await Installation.open()
  progress('hostile: starting')
  const site = await startHostileSite(installation)
  const alone = await measureAlone(site, size.seconds)
  const kinds = requestKinds(await beginLogin(site.port, site.ca))
  const rows: HostileCost[] = []
  const address = (): string => `127.0.1.${rows.length + 1}`
  for (const kind of kinds) {
    progress(`hostile: ${kind.name}`)
    rows.push(await measureRequests(site, kind, size, address(), alone))
  }
  for (const kind of HELD_KINDS) {
    progress(`hostile: ${kind.name}`)
    rows.push(await measureHeld(site, kind, size, address(), alone))
  }
  return { alone, rows, size, skipped: undefined }
}
