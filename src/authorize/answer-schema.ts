// The answer of a rule that refuses: `response` and `redirect`, as configured.

import * as z from 'zod'

/** Headers that frame the message, or that Countersign sets. `location` is that of `redirect`. */
const RESERVED_IN_ANSWERS: ReadonlySet<string> = new Set([
  'connection',
  'content-length',
  'keep-alive',
  'location',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'x-content-type-options',
  'x-countersign-decision',
])

const answerHeaderName = z
  .string()
  .regex(/^[a-z0-9-]+$/, 'must be a header name in lower case')
  .refine((name) => !RESERVED_IN_ANSWERS.has(name), 'cannot be set by a rule')

/** `response` of a rule. */
export const answerSchema = z
  .strictObject({
    status: z.int().min(400).max(599).default(403).describe('The HTTP status.'),
    message: z
      .string()
      .min(1)
      .optional()
      .describe(
        'The message to the caller, in the format that suits the request: text, problem+json, or the Status of a Kubernetes API.',
      ),
    body: z
      .string()
      .optional()
      .describe('The body, as it is. `{decision}` and `{rule}` are replaced.'),
    headers: z
      .record(
        answerHeaderName,
        z.string().regex(/^([\x21-\x7e]+( +[\x21-\x7e]+)*)?$/, 'must be printable ASCII'),
      )
      .default({})
      .describe(
        'Further headers, which may replace `cache-control: no-store`; `content-type` is that of `body`, `text/plain` where absent.',
      ),
  })
  .refine(
    ({ message, body }) => message === undefined || body === undefined,
    '"message" and "body" cannot be combined',
  )
  .refine(
    ({ body, headers }) => body !== undefined || headers['content-type'] === undefined,
    '"content-type" is allowed only with "body"; the format of "message" depends on the request',
  )
  .describe('The response when this rule refuses, in place of 403.')

/** `redirect` of a rule. */
export const redirectSchema = z
  .string()
  // Browsers take "\" for "/", so that "/\other.example" is another host (WHATWG URL, "relative slash state").
  .regex(/^(https?:\/\/[^/\\]|\/(?![/\\]))[\x21-\x7e]*$/, 'must be an http or https URL, or a path')
  .describe(
    'Where the caller is redirected (302) when this rule refuses. `{url}` is replaced by the requested URL, `{decision}` by the decision id, both percent-encoded.',
  )
