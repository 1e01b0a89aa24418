// `limits`: how large a request may be that is judged, or that the issuer answers.

import * as z from 'zod'

/** The defaults. */
export const DEFAULT_LIMITS = {
  // As nginx (large_client_header_buffers) and Apache (LimitRequestLine).
  targetBytes: 8_192,
  // What Envoy's defaults let through, 60 KiB (max_request_headers_kb) and 100 lines (max_headers_count), and what it adds.
  headerBytes: 65_536,
  headerLines: 128,
  // A rule that goes through all of them in a loop takes half a millisecond.
  parameters: 256,
} as const

/** The `limits` section. */
export const limitsSchema = z
  .strictObject({
    targetBytes: z
      .int()
      .min(1_024)
      .max(65_536)
      .default(DEFAULT_LIMITS.targetBytes)
      .describe(
        'The longest request target (path and query), in bytes. A longer one is answered with 414, `target-too-long`. nginx and Apache accept 8 KiB too. `kubectl exec` sends its command in the query.',
      ),
    headerBytes: z
      .int()
      .min(8_192)
      .max(524_288)
      .default(DEFAULT_LIMITS.headerBytes)
      .describe(
        'The most bytes of header fields, names and values. More are answered with 431, `header-fields-too-large`. The Envoy of `envoy generate` refuses more than 60 KiB by itself; for more, raise `max_request_headers_kb` of an Envoy of your own.',
      ),
    headerLines: z
      .int()
      .min(64)
      .max(1_024)
      .default(DEFAULT_LIMITS.headerLines)
      .describe(
        'The most header lines, with those that Envoy adds. More are answered with 431. The Envoy of `envoy generate` refuses more than 100 by itself (`max_headers_count`).',
      ),
    parameters: z
      .int()
      .min(16)
      .max(1_000)
      .default(DEFAULT_LIMITS.parameters)
      .describe(
        'The most parameters of a query, empty ones among them. More are answered with 400, `too-many-parameters`.',
      ),
  })
  .prefault({})
  .describe(
    'How large a request may be, also one to the issuer (whose header fields may have 32 KiB). A larger one is refused before any credential is read, since the time of a check grows with its size.',
  )

/** The parsed `limits`. */
export type LimitsConfig = z.output<typeof limitsSchema>
