// Who knows whether the logins of sessions still stand: the authorization server, which is there after
// whatever asks it.

import type { AskStanding } from '../authenticate/session.ts'
import { CountersignError } from '../runtime/errors.ts'

/** Passes the question on to whoever answers it. */
export class LoginStandings {
  #answer: AskStanding = async () => {
    throw new CountersignError('unavailable', 'no authorization server runs here')
  }

  /** Asks; until somebody answers, it cannot be known. */
  readonly ask: AskStanding = async (login) => await this.#answer(login)

  /** From now on, this answers. */
  answerBy(answer: AskStanding): void {
    this.#answer = answer
  }
}
