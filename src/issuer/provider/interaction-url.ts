// The addresses of the pages of an interaction. Their query is the authorization request, so that a page
// whose interaction is over can still offer to begin again.

import type { Interaction } from 'oidc-provider'
import { ENDPOINTS, LOGIN } from '../http/paths.ts'

// Longer queries are left out: no user bookmarks them, and a request may be only so large.
const LONGEST_QUERY = 4_096

type Addressed = Pick<Interaction, 'uid' | 'params' | 'deviceCode'> & { readonly parJti?: unknown }

/**
 * Path and query of a page of an interaction.
 *
 * @param action the last segment, such as `password`; absent for the page itself
 */
export const interactionUrl = (interaction: Addressed, action?: string): string => {
  const path = `${LOGIN}/${interaction.uid}${action === undefined ? '' : `/${action}`}`
  const query = queryOf(interaction)
  return query === '' ? path : `${path}?${query}`
}

/**
 * The URL that begins the same authorization again, as a path with its query; `undefined` if the address does not
 * contain it. It needs no proof: any link to the authorization endpoint could be this one.
 *
 * @param url of the request, as it arrived
 */
export const restartUrl = (url = ''): string | undefined => {
  const query = new URLSearchParams(url.split('?', 2)[1] ?? '')
  if (!query.has('client_id')) return undefined
  const text = query.toString()
  return text.length > LONGEST_QUERY ? undefined : `${ENDPOINTS.authorization}?${text}`
}

const queryOf = ({ params, deviceCode, parJti }: Addressed): string => {
  // A device begins its request itself, and a pushed one is to stay off addresses (RFC 9126 §1).
  if (deviceCode !== undefined || parJti !== undefined) return ''
  const query = new URLSearchParams()
  for (const [name, value] of Object.entries(params)) {
    for (const text of Array.isArray(value) ? value : [value]) {
      if (typeof text === 'string') query.append(name, text)
    }
  }
  const text = query.toString()
  return text.length > LONGEST_QUERY ? '' : text
}
