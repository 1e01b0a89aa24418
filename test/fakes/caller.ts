// Who asks a password verifier, as far as a test cares.

import type { VerificationContext } from '../../src/authenticate/password/verifier.ts'

/** A caller somewhere, who never leaves. */
export const CALLER: VerificationContext = {
  source: '203.0.113.7',
  signal: new AbortController().signal,
}

/** The same caller, who leaves when this aborts. */
export const callerUntil = (signal: AbortSignal): VerificationContext => ({ ...CALLER, signal })
