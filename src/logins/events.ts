// What happens to logins outside of a browser's request, for the audit log. The sink is given by the process.

/** How a login was made: its way in, and what proved it. */
export interface LoginWayFields {
  /** `password`, `certificate`, or the upstream IdP by its id. */
  readonly loginMethod: string
  readonly provider?: string | undefined
  readonly authenticator?: string | undefined
}

/** A recheck found the login active, and its user's groups or attributes changed. */
interface LoginRenewed extends LoginWayFields {
  readonly event: 'login-renewed'
  readonly login: string
  readonly user: string
  readonly groups: readonly string[]
  readonly credential: string
}

/** A recheck or the upstream IdP ended the login. */
interface LoginEnded extends LoginWayFields {
  readonly event: 'login-ended'
  readonly login: string
  readonly user: string
  readonly cause: 'not-renewed' | 'upstream-logout' | 'recheck'
  readonly detail?: string | undefined
}

/** An operator ended logins by the command line. */
export interface SessionsEnded {
  readonly event: 'sessions-ended'
  /** Absent where the logins of all users were ended. */
  readonly user?: string | undefined
  readonly which: 'current' | 'one' | 'all' | 'all-users'
  readonly by: 'cli'
}

/** Takes these events; the audit sink is one. */
export interface LoginEventSink {
  /** Rejects when the event is not written. */
  write(event: LoginRenewed | LoginEnded | SessionsEnded): Promise<void>
}
