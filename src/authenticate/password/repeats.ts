// The same wrong password again: from a client that was set up wrong, or a browser that loads twenty
// things. It tells a guesser nothing, so it counts once, and for some seconds nobody is asked again.

import type { KnownNote } from '../../state/attempt-store.ts'
import type { AccountRefusal, Verification } from './verifier.ts'

/** How refused passwords are remembered. Times in milliseconds. */
export interface RepeatRules {
  /** So long it is answered as before. What was mended meanwhile works after that. */
  readonly answer: number
  /** So long it counts no second time. */
  readonly once: number
}

/** What a verifier said against a password. */
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

/** The text of a note about it. It holds for these verifiers, as they are now. */
export const noteOfRefusal = (refused: Refused, generation: string): string =>
  `${refused.outcome === 'barred' ? refused.code : refused.outcome} ${generation}`

/** What a note says of a password that is shown again; `undefined` where it has to be verified. */
export const answerOfNote = (
  { text, age }: KnownNote,
  generation: string,
  { answer }: RepeatRules,
): Refused | undefined => {
  const [refusal = '', about] = text.split(' ')
  return age < answer && about === generation && isRefusal(refusal) ? REFUSED[refusal] : undefined
}
