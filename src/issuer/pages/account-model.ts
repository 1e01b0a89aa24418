// The model of the account page; unknown values are left out.

import { textsIn } from '../../runtime/json-object.ts'
import type { AccountModel } from '../../pages/views/account.ts'
import type { AccountSession } from '../../pages/views/sessions.ts'
import type { KnownAccount } from '../../logins/accounts.ts'
import type { LiveLogin } from '../../logins/live-logins.ts'

/** What is known. Instants are milliseconds since the epoch, except `at`. */
export interface AccountInput {
  readonly account: KnownAccount
  /** `amr` of the login. */
  readonly methods: readonly string[]
  /** When the login was, in seconds since the epoch. */
  readonly at: number
  /** For how long a login can be good, in milliseconds. */
  readonly longest: number
  /** Those of the user; the latest first. */
  readonly logins: readonly LiveLogin[]
  /** The id of the login of this browser. */
  readonly current: string
  /** `User-Agent` and address of this browser. */
  readonly seen: { readonly userAgent: string | undefined; readonly source: string }
  readonly now: number
}

/** The model of the page. */
export const accountModel = (input: AccountInput): AccountModel => {
  const { account, methods, at, longest, logins, now } = input
  const { subject, claims, expires = Number.POSITIVE_INFINITY } = account
  const { name, email, groups } = claims
  const sessions = logins.map((login) => sessionOf(login, input))
  return {
    user: subject,
    ...(typeof name === 'string' ? { name } : {}),
    ...(typeof email === 'string' ? { email } : {}),
    groups: textsIn(groups),
    means: methods.flatMap((method) => MEANS.get(method) ?? []),
    loggedInAt: at * 1_000,
    expires: Math.min(at * 1_000 + longest, expires),
    sessions: sessions.toSorted((one, other) => Number(other.current) - Number(one.current)),
    now,
  }
}

type Means = AccountModel['means'][number]

// RFC 8176.
const MEANS: ReadonlyMap<string, Means> = new Map<string, Means>([
  ['pwd', { kind: 'password' }],
  ['otp', { kind: 'one-time-code' }],
  ['pop', { kind: 'certificate' }],
])

const sessionOf = (login: LiveLogin, { current, seen, now }: AccountInput): AccountSession => {
  const { id, began, used } = login
  const isCurrent = id === current
  const userAgent = isCurrent ? seen.userAgent : login.userAgent
  const address = isCurrent ? seen.source : login.source
  return {
    id,
    current: isCurrent,
    ...(userAgent === undefined ? {} : { userAgent }),
    ...(address === undefined ? {} : { address }),
    begun: began,
    ...(isCurrent ? { used: now } : used !== undefined && { used }),
  }
}
