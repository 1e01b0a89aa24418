// Passwords at the login page: the same verifiers, guard and cache as HTTP Basic, and the question for a second
// factor. A login with a second factor is never cached, since the password alone would then be accepted.

import { VERIFICATION_DEADLINE } from './schema.ts'
import type { LoginStep, PasswordLogin, PasswordQuestion } from '../authenticator.ts'
import type { Attempt, GuardedVerification } from './guard.ts'
import { answerInOrder, lookupInOrder, verifyInOrder } from './in-order.ts'
import {
  authenticationOf,
  digestOf,
  credentialOf,
  readPassword,
  type PasswordProofOptions,
} from './proof.ts'
import { hasControlCharacter } from '../../runtime/text.ts'

/** Makes the login of a Basic authenticator. */
export const passwordLogin = (options: PasswordProofOptions): PasswordLogin => {
  const { verifiers, generation, guard, loginDeadline = VERIFICATION_DEADLINE } = options
  return {
    async begin(request, signal) {
      const reading = readPassword(options, request)
      if (reading.outcome === 'decided') return reading.authentication
      signal.throwIfAborted()
      const attempt = { ...reading.attempt, isInteractive: true }
      const { user, password, source } = attempt
      const verification = await guard.verify(attempt, async () => {
        const deadline = AbortSignal.timeout(loginDeadline)
        return await verifyInOrder(verifiers, user, password, { source, signal: deadline })
      })
      const credential = digestOf(options, attempt)
      return stepOf(options, { user, credential, count: 0 }, verification)
    },
    async answer(question, typed, source) {
      if (question.generation !== generation) return { outcome: 'stale' }
      const { user, state, count } = question
      const answer = typed.normalize('NFC')
      if (answer === '' || hasControlCharacter(answer)) {
        return { outcome: 'rejected', code: 'credential-malformed', user }
      }
      // The guard counts and records the answer to this question: it may be right for another one.
      const attempt: Attempt = { user, password: `${state}\0${answer}`, source, questions: count }
      const verification = await guard.verify(attempt, async () => {
        const context = { source, signal: AbortSignal.timeout(loginDeadline) }
        const bytes = Buffer.from(state, 'base64url')
        return await answerInOrder(verifiers, user, answer, bytes, context)
      })
      return stepOf(options, question, verification)
    },
    async lookup({ account, credential: digest, ...proof }) {
      try {
        const signal = AbortSignal.timeout(VERIFICATION_DEADLINE)
        const lookup = await lookupInOrder(verifiers, account, signal)
        return lookup.outcome === 'current'
          ? {
              outcome: 'current',
              credential: credentialOf({ ...lookup, account }, { digest, ...proof }),
            }
          : lookup
      } catch (cause) {
        return { outcome: 'unavailable', cause }
      }
    },
  }
}

const stepOf = (
  options: PasswordProofOptions,
  { user, credential: digest, count }: Pick<PasswordQuestion, 'user' | 'credential' | 'count'>,
  verification: GuardedVerification,
): LoginStep => {
  const { clock, generation } = options
  if (verification.outcome !== 'challenged') {
    return authenticationOf(options, user, { digest, authenticatedAt: clock.now() }, verification)
  }
  const { message, echo = false, state } = verification.challenge
  return {
    outcome: 'asked',
    question: {
      user,
      message,
      echo,
      state: Buffer.from(state).toString('base64url'),
      generation,
      credential: digest,
      count: count + 1,
    },
  }
}
