// The challenge of a login that waits for its answer, stored under the interaction: the browser cannot show or change it,
// and an answer takes it away.

import type { PendingChallenge } from '../../authenticate/login/prove.ts'
import type { NewRecord, RecordStore } from '../../state/record-store.ts'
import { parseJson } from '../../runtime/strict-json.ts'

/** A challenge that was taken, and its remaining lifetime in milliseconds. */
export interface TakenChallenge {
  readonly asked: PendingChallenge
  readonly lifetime: number
}

// Time enough to use a second device; RADIUS servers seldom wait longer.
const LIFETIME_MS = 180_000

/** The challenges of pending logins; each login has one at most. */
export class Challenges {
  readonly #records: RecordStore

  constructor(records: RecordStore) {
    this.#records = records
  }

  /** Stores a challenge in place of the one before. */
  async ask(uid: string, asked: PendingChallenge): Promise<void> {
    await this.#records.put(keyOf(uid), recordOf(asked, LIFETIME_MS))
  }

  /** The challenge that waits for an answer. */
  async find(uid: string): Promise<PendingChallenge | undefined> {
    const record = await this.#records.get(keyOf(uid))
    return record && readQuestion(record.text)
  }

  /** Takes the challenge to answer it: of two answers at once one receives it. */
  async take(uid: string): Promise<TakenChallenge | undefined> {
    const record = await this.#records.take(keyOf(uid))
    return record && { asked: readQuestion(record.text), lifetime: record.lifetime }
  }

  /** Puts back a challenge whose answer was not sent on. */
  async restore(uid: string, { asked, lifetime }: TakenChallenge): Promise<void> {
    await this.#records.add(keyOf(uid), recordOf(asked, lifetime))
  }

  async drop(uid: string): Promise<void> {
    await this.#records.remove([keyOf(uid)])
  }
}

const keyOf = (uid: string): string => `login-question:${uid}`

// It is stored before anything is proven.
const recordOf = (asked: PendingChallenge, lifetime: number): NewRecord => ({
  text: JSON.stringify(asked),
  kind: 'anonymous',
  lifetime,
})

const readQuestion = (text: string): PendingChallenge => {
  const asked: PendingChallenge = parseJson(text) // written by this process: `ask` wrote it
  return asked
}
