// Faults of what bounds a client on the routes to the issuer.

import type { Change, Fault } from './case.ts'
import { BUFFER, fault, LOGIN_ROUTE, RATE_LIMIT } from './issuer-site.ts'

const LOGIN_FILTERS = `${LOGIN_ROUTE}.typed_per_filter_config`
const OWN_LIMIT = `${LOGIN_FILTERS}["${RATE_LIMIT}"]`

const warning = (
  rule: string,
  name: string,
  change: readonly Change[],
  at: Fault['at'] = LOGIN_FILTERS,
): Fault => fault(rule, name, change, at, { severity: 'warning' })

/** Faults of the bounds. */
export const issuerBoundsFaults: readonly Fault[] = [
  warning('issuer-bodies-streamed', 'the buffer is not turned on', [
    [`${LOGIN_FILTERS}["${BUFFER}"]`],
  ]),
  warning('issuer-bodies-streamed', 'it is turned off', [
    [
      `${LOGIN_FILTERS}["${BUFFER}"]`,
      {
        '@type': 'type.googleapis.com/envoy.extensions.filters.http.buffer.v3.BufferPerRoute',
        disabled: true,
      },
    ],
  ]),
  warning(
    'issuer-requests-without-end',
    'no longest duration',
    [[`${LOGIN_ROUTE}.route.max_stream_duration`]],
    `${LOGIN_ROUTE}.route.max_stream_duration`,
  ),
  warning('issuer-rate-unlimited', 'no rate', [[OWN_LIMIT]]),
  warning('issuer-rate-unlimited', 'a rate that is only counted', [
    [`${OWN_LIMIT}.filter_enforced`],
  ]),
  warning('issuer-rate-unlimited', 'a rate for no request', [
    [`${OWN_LIMIT}.filter_enabled.default_value.numerator`, 0],
  ]),
]
