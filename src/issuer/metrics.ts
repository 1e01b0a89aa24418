// The metrics of logins, sessions and tokens.

import { counter, type Metric } from '../runtime/metrics/metric.ts'
import type { IssuerStatistics } from './statistics.ts'

/** The metrics of the authorization server. */
export const issuerMetrics = (statistics: IssuerStatistics): readonly Metric[] => {
  const { logins, signOuts, tokens, refusals, deviceCodes, told, renewals, ended } = statistics
  return [
    {
      type: 'counter',
      name: 'countersign_logins_total',
      help: 'What was shown at the login page, by way (password, certificate, or the provider), outcome (succeeded, challenged, refused) and, of refusals, the reason that the audit log has.',
      labels: ['way', 'outcome', 'reason'],
      read: () => logins.samples(),
    },
    counter(
      'countersign_sessions_begun_total',
      'Sessions of browsers that began on routes.',
      () => statistics.sessions,
    ),
    {
      type: 'counter',
      name: 'countersign_sign_outs_total',
      help: 'Times that logins were ended: that of the browser in use (here), another one (one), all of a user (everywhere), or by `countersign sessions` those of everybody. Logins that end by themselves are not seen.',
      labels: ['which'],
      read: () => signOuts.samples(),
    },
    {
      type: 'counter',
      name: 'countersign_tokens_issued_total',
      help: 'Answers of the token endpoint with tokens, by grant_type.',
      labels: ['grant'],
      read: () => tokens.samples(),
    },
    {
      type: 'counter',
      name: 'countersign_token_refusals_total',
      help: 'Answers of the token endpoint without tokens, by error. Programs that wait for a person get authorization_pending until then.',
      labels: ['error'],
      read: () => refusals.samples(),
    },
    {
      type: 'counter',
      name: 'countersign_device_codes_total',
      help: 'Device codes by step, requested by a client or entered in a browser, and outcome: accepted, unknown (entered), or limited after too many (RFC 8628 §5.1).',
      labels: ['step', 'outcome'],
      read: () => deviceCodes.samples(),
    },
    {
      type: 'counter',
      name: 'countersign_logout_tokens_total',
      help: 'Logout tokens for clients with backchannelLogout, by what became of them: told or failed.',
      labels: ['outcome'],
      read: () => told.samples(),
    },
    {
      type: 'histogram',
      name: 'countersign_login_provider_request_duration_seconds',
      help: 'What providers of others where people log in were asked, by result: answered, or failed where there was no answer or an error of theirs.',
      labels: ['provider', 'result'],
      read: () =>
        [...statistics.asked].flatMap(([provider, { answered, failed }]) => [
          { labels: { provider, result: 'answered' }, value: answered },
          { labels: { provider, result: 'failed' }, value: failed },
        ]),
    },
    {
      type: 'counter',
      name: 'countersign_logins_renewed_total',
      help: 'Logins that were checked again and are good, by way (password, certificate, or the provider): at providers each time, here where groups or attributes have changed.',
      labels: ['way'],
      read: () => renewals.samples(),
    },
    {
      type: 'counter',
      name: 'countersign_logins_ended_total',
      help: 'Logins that were ended, by way and cause: not-renewed or logged-out-there by their provider, recheck where the user could not log in here any more.',
      labels: ['way', 'cause'],
      read: () => ended.samples(),
    },
  ]
}
