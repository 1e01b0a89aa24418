// `tests`: requests, and what the configuration must decide about them. They are not part of a
// running service; `countersign test` puts them through the checks that it would make.

import { isIP } from 'node:net'
import * as z from 'zod'
import { certificateFieldsSchema } from '../identity/examples-schema.ts'
import { instantSchema, nameSchema } from '../config/values.ts'

const names = z.array(z.string())

// Headers that authenticate a caller to authz or to Envoy. Cookies are allowed here, since rules may read them.
const CREDENTIALS: ReadonlySet<string> = new Set([
  'authorization',
  'proxy-authorization',
  'dpop',
  'x-forwarded-client-cert',
  'client-cert',
  'client-cert-chain',
])

const isCredential = (name: string): boolean =>
  CREDENTIALS.has(name.toLowerCase().replaceAll('_', '-'))

const anyHeaderName = z
  .string()
  .regex(/^[\w!#$%&'*+.^`|~-]+$/, 'must be a header name (RFC 9110 §5.1)')

const headerName = anyHeaderName.refine(
  (name) => !isCredential(name),
  'holds a credential. Credentials must not be in a configuration: set "identity" instead',
)

// What no header line can hold (RFC 9110 §5.5).
const headerValue = z
  .string()
  .regex(/^[^\x00-\x08\x0a-\x1f\x7f]*$/, 'must be one line without control characters') // oxlint-disable-line no-control-regex -- those are meant

const request = z
  .strictObject({
    method: z.string().default('GET').describe('The HTTP method.'),
    path: z.string().default('/').describe('The request target, with its query, as it is sent.'),
    host: z.string().describe('The host, as it is sent.'),
    headers: z
      .record(headerName, z.union([headerValue, z.array(headerValue).min(1)]))
      .default({})
      .describe('Header → value, or one for each line. No credentials.'),
    source: z
      .string()
      .refine((text) => text === '' || isIP(text) !== 0, 'must be an IP address, or "": not known')
      .default('203.0.113.1')
      .describe('The caller’s address, as Envoy trusts it; `""` where it is not known.'),
    serverName: z
      .string()
      .default('')
      .describe('The TLS server name (SNI) of the connection; `""` for none.'),
    route: nameSchema
      .optional()
      .describe(
        'The route that Envoy chose, where Envoy names it. Default: the first that matches.',
      ),
    at: instantSchema.optional().describe('The time of the request (RFC 3339). Default: now.'),
  })
  .describe('The request.')

const identity = z
  .strictObject({
    user: z.string().min(1).describe('The user.'),
    uid: z.string().optional().describe('The stable identifier.'),
    groups: names.default([]).describe('The groups.'),
    extra: z.record(z.string().min(1), names).default({}).describe('Further values.'),
    authenticator: nameSchema
      .optional()
      .describe('The authenticator of the route that proved it. Default: its first.'),
    claims: z
      .record(z.string(), z.unknown())
      .optional()
      .describe('The claims of the token, where it was one: those that the rules read.'),
    certificate: certificateFieldsSchema.optional(),
  })
  .describe(
    'The caller’s identity, after verification and mapping. Absent: a caller without a credential, which the route refuses or treats as anonymous.',
  )

const want = z
  .strictObject({
    decision: z.enum(['allow', 'deny']).describe('The expected decision.'),
    rule: nameSchema.optional().describe('The rule that decides.'),
    reason: z.string().min(1).optional().describe('The reason, as audit has it.'),
    status: z
      .int()
      .min(200)
      .max(599)
      .optional()
      .describe('The HTTP status of the answer; 200 for a permit.'),
    headers: z
      .record(
        z.string().regex(/^[a-z0-9!#$%&'*+.^_`|~-]+$/, 'must be a header name in lower case'),
        z.union([z.string(), names]),
      )
      .optional()
      .describe(
        'Header → value, or one for each line; `[]` for none. Of a permit those that are set for the upstream, of a refusal those of the answer. Those left out are not compared. The decision id is the nil UUID.',
      ),
    operation: z.string().optional().describe('The operation that is found in the document.'),
    shadow: z
      .record(nameSchema, z.enum(['allow', 'deny', 'failed']))
      .optional()
      .describe('Rules in shadow → what they would have decided; all of them.'),
  })
  .describe('The expected result. Absent fields are not compared.')

/** The `tests` section. */
export const policyTestsSchema = z
  .array(
    z
      .strictObject({
        name: z.string().min(1).describe('The name of the test.'),
        request,
        identity: identity.optional(),
        reviewed: z
          .boolean()
          .optional()
          .describe('The answer of the API server to `subjectAccessReview`; it is not called.'),
        want,
      })
      .describe('One test.'),
  )
  .default([])
  .describe('Tests of the rules, which `countersign test` runs.')

/** One parsed test. */
export type PolicyTest = z.output<typeof policyTestsSchema>[number]

/** The input of `countersign explain`: as in a test, except that credentials may be given. */
export const questionSchema = z.strictObject({
  name: z.string().optional(),
  request: request.extend({
    headers: z
      .record(anyHeaderName, z.union([headerValue, z.array(headerValue).min(1)]))
      .default({}),
  }),
  identity: identity.optional(),
  reviewed: z.boolean().optional(),
  want: z.unknown().optional(),
})

/** One parsed question. */
export type PolicyQuestion = z.output<typeof questionSchema>
