// The page of spans of the signer, as its reader checks it.

import * as z from 'zod'
import type { SpanPage } from '../runtime/tracing/kept-spans.ts'

const traceId = z.string().regex(/^[0-9a-f]{32}$/)
const spanId = z.string().regex(/^[0-9a-f]{16}$/)

const schema: z.ZodType<SpanPage> = z.object({
  process: spanId,
  last: z.int().min(0),
  spans: z.array(
    z.object({
      traceId,
      spanId,
      parentSpanId: spanId.exactOptional(),
      name: z.string(),
      kind: z.enum(['internal', 'client', 'server']),
      start: z.number().min(0),
      duration: z.number().min(0),
      attributes: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])),
      failure: z.string().exactOptional(),
    }),
  ),
})

/**
 * Reads the page of spans of another process, whatever its version.
 *
 * @throws SyntaxError, ZodError
 */
export const readSpansPage = (body: string): SpanPage => schema.parse(JSON.parse(body))
