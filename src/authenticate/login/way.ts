// A way to log in: an authenticator of the login page.

import type { ChainLink } from '../chain.ts'

/** One authenticator of the login page. */
export interface LoginWay {
  readonly kind: 'password' | 'certificate'
  readonly link: ChainLink
}
