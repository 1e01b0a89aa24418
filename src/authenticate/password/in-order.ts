// Several verifiers as one: the first that knows the user decides, and the verifier of a question verifies its answer.

import type {
  AccountLookup,
  AccountReference,
  PasswordVerifier,
  Verification,
  VerificationContext,
} from './verifier.ts'

// A prefix of the state of a challenge, which identifies its verifier.
const TAG_LENGTH = 2

/**
 * Calls the verifiers in order; `unknown-user` continues with the next, and is the outcome when none knows the user.
 */
export const verifyInOrder = async (
  verifiers: readonly PasswordVerifier[],
  user: string,
  password: string,
  context: VerificationContext,
): Promise<Verification> => {
  for (const [index, verifier] of verifiers.entries()) {
    const verification = await verifier.verify(user, password, context)
    if (verification.outcome !== 'unknown-user') return tagged(verification, index)
  }
  return { outcome: 'unknown-user' }
}

/**
 * Answers a challenge of {@link verifyInOrder}, at its verifier only, which knows the user.
 *
 * @param state of the challenge, unchanged
 */
export const answerInOrder = async (
  verifiers: readonly PasswordVerifier[],
  user: string,
  answer: string,
  state: Uint8Array,
  context: VerificationContext,
): Promise<Verification> => {
  const bytes = Buffer.from(state)
  const index = bytes.length < TAG_LENGTH ? -1 : bytes.readUInt16BE()
  const verifier = verifiers[index]
  if (verifier?.answerChallenge === undefined) {
    return { outcome: 'unavailable', cause: new Error('no verifier has sent this challenge') }
  }
  const rest = bytes.subarray(TAG_LENGTH)
  const verification = await verifier.answerChallenge(user, answer, rest, context)
  if (verification.outcome === 'unknown-user') return { outcome: 'wrong-password' }
  return tagged(verification, index)
}

/** Looks an account up at its verifier; `unsupported` where it no longer exists. */
export const lookupInOrder = async (
  verifiers: readonly PasswordVerifier[],
  account: AccountReference,
  signal: AbortSignal,
): Promise<AccountLookup> => {
  for (const verifier of verifiers) {
    const lookup = await verifier.lookup(account, signal)
    if (lookup.outcome !== 'unsupported') return lookup
  }
  return { outcome: 'unsupported' }
}

const tagged = (verification: Verification, index: number): Verification => {
  if (verification.outcome !== 'challenged') return verification
  const { challenge } = verification
  const tag = Buffer.alloc(TAG_LENGTH)
  tag.writeUInt16BE(index)
  return {
    ...verification,
    challenge: { ...challenge, state: Buffer.concat([tag, challenge.state]) },
  }
}
