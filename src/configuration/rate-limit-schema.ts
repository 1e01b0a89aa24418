// `envoy.rateLimits`: how many requests a second Envoy takes on the paths of the issuer, which are open
// to unauthenticated clients.

import * as z from 'zod'

interface Rate {
  readonly perSecond: number
  readonly burst: number
}

const rate = (fallback: Rate, whose: string) =>
  z
    .strictObject({
      perSecond: z
        .int()
        .min(1)
        .max(1_000_000)
        .default(fallback.perSecond)
        .describe('Requests a second that it may send in the long run.'),
      burst: z
        .int()
        .min(1)
        .max(1_000_000)
        .default(fallback.burst)
        .describe('Requests that it may send at once.'),
    })
    .prefault({})
    .describe(whose)

const rateLimit = (paths: string, source: Rate, total: Rate) =>
  z
    .strictObject({
      source: rate(source, 'One IPv4 address, or one IPv6 network of 64 bits.'),
      total: rate(total, 'All of them, at one Envoy.'),
    })
    .prefault({})
    .describe(paths)

/** The `envoy.rateLimits` section. */
export const rateLimitsSchema = z
  .strictObject({
    documents: rateLimit(
      'The key set and the metadata.',
      { perSecond: 20, burst: 200 },
      { perSecond: 500, burst: 1_000 },
    ),
    login: rateLimit(
      '`/authorize`, `/login`, `/account` and `/logout` together; and `/.countersign/` on each host of sessions.',
      { perSecond: 20, burst: 200 },
      { perSecond: 100, burst: 500 },
    ),
    token: rateLimit(
      '`/token`, `/introspect`, `/revoke`, `/userinfo` and `/par` together.',
      { perSecond: 20, burst: 200 },
      { perSecond: 100, burst: 500 },
    ),
    device: rateLimit(
      '`/device` and `/device/authorize`.',
      { perSecond: 5, burst: 50 },
      { perSecond: 20, burst: 100 },
    ),
  })
  .prefault({})
  .describe(
    'Requests to the issuer that one Envoy takes; those beyond are answered with 429 and `Retry-After`. Many users behind one address (NAT) count as one source, and so does a service that gets tokens for its users. The issuer shares its process with authz: the totals bound what logins cost API calls.',
  )

/** The parsed `rateLimits`. */
export type RateLimits = z.output<typeof rateLimitsSchema>

/** The limit of one group of paths. */
export type RateLimit = RateLimits[keyof RateLimits]
