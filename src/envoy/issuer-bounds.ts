// Limits of unauthenticated clients on the routes to the issuer, which bypass authz: Envoy receives whole
// requests before it forwards them, and limits their duration and rate.

import type { RateLimit } from '../configuration/rate-limit-schema.ts'
import { IPV6_PREFIX } from '../runtime/counted-source.ts'
import { extension, typeUrl, type Message } from './message.ts'
import { celFilter } from './refusal-log.ts'

/** The name of the filter that receives whole requests. */
const BUFFER = 'envoy.filters.http.buffer'

/** The name of the filter that counts requests. */
const RATE_LIMIT = 'envoy.filters.http.local_ratelimit'

/**
 * Bytes of a body: as many as the largest form of the issuer has (issuer/http/form-body.ts). Envoy keeps them until the
 * request is complete, with some 20 KB for the stream: with the totals of `rateLimits` as they are by default, all
 * requests that are never completed hold less than half of the default `maxHeapBytes`.
 */
export const LARGEST_FORM = 32_768
/** Where the issuer reads no body. */
export const LARGEST_UNREAD = 1_024

/** Sources whose requests are counted apart at a time; the one that was silent for longest is forgotten. */
const MOST_SOURCES = 10_000

const IPV4_PREFIX = 32

/** What the descriptor of a source is called; Envoy's own name for it. */
const SOURCE = 'masked_remote_address'

/** RFC 9110 §10.2.3, in seconds: as long as authz says where it refuses for a while. */
const RETRY_AFTER = '5'

/** The filters, before all other filters. They are disabled unless a route enables them. */
export const issuerFilters: readonly Message[] = [
  {
    ...extension(RATE_LIMIT, 'filters.http.local_ratelimit.v3.LocalRateLimit', {
      stat_prefix: 'issuer',
    }),
    disabled: true,
  },
  {
    ...extension(BUFFER, 'filters.http.buffer.v3.Buffer', { max_request_bytes: LARGEST_FORM }),
    disabled: true,
  },
]

/**
 * `typed_per_filter_config` of a route to the issuer. Each route has buckets of its own.
 *
 * @param group what the statistics call it: `issuer_GROUP.http_local_rate_limit.rate_limited`
 * @param body the most bytes of a body that is received before the issuer sees the request; absent where it answers
 *   without one
 */
export const issuerBounds = (
  group: string,
  { source, total }: RateLimit,
  body: number | undefined,
): Message => ({
  [RATE_LIMIT]: {
    '@type': typeUrl('filters.http.local_ratelimit.v3.LocalRateLimit'),
    stat_prefix: `issuer_${group}`,
    filter_enabled: ALWAYS,
    filter_enforced: ALWAYS,
    token_bucket: bucket(total),
    // A source that has none left takes none of those that are for all.
    descriptors: [{ entries: [{ key: SOURCE }], token_bucket: bucket(source) }],
    max_dynamic_descriptors: MOST_SOURCES,
    rate_limits: [
      {
        actions: [
          {
            [SOURCE]: { v4_prefix_mask_len: IPV4_PREFIX, v6_prefix_mask_len: IPV6_PREFIX },
          },
        ],
      },
    ],
    response_headers_to_add: [{ header: { key: 'retry-after', value: RETRY_AFTER } }],
  },
  ...(body === undefined ? {} : buffered(body)),
})

const buffered = (body: number): Message => ({
  [BUFFER]: {
    '@type': typeUrl('filters.http.buffer.v3.BufferPerRoute'),
    buffer: { max_request_bytes: body },
  },
})

const ALWAYS: Message = { default_value: { numerator: 100, denominator: 'HUNDRED' } }

const bucket = ({ perSecond, burst }: RateLimit['source']): Message => ({
  max_tokens: burst,
  tokens_per_fill: perSecond,
  fill_interval: '1s',
})

// In the words and forms of authz (check/answer/refusal.ts).
const TEXT = 'Too many requests. Wait, then try again.'

/** Mappers of `local_reply_config`: what a client reads that has sent too many requests. */
export const tooManyRequests: readonly Message[] = [
  {
    filter: {
      and_filter: {
        filters: [isRateLimited(), accepts('application/(problem\\+)?json'), acceptsNoPage()],
      },
    },
    body_format_override: {
      content_type: 'application/problem+json',
      json_format: { title: 'Too Many Requests', status: 429, detail: TEXT },
    },
  },
  {
    filter: isRateLimited(),
    body_format_override: {
      content_type: 'text/plain; charset=utf-8',
      text_format_source: { inline_string: `429 Too Many Requests\n\n${TEXT}\n` },
    },
  },
]

// By the details: Envoy sets the response flag RL only after it has written the body (measured, 1.40).
function isRateLimited(): Message {
  return celFilter("response.code_details == 'local_rate_limited'")
}

function accepts(type: string, invert = false): Message {
  return {
    header_filter: {
      header: {
        name: 'accept',
        string_match: { safe_regex: { regex: `.*${type}.*` } },
        ...(invert ? { invert_match: true } : {}),
      },
    },
  }
}

function acceptsNoPage(): Message {
  return accepts('text/html', true)
}
