// `tracing`: where traces are sent, and which requests are traced.

import * as z from 'zod'
import { fileSchema, isConfidential, secretSchema } from './values.ts'

const HEADER_NAME = /^[a-z0-9!#$%&'*+.^_`|~-]+$/ // RFC 9110 §5.6.2, in lower case

const endpointSchema = z
  .url({ protocol: /^https?$/, error: 'must be an http or https URL' })
  .refine((url) => {
    const { username, password, search, hash } = new URL(url)
    return `${username}${password}${search}${hash}` === ''
  }, 'must be without user, query and fragment: credentials go into "headers"')

const otlp = z
  .strictObject({
    endpoint: endpointSchema.describe(
      'The collector: with `http/protobuf` the URL that takes traces, such as `http://127.0.0.1:4318/v1/traces`; with `grpc` its address, such as `http://127.0.0.1:4317`.',
    ),
    protocol: z
      .enum(['http/protobuf', 'grpc'])
      .default('http/protobuf')
      .describe('The transport of OTLP.'),
    headers: z
      .record(z.string().regex(HEADER_NAME, 'must be a lower-case header name'), secretSchema)
      .default({})
      .describe(
        'Headers that the collector requires, such as `authorization`. authz sends them; Envoy sends none.',
      ),
    ca: fileSchema
      .optional()
      .describe(
        'PEM file: the CA of the collector’s certificate. Required with `https`, since Envoy trusts no CA by itself.',
      ),
  })
  .refine(
    ({ endpoint, headers }) =>
      isConfidential(new URL(endpoint)) || Object.keys(headers).length === 0,
    {
      path: ['endpoint'],
      error: 'must be https where "headers" has credentials',
    },
  )
  .refine(({ endpoint, ca }) => !endpoint.startsWith('https:') || ca !== undefined, {
    path: ['ca'],
    error: 'is required with https',
  })
  .describe('The OpenTelemetry collector to which authz and Envoy send spans (OTLP).')

/** The `tracing` section. */
export const tracingSchema = z
  .strictObject({
    otlp,
    sampling: z
      .number()
      .min(0)
      .max(1)
      .default(0.01)
      .describe(
        'The share of requests that are traced: 1 for all. Envoy decides, and authz follows.',
      ),
    maxPerSecond: z
      .int()
      .min(1)
      .max(10_000)
      .default(100)
      .describe(
        'The most requests a second that authz traces; those beyond it are decided without a span.',
      ),
    trustClients: z
      .boolean()
      .default(false)
      .describe(
        'Whether Envoy continues the trace that a client names (`traceparent`). The client then decides which of its requests are traced. Otherwise Envoy removes the header, and begins a trace of its own.',
      ),
  })
  .describe(
    'Traces of requests (OpenTelemetry): where they are sent, and how many. Absent: none. A change needs a restart.',
  )

/** The parsed section. */
export type TracingConfig = z.output<typeof tracingSchema>
