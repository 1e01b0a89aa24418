// Logins that are under way at a provider of others. Who is back is told by the state; everything else
// about the login stays with us, and is taken by whoever comes first.

import { randomBytes } from 'node:crypto'
import type { RecordStore } from '../../../state/record-store.ts'
import type { ProviderSecrets } from './foreign-provider.ts'

/** A login that went there. */
export interface DepartedLogin extends ProviderSecrets {
  /** The interaction that it is for. */
  readonly uid: string
  /** The provider, by its id. */
  readonly provider: string
  /** Before which a login there is no answer, in milliseconds since the epoch. */
  readonly since?: number
}

// As long as the interaction itself (authorization/provider.ts).
const LIFETIME_MS = 1_800_000
const SECRET_BYTES = 32
const STATE = /^[A-Za-z0-9_-]{43}$/

/** What nobody can guess, three times. */
export const newSecrets = (): ProviderSecrets => ({
  state: secret(),
  nonce: secret(),
  verifier: secret(),
})

const secret = (): string => randomBytes(SECRET_BYTES).toString('base64url')

/** The logins under way elsewhere. */
export class Departures {
  readonly #records: RecordStore

  constructor(records: RecordStore) {
    this.#records = records
  }

  async keep(login: DepartedLogin): Promise<void> {
    const text = JSON.stringify(login)
    await this.#records.put(keyOf(login.state), {
      text,
      kind: 'anonymous',
      lifetime: LIFETIME_MS,
    })
  }

  /** The login that a browser is back from, which stays. */
  async find(state: string): Promise<DepartedLogin | undefined> {
    if (!STATE.test(state)) return undefined
    const record = await this.#records.get(keyOf(state))
    return record && readLogin(record.text)
  }

  /** The same, once. */
  async take(state: string): Promise<DepartedLogin | undefined> {
    const record = await this.#records.take(keyOf(state))
    return record && readLogin(record.text)
  }
}

const keyOf = (state: string): string => `login-departure:${state}`

const readLogin = (text: string): DepartedLogin => {
  const login: DepartedLogin = JSON.parse(text) // ours: `keep` wrote it
  return login
}
