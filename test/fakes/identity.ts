// A proven caller.

import type { Identity } from '../../src/identity/identity.ts'
import { credentialOf } from './authenticator.ts'

/** Alice, or whatever the test says otherwise. */
export const identityOf = (parts: Partial<Identity> = {}): Identity => ({
  ...credentialOf(),
  authenticator: 'staff',
  ...parts,
})
