// Callers that show nothing: what is left of a check without any proof.

import { GROUPS } from '../site.ts'
import type { StartScheme } from './scheme.ts'

const USER = 'anonymous'

/** The name of the row that all other rows are compared with. */
export const ANONYMOUS = 'anonymous'

/** No credential at all. */
export const anonymous: StartScheme = async () => ({
  name: ANONYMOUS,
  authenticators: () => [{ anonymous: { user: USER, groups: GROUPS } }],
  credential: () => ({}),
  user: USER,
  proofs: 'many',
  remembers: false,
})
