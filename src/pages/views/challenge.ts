// The question that a server asks before a login is complete (RFC 2865 §4.4, Access-Challenge): its own
// words, which it may have from anywhere, and one answer.

import { textsIn } from '../i18n/catalog.ts'
import type { FormContext } from '../context.ts'
import { html, type Html } from '../html.ts'
import { page } from '../layout.ts'
import { untrustedLines } from '../markup/untrusted-text.ts'
import { waitInWords } from '../i18n/times.ts'
import { button, field, form, problemBox } from './form.ts'

/** Why the last answer came to nothing. */
type ChallengeProblem =
  | { readonly kind: 'missing' }
  | { readonly kind: 'wrong' }
  | { readonly kind: 'expired' }
  | { readonly kind: 'unavailable' }
  | { readonly kind: 'locked'; readonly seconds: number }

/** The content of the page. */
export interface ChallengeModel {
  /** The question (RFC 2865 §5.18, Reply-Message); empty where the server says nothing. */
  readonly message: string
  /** Whether the answer is shown as it is typed (RFC 2869 §5.10, Prompt). */
  readonly echo: boolean
  /** The answer is known to be digits, so that a telephone shows those. */
  readonly numeric?: boolean
  readonly problem?: ChallengeProblem
}

/** Where its form goes: field `answer`; or none, to give up. */
export type ChallengePath = 'challenge' | 'cancel'

/** The page with the question. */
export const challengePage = (
  { message, echo, numeric = false, problem }: ChallengeModel,
  context: FormContext<ChallengePath>,
): Html => {
  const { language, csrf, paths } = context
  const { challenge } = textsIn(language)
  const [what, todo] = problem === undefined ? [] : saidOf(problem, language)
  const wrong = problem?.kind === 'missing' || problem?.kind === 'wrong'
  return page(
    {
      title: challenge.title,
      wrong: what,
      forms: true,
      body: html`${what === undefined ? undefined : problemBox(what, todo)}
        <p id="question">
          ${message.trim() === '' ? challenge.question : untrustedLines(message.trim())}
        </p>
        ${form(
          { path: paths.challenge, csrf, keepsFragment: true },
          html`${field({
              name: 'answer',
              label: numeric ? challenge.code : challenge.answer,
              type: echo ? 'text' : 'password',
              autocomplete: 'one-time-code',
              inputMode: numeric ? 'numeric' : 'text',
              autofocus: true,
              wrong,
              explainedBy: 'question',
            })}
            <div class="choice">
              ${button({ text: challenge.submit, main: true })}
              ${button({ text: challenge.cancel, path: paths.cancel })}
            </div>`,
        )}`,
    },
    context,
  )
}

const saidOf = (
  problem: ChallengeProblem,
  language: FormContext<never>['language'],
): readonly [what: string, todo?: string] => {
  const { challenge, login, frame } = textsIn(language)
  switch (problem.kind) {
    case 'missing':
      return [challenge.empty]
    case 'wrong':
      return [challenge.wrong, challenge.wrongTodo]
    case 'expired':
      return [challenge.expired, challenge.expiredTodo]
    case 'unavailable':
      return [login.unavailable, login.unavailableTodo]
    case 'locked':
      return [login.locked, frame.wait(waitInWords(language, problem.seconds))]
  }
}
