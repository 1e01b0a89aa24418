// A proven caller, as expressions see it.

import { NO_CERTIFICATE } from './certificate-fields.ts'
import type { Identity } from './identity.ts'

/** The variables `identity`, `certificate` and `claims`; the last two are empty where there is none. */
export const variablesOf = (identity: Identity): Readonly<Record<string, unknown>> => ({
  identity,
  certificate: identity.certificate ?? NO_CERTIFICATE,
  claims: identity.claims ?? {},
})
