// What Envoy refuses by itself leaves a line: connections at the listener, requests at the connection
// manager. authz does not see them. Successful connections and requests that authz decided leave none here.

import { DECISION_HEADER } from '../check/answer/answer.ts'
import { extension, type Message } from './message.ts'

/** Where the lines go, and how many there may be. */
export interface RefusalLog {
  /** The file that Envoy appends to. Default: its standard output. */
  readonly file?: string | undefined
  /** The file of {@link refusalRate}, from which Envoy reads how many lines there may be. Default: no limit. */
  readonly rateFile?: string | undefined
}

/**
 * How a field is cut off: `cel` works in any Envoy with CEL, `coalesce` from 1.37 on and for every field.
 * What cannot be cut is left out, since the caller decides how long it is.
 */
type Cutting = 'cel' | 'coalesce'

/** Lines about connections, for `access_log` of the listener. Envoy writes one when the connection ends. */
export const connectionLog = (
  log: RefusalLog,
  cutting: Cutting = 'coalesce',
): readonly Message[] => [
  accessLog(log, [celFilter(CONNECTION_FAILED)], {
    log: 'envoy',
    event: 'connection-refused',
    time: TIME,
    reason: '%DOWNSTREAM_TRANSPORT_FAILURE_REASON%',
    termination: '%CONNECTION_TERMINATION_DETAILS%',
    detail: '%RESPONSE_CODE_DETAILS%',
    flags: '%RESPONSE_FLAGS%',
    source: '%DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT%',
    serverName: cel('connection.requested_server_name', 100),
    subject: cel('connection.subject_peer_certificate', 256),
    ...(cutting === 'cel'
      ? {}
      : {
          issuer: coalesce('DOWNSTREAM_PEER_ISSUER', 256),
          serial: coalesce('DOWNSTREAM_PEER_SERIAL', 64),
        }),
    fingerprint: '%DOWNSTREAM_PEER_FINGERPRINT_256%',
  }),
]

/** Lines about requests, for `access_log` of the connection manager. */
export const requestLog = (log: RefusalLog): readonly Message[] => [
  accessLog(log, [mayHaveFailed, celFilter(REQUEST_FAILED)], {
    log: 'envoy',
    event: 'request-failed',
    time: TIME,
    reason: cel('response.code_details', 256),
    flags: '%RESPONSE_FLAGS%',
    status: '%RESPONSE_CODE%',
    source: '%DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT%',
    method: '%REQ(:METHOD):32%',
    host: '%REQ(:AUTHORITY):256%',
    // Without the query, which may hold a key.
    path: cel('request.url_path', 256),
    route: '%ROUTE_NAME%',
    upstream: '%UPSTREAM_CLUSTER%',
    request: '%REQ(X-REQUEST-ID):64%',
    decision: `%RESP(${DECISION_HEADER}):64%`,
  }),
]

const TIME = '%START_TIME(%Y-%m-%dT%H:%M:%E3SZ)%'

const cel = (attribute: string, longest: number): string => `%CEL(${attribute}):${longest}%`

const coalesce = (command: string, longest: number): string =>
  `%COALESCE({"operators":["${command}"]}):${longest}%`

// A failed handshake, one that took too long, or no filter chain for the server name (Istio). A caller who leaves
// during the handshake was not refused. What is not set is an error to CEL, which does not hide what is.
const CONNECTION_FAILED = `connection.transport_failure_reason != '' || connection.termination_details != '' || response.code_details != ''`

// What is not a failure at Envoy: the upstream answered, authz refused (its decision says why), the caller left.
const REQUEST_FAILED = `!(response.code_details in ['via_upstream', 'ext_authz_denied', 'downstream_remote_disconnect', 'http2.remote_reset', 'http2.remote_refuse'])`

const ofStatus = (op: 'GE' | 'LE', status: number): Message => ({
  status_code_filter: {
    comparison: { op, value: { default_value: status, runtime_key: `countersign.status_${op}` } },
  },
})

/**
 * Not answered, answered with an error, or marked by Envoy with a flag, which each request has that it ends itself. Asked first, since
 * CEL takes one to two µs of Envoy's CPU for each request.
 */
const mayHaveFailed: Message = {
  or_filter: { filters: [ofStatus('GE', 400), ofStatus('LE', 199), { response_flag_filter: {} }] },
}

// After a permit: the caller is authenticated.
const DECIDED = `'${DECISION_HEADER}' in response.headers`

/** A log of what passes all of these filters, in their order. */
const accessLog = (
  { file, rateFile }: RefusalLog,
  conditions: readonly Message[],
  fields: Message,
): Message => {
  const output = { log_format: { json_format: fields, omit_empty_values: true } }
  return {
    ...(file === undefined
      ? extension('envoy.access_loggers.stdout', 'access_loggers.stream.v3.StdoutAccessLog', output)
      : extension('envoy.access_loggers.file', 'access_loggers.file.v3.FileAccessLog', {
          path: file,
          ...output,
        })),
    filter: allOf([...conditions, ...(rateFile === undefined ? [] : [limitedBy(rateFile)])]),
  }
}

/** Envoy refuses a list of one. */
export const allOf = (filters: readonly Message[]): Message => {
  const [only] = filters
  return only !== undefined && filters.length === 1 ? only : { and_filter: { filters } }
}

/** What a caller who has proven nothing can cause counts; the rest does not, and is always written. */
const limitedBy = (rateFile: string): Message => ({
  or_filter: { filters: [celFilter(DECIDED), rateFilter(rateFile)] },
})

/** An access log filter (also of local replies) that asks CEL about Envoy's attributes. */
export const celFilter = (expression: string): Message => ({
  extension_filter: extension(
    'envoy.access_loggers.extension_filters.cel',
    'access_loggers.filters.cel.v3.ExpressionFilter',
    { expression },
  ),
})

const RATE = 'countersign'

const rateFilter = (path: string): Message => ({
  extension_filter: extension(
    'envoy.access_loggers.extension_filters.process_ratelimit',
    'access_loggers.filters.process_ratelimit.v3.ProcessRateLimitFilter',
    {
      dynamic_config: {
        resource_name: RATE,
        config_source: { path_config_source: { path }, resource_api_version: 'V3' },
      },
    },
  ),
})

/** Lines that come at once, and how many a second come back. Each is of 2 KB at most. */
const BURST = 500
const PER_SECOND = 10

/** The file from which Envoy reads how many lines there may be, for all of one Envoy. */
export const refusalRate = (): string =>
  `${JSON.stringify({
    version_info: '1',
    resources: [
      {
        '@type': 'type.googleapis.com/envoy.service.discovery.v3.Resource',
        name: RATE,
        resource: {
          '@type': 'type.googleapis.com/envoy.type.v3.TokenBucket',
          max_tokens: BURST,
          tokens_per_fill: PER_SECOND,
          fill_interval: '1s',
        },
      },
    ],
  })}\n`
