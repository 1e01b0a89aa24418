// Several verifiers as one: the first that knows the user decides.

import type { PasswordVerifier, Verification, VerificationContext } from './verifier.ts'

/** Asks in order; `unknown-user` passes on to the next, and is what none of them knows. */
export const verifyInOrder = async (
  verifiers: readonly PasswordVerifier[],
  user: string,
  password: string,
  context: VerificationContext,
): Promise<Verification> => {
  for (const verifier of verifiers) {
    // oxlint-disable-next-line no-await-in-loop -- the order is the meaning
    const verification = await verifier.verify(user, password, context)
    if (verification.outcome !== 'unknown-user') return verification
  }
  return { outcome: 'unknown-user' }
}
