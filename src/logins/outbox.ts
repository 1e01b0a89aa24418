// What is left to do after the command line ended logins: messages for an authz with the same state. The command signs
// nothing, and does not write to the audit log of another process.

import { randomUUID } from 'node:crypto'
import type { SessionsEnded } from './events.ts'
import type { RecordStore } from '../state/record-store.ts'
import { parseJson } from '../runtime/strict-json.ts'

/** A client of a login. */
export interface ClientOfLogin {
  readonly client: string
  readonly user: string
  readonly sid: string
}

/** A refresh token of an upstream IdP, to be revoked. */
export interface TokenOfProvider {
  /** By its id. */
  readonly provider: string
  readonly refreshToken: string
}

/** What is left to do. */
export type OutboxMessage =
  | { readonly kind: 'record'; readonly event: Pick<SessionsEnded, 'user' | 'which'> }
  | { readonly kind: 'tell'; readonly clients: readonly ClientOfLogin[] }
  | { readonly kind: 'give-back'; readonly tokens: readonly TokenOfProvider[] }

// Where no authz runs, until the next one starts. Later, clients have ended the login by themselves.
const LIFETIME_MS = 86_400_000

// Bounds the size of a message, and the time that its delivery takes.
const MOST_PER_NOTE = 100

const NOTES = 'sign-out notes'

/** The messages. */
export class LogoutOutbox {
  readonly #records: RecordStore

  constructor(records: RecordStore) {
    this.#records = records
  }

  /** Leaves messages about what was ended. */
  async leave(
    event: Pick<SessionsEnded, 'user' | 'which'>,
    clients: readonly ClientOfLogin[],
    tokens: readonly TokenOfProvider[],
  ): Promise<void> {
    await this.#put({ kind: 'record', event })
    for (const some of inParts(clients)) {
      await this.#put({ kind: 'tell', clients: some })
    }
    for (const some of inParts(tokens)) {
      await this.#put({ kind: 'give-back', tokens: some })
    }
  }

  /** Takes the messages one after the other: of several workers, one receives each. */
  async *take(): AsyncGenerator<OutboxMessage, void> {
    for (const key of await this.#records.keysIn(NOTES)) {
      const record = await this.#records.take(key)
      if (record === undefined) continue
      const note: OutboxMessage = parseJson(record.text) // written by this process: `#put` wrote it
      yield note
    }
  }

  async #put(note: OutboxMessage): Promise<void> {
    const record = {
      text: JSON.stringify(note),
      kind: 'decisive',
      lifetime: LIFETIME_MS,
    } as const
    await this.#records.put(`sign-out note ${randomUUID()}`, record, [NOTES])
  }
}

const inParts = <T>(all: readonly T[]): readonly (readonly T[])[] =>
  Array.from({ length: Math.ceil(all.length / MOST_PER_NOTE) }, (_, part) =>
    all.slice(part * MOST_PER_NOTE, (part + 1) * MOST_PER_NOTE),
  )
