// The question that a person is being asked, kept under the login it belongs to: nothing of it is the
// browser's to show or to change, and whoever answers takes it away.

import type { PendingChallenge } from '../../authenticate/login/prove.ts'
import type { NewRecord, RecordStore } from '../../state/record-store.ts'

/** A question that was taken, and how long it still had, in milliseconds. */
export interface TakenChallenge {
  readonly asked: PendingChallenge
  readonly lifetime: number
}

// Time enough to find the telephone; RADIUS servers themselves seldom wait longer.
const LIFETIME_MS = 180_000

/** The questions of logins under way; each login has one at most. */
export class Challenges {
  readonly #records: RecordStore

  constructor(records: RecordStore) {
    this.#records = records
  }

  /** Keeps a question in place of the one before. */
  async ask(uid: string, asked: PendingChallenge): Promise<void> {
    await this.#records.put(keyOf(uid), recordOf(asked, LIFETIME_MS))
  }

  /** The question that waits for an answer. */
  async find(uid: string): Promise<PendingChallenge | undefined> {
    const record = await this.#records.get(keyOf(uid))
    return record && readQuestion(record.text)
  }

  /** Takes the question to answer it: of two answers at once one finds it. */
  async take(uid: string): Promise<TakenChallenge | undefined> {
    const record = await this.#records.take(keyOf(uid))
    return record && { asked: readQuestion(record.text), lifetime: record.lifetime }
  }

  /** Puts back what nobody was asked about. */
  async restore(uid: string, { asked, lifetime }: TakenChallenge): Promise<void> {
    await this.#records.add(keyOf(uid), recordOf(asked, lifetime))
  }

  async drop(uid: string): Promise<void> {
    await this.#records.remove([keyOf(uid)])
  }
}

const keyOf = (uid: string): string => `login-question:${uid}`

// What is asked before anything is proven.
const recordOf = (asked: PendingChallenge, lifetime: number): NewRecord => ({
  text: JSON.stringify(asked),
  kind: 'anonymous',
  lifetime,
})

const readQuestion = (text: string): PendingChallenge => {
  const asked: PendingChallenge = JSON.parse(text) // ours: `ask` wrote it
  return asked
}
