// Identity headers for dashboards that leave logging in to a proxy: what each of them reads, written so
// that it can read nothing else. An identity for which that cannot be done is refused.

import { canBePassedOn } from '../../identity/mapping.ts'
import { headerLines } from './values.ts'
import { identityHeaders } from './identity-headers.ts'
import { keepsDerived } from '../../runtime/derived.ts'
import type { Transformation, Transformer } from '../transformer.ts'

/**
 * `X-WEBAUTH-USER` and `X-WEBAUTH-GROUPS`, for Grafana's `[auth.proxy]` with `headers_encoded = true` and
 * `headers = Groups:X-WEBAUTH-GROUPS`.
 *
 * Grafana (12.2, pkg/services/authn/clients/proxy.go and pkg/util) decodes quoted-printable, and takes
 * groups for a JSON list where they begin with `[`; else it splits them at commas and white space. It
 * remembers a user under name and groups with nothing between them, so that `al` in a group `ice` would
 * be `alice`. Hence a JSON list always, an empty one too: only one place in the text can begin it.
 */
export const grafanaHeaders = (): Transformer =>
  identityHeaders(({ user, groups }) => {
    const told = canBePassedOn(user) && !isReadAsAnother(user)
    const list = groups.length === 0 ? ['[]'] : headerLines(groups, GRAFANA_LIST)
    return withHeaders([
      ['x-webauth-user', told ? headerLines([user], GRAFANA_TEXT) : undefined],
      ['x-webauth-groups', groups.every(canBePassedOn) ? list : undefined],
    ])
  })

const GRAFANA_TEXT = { list: 'lines', encode: 'quoted-printable' } as const
const GRAFANA_LIST = { list: 'json', encode: 'quoted-printable' } as const

// Of `Bob <root@example.org>` Grafana takes the address alone, and logs in the user who has it
// (pkg/services/authn/clients/grafana.go). Without these characters, what Go's net/mail reads as an
// address is the address (1.26, ParseAddress).
const isReadAsAnother = (user: string): boolean => user.includes('@') && /[<(";\s]/.test(user)

/**
 * `X-Forwarded-User` and `X-Forwarded-Group`, for Headlamp's `-proxy-auth`.
 *
 * Headlamp (0.45.0, backend/pkg/auth/auth.go, tryProxyAuth) reads the first line of each as it is,
 * UTF-8, splits the groups at commas and cuts white space off their ends. A comma cannot be written.
 */
export const headlampHeaders = (): Transformer =>
  identityHeaders(({ user, groups }) => {
    const told = groups.every((group) => canBePassedOn(group) && !group.includes(','))
    const list = groups.length === 0 ? [] : [groups.join()]
    return withHeaders([
      ['x-forwarded-user', canBePassedOn(user) ? [user] : undefined],
      ['x-forwarded-group', told ? list : undefined],
    ])
  })

/** `undefined`: cannot be written. */
type Line = readonly [name: string, line: readonly string[] | undefined]

const withHeaders = (headers: readonly Line[]): Transformation => {
  const odd = headers.find(([, line]) => line === undefined)
  if (odd !== undefined) {
    return { outcome: 'failed', code: 'header-unrepresentable', detail: odd[0] }
  }
  const setHeaders = headers.flatMap(([name, line = []]) =>
    line.map((value) => [name, value] as const),
  )
  return {
    outcome: 'transformed',
    forwarding: { setHeaders: keepsDerived(setHeaders), repeatedHeaders: [] },
  }
}
