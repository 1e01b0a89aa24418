// Who knows whether the logins of sessions and tokens are still good: the authorization server, which is
// there after whatever asks it.

import type { AskStanding } from './authenticator.ts'
import { CountersignError } from '../../runtime/errors.ts'

/** Who is asked about logins. */
export interface LoginStatuses {
  /** By the id of the login. */
  readonly login: AskStanding
  /** By a grant that was given in it (`grant_id`). */
  readonly grant: AskStanding
}

/** Passes questions on to whoever answers them. */
export class LoginStandings implements LoginStatuses {
  #answers: LoginStatuses = { login: unknown, grant: unknown }

  /** Asks; until somebody answers, it cannot be known. */
  readonly login: AskStanding = async (login) => await this.#answers.login(login)

  /** As {@link LoginStandings.login}. */
  readonly grant: AskStanding = async (grant) => await this.#answers.grant(grant)

  /** From now on, these answer. */
  answerBy(answers: LoginStatuses): void {
    this.#answers = answers
  }
}

const unknown: AskStanding = async () => {
  throw new CountersignError('unavailable', 'no authorization server runs here')
}
