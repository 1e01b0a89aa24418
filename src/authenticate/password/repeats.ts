// A wrong password that is repeated: by a misconfigured client, or by a browser that loads twenty resources.
// Repetition gives an attacker no information, so it counts once, and for some seconds no verifier is called again.

import type { FoundEntry } from '../../state/attempt-store.ts'
import type { AccountRefusal, Verification } from './verifier.ts'

/** How refused passwords are remembered. Times in milliseconds. */
export interface RepeatRules {
  /** How long it has the same outcome without a verification. A corrected account works after that. */
  readonly answer: number
  /** How long it does not count again. */
  readonly once: number
}

/** A refusal of a verifier. */
export type Refused = Extract<
  Verification,
  { outcome: 'wrong-password' | 'unknown-user' | 'barred' }
>

const barred = <Code extends AccountRefusal>(code: Code) => ({ outcome: 'barred', code }) as const

const REFUSED = {
  'wrong-password': { outcome: 'wrong-password' },
  'unknown-user': { outcome: 'unknown-user' },
  'user-disabled': barred('user-disabled'),
  'user-locked': barred('user-locked'),
  'user-expired': barred('user-expired'),
  'user-restricted': barred('user-restricted'),
  'password-expired': barred('password-expired'),
  'password-must-change': barred('password-must-change'),
  'second-factor-required': barred('second-factor-required'),
} as const satisfies Readonly<
  Record<AccountRefusal | Exclude<Refused['outcome'], 'barred'>, Refused>
>

const isRefusal = (text: string): text is keyof typeof REFUSED => Object.hasOwn(REFUSED, text)

/** The text of a note about it, valid for this generation of the verifiers. */
export const noteOfRefusal = (refused: Refused, generation: string): string =>
  `${refused.outcome === 'barred' ? refused.code : refused.outcome} ${generation}`

/** The outcome in a note, for a repeated password; `undefined` where it has to be verified. */
export const answerOfNote = (
  { text, age }: FoundEntry,
  generation: string,
  { answer }: RepeatRules,
): Refused | undefined => {
  const [refusal = '', about] = text.split(' ')
  return age < answer && about === generation && isRefusal(refusal) ? REFUSED[refusal] : undefined
}
