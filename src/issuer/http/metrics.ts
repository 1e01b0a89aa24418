// The metrics of logins, sessions and tokens: counted by audit events, where there is an event. No label is a user,
// a client or a host, so that clients cannot make more series than the configuration names.

import type { AuditEvent } from '../../audit/event.ts'
import type { AuditSink } from '../../audit/sink.ts'
import { Counter, type Metric } from '../../runtime/metrics/metric.ts'

// RFC 6749 §5.2, RFC 8628 §3.5, RFC 8707 §2, RFC 9449 §5; and the server's own failures.
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

const UPSTREAM_IDPS = 'the ids of upstream IdPs (`issuer.login.providers`)'
const LOGIN_METHODS = `\`password\`, \`certificate\`, or ${UPSTREAM_IDPS}`

/** Counts since the start, over all configurations. */
export class IssuerMetrics {
  readonly #logins = new Counter<'login_method' | 'outcome' | 'reason'>(
    'countersign_logins_total',
    'Login attempts, by method (password, certificate, or the id of the provider), outcome (succeeded, challenged, refused) and, of refusals, the reason of the audit log.',
    {
      login_method: LOGIN_METHODS,
      outcome: ['succeeded', 'challenged', 'refused'],
      reason: 'the reasons of refused logins (absent otherwise)',
    },
  )
  readonly #sessions = new Counter(
    'countersign_sessions_begun_total',
    'Browser sessions that began on routes.',
    {},
  ).begin({})
  readonly #signOuts = new Counter<'which'>(
    'countersign_logouts_total',
    'Logouts, by what they ended: the login of this browser (current), another one (one), all of a user (all), or all of all users (all-users, by `countersign sessions`). Expired logins are not counted.',
    { which: ['current', 'one', 'all', 'all-users'] },
  )
  readonly #tokens = new Counter<'grant_type'>(
    'countersign_tokens_issued_total',
    'Successful token responses, by grant_type.',
    { grant_type: 'grant types of the token endpoint' },
  )
  readonly #tokenRefusals = new Counter<'error'>(
    'countersign_token_refusals_total',
    'Error responses of the token endpoint, by error. Clients that poll for a device code receive authorization_pending.',
    { error: [...TOKEN_ERRORS, 'other'] },
  )
  readonly #deviceCodes = new Counter<'step' | 'outcome'>(
    'countersign_device_codes_total',
    'Device codes by step, requested by a client or entered in a browser, and outcome: accepted, unknown (entered), or limited after too many (RFC 8628 §5.1).',
    { step: ['requested', 'entered'], outcome: ['accepted', 'unknown', 'limited'] },
  )
  readonly #logoutTokens = new Counter<'outcome'>(
    'countersign_logout_tokens_total',
    'Logout tokens sent to clients with backchannelLogout, by outcome: delivered or failed.',
    { outcome: ['delivered', 'failed'] },
  )
  readonly #renewed = new Counter<'login_method'>(
    'countersign_logins_renewed_total',
    'Logins that were rechecked and are still active, by method (password, certificate, or the id of the provider): at providers each time, here where groups or attributes have changed.',
    { login_method: LOGIN_METHODS },
  )
  readonly #ended = new Counter<'login_method' | 'cause'>(
    'countersign_logins_ended_total',
    'Logins that were ended, by method and cause: not-renewed or upstream-logout by their provider, recheck where the user may no longer log in.',
    {
      login_method: LOGIN_METHODS,
      cause: ['not-renewed', 'upstream-logout', 'recheck'],
    },
  )

  get all(): readonly Metric[] {
    return [
      this.#logins,
      this.#sessions,
      this.#signOuts,
      this.#tokens,
      this.#tokenRefusals,
      this.#deviceCodes,
      this.#logoutTokens,
      this.#renewed,
      this.#ended,
    ]
  }

  /** A sink that counts events once they are written: an event that is lost did not happen. */
  countedBy(sink: AuditSink): AuditSink {
    return {
      write: async (event) => {
        await sink.write(event)
        this.written(event)
      },
    }
  }

  written(event: AuditEvent): void {
    if (event.event === 'login') {
      const { loginMethod, outcome, reason = '' } = event // Prometheus treats an empty label as absent
      this.#logins.inc({ login_method: loginMethod, outcome, reason })
    }
    if (event.event === 'session-began') this.#sessions.inc({})
    if (event.event === 'sessions-ended') this.#signOuts.inc({ which: event.which })
    if (event.event === 'login-renewed') this.#renewed.inc({ login_method: event.loginMethod })
    if (event.event === 'login-ended')
      this.#ended.inc({ login_method: event.loginMethod, cause: event.cause })
    // A grant that the client may use.
    if (event.event === 'tokens-issued') this.#tokens.inc({ grant_type: event.grantType })
  }

  /** The token endpoint answered with an error (RFC 6749 §5.2). */
  tokensRefused(error: string): void {
    this.#tokenRefusals.inc({ error: TOKEN_ERRORS.has(error) ? error : 'other' })
  }

  /** A logout token was sent to a client. */
  clientNotified(outcome: 'delivered' | 'failed'): void {
    this.#logoutTokens.inc({ outcome })
  }

  /**
   * A device code was requested, or its user code entered in a browser (RFC 8628 §3.1, §3.3).
   *
   * @param outcome unknown: no device waits with that code; limited: too many before it
   */
  deviceCode(step: 'requested' | 'entered', outcome: 'accepted' | 'unknown' | 'limited'): void {
    this.#deviceCodes.inc({ step, outcome })
  }
}
