// What is counted of logins, sessions and tokens: by what is recorded, where there is an event for it. No
// label is a user, a client or a host, so that nobody can make more of them than the configuration names.

import type { AuditEvent } from '../audit/event.ts'
import type { AuditObserver } from '../audit/observed-sink.ts'
import { Distribution } from '../runtime/metrics/distribution.ts'
import { Tally } from '../runtime/metrics/tally.ts'
import type { IssuerObserver } from './observer.ts'

// RFC 6749 §5.2, RFC 8628 §3.5, RFC 8707 §2, RFC 9449 §5; and what is our own fault.
const TOKEN_ERRORS: ReadonlySet<string> = new Set([
  'invalid_request',
  'invalid_client',
  'invalid_grant',
  'unauthorized_client',
  'unsupported_grant_type',
  'invalid_scope',
  'authorization_pending',
  'slow_down',
  'access_denied',
  'expired_token',
  'invalid_target',
  'invalid_dpop_proof',
  'use_dpop_nonce',
  'server_error',
  'temporarily_unavailable',
])

/** Counts since the start, for every configuration there was. */
export class IssuerStatistics implements AuditObserver, IssuerObserver {
  /** What was shown at the login page. */
  readonly logins = new Tally<'way' | 'outcome' | 'reason'>()
  /** Times that people ended logins. */
  readonly signOuts = new Tally<'which'>()
  /** Answers of the token endpoint with tokens. */
  readonly tokens = new Tally<'grant'>()
  /** Its answers without. */
  readonly refusals = new Tally<'error'>()
  /** Device codes: requested by clients, entered in browsers. */
  readonly deviceCodes = new Tally<'step' | 'outcome'>()
  /** Logout tokens for clients. */
  readonly told = new Tally<'outcome'>()
  /** Logins that were checked again, as far as that is recorded. */
  readonly renewals = new Tally<'way'>()
  /** Logins that a check, or an upstream IdP, has ended. */
  readonly ended = new Tally<'way' | 'cause'>()
  readonly #asked = new Map<string, Record<'answered' | 'failed', Distribution>>()
  #sessions = 0

  /** What providers of others were asked, by their ids. */
  get asked(): ReadonlyMap<string, Readonly<Record<'answered' | 'failed', Distribution>>> {
    return this.#asked
  }

  /** How many sessions of browsers began on routes. */
  get sessions(): number {
    return this.#sessions
  }

  written(event: AuditEvent): void {
    if (event.event === 'login') {
      const { way, outcome, reason = '' } = event // to Prometheus an empty label is none
      this.logins.add({ way, outcome, reason })
    }
    if (event.event === 'session-began') this.#sessions += 1
    if (event.event === 'sessions-ended') this.signOuts.add({ which: event.which })
    if (event.event === 'login-renewed') this.renewals.add({ way: event.way })
    if (event.event === 'login-ended') {
      const { way, cause } = event
      this.ended.add({ way, cause })
    }
    // A grant that the client may use.
    if (event.event === 'tokens-issued') this.tokens.add({ grant: event.grant })
  }

  providerAsked(provider: string, result: 'answered' | 'failed', duration: number): void {
    const known = this.#asked.get(provider)
    const results = known ?? { answered: new Distribution(), failed: new Distribution() }
    if (known === undefined) this.#asked.set(provider, results)
    results[result].observe(duration)
  }

  tokensRefused(error: string): void {
    this.refusals.add({ error: TOKEN_ERRORS.has(error) ? error : 'other' })
  }

  deviceCode(step: 'requested' | 'entered', outcome: 'accepted' | 'unknown' | 'limited'): void {
    this.deviceCodes.add({ step, outcome })
  }

  clientTold(outcome: 'told' | 'failed'): void {
    this.told.add({ outcome })
  }
}
