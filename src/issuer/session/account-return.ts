// Where a login comes back to that began at the account page.

import { ACCOUNT } from '../paths.ts'

/** The path. */
export const ACCOUNT_RETURN = `${ACCOUNT}/back`

/** The redirect URI, on the issuer's own host. */
export const accountReturnOf = (issuer: string): string => new URL(ACCOUNT_RETURN, issuer).href
