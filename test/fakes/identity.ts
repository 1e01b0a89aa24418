// A proven caller.

import type { Identity } from '../../src/identity/identity.ts'
import { factsOf } from './authenticator.ts'

/** Alice, or whatever the test says otherwise. */
export const identityOf = (parts: Partial<Identity> = {}): Identity => ({
  ...factsOf(),
  authenticator: 'staff',
  ...parts,
})
