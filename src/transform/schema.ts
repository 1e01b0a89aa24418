// `forward` of a route: what the upstream sees of the caller.

import * as z from 'zod'
import { certificateSchema } from '../grant/schema.ts'
import { clientCredentialsSchema, exchangeSchema } from './token/exchange-schema.ts'
import { callerText } from '../config/expressions.ts'
import { mintKeys, mintSchema } from '../keys/mint-schema.ts'
import { secretSchema, writtenOutName } from '../config/values.ts'

/** The sets of headers that are known by a name. */
const PRESETS = ['kubernetes', 'impersonation', 'certificate', 'grafana', 'headlamp'] as const

/** One of them. */
export type HeaderPreset = (typeof PRESETS)[number]

const preset = z.enum(PRESETS)

// RFC 9110 §5.6.2, without "_": Envoy and other proxies refuse such names or fold them.
const headerName = z
  .string()
  .regex(/^[A-Za-z0-9!#$%&'*+.^`|~-]+$/, 'must be the name of a header, without "_"')

/** How a text that is not visible ASCII gets into a header. */
export const ENCODINGS = [
  'refuse',
  'utf8',
  'percent',
  'rfc8187',
  'quoted-printable',
  'base64',
] as const

/** One of them. */
export type HeaderEncoding = (typeof ENCODINGS)[number]

/** How several values get into a header. */
export const LIST_FORMS = ['lines', 'comma', 'json'] as const

/** One of them. */
export type ListForm = (typeof LIST_FORMS)[number]

const freeHeader = z
  .strictObject({
    value: callerText.describe(
      'CEL about `identity`, `claims`, `certificate`. The header is left out where it yields nothing (`claims.?email`).',
    ),
    list: z
      .enum(LIST_FORMS)
      .default('lines')
      .describe(
        'Several values: a line for each, one line with commas between them (a value that has a comma or a quote, or space at an end, is refused, unless `percent`, `rfc8187` or `base64` hide it), or one line that is a JSON array, in ASCII.',
      ),
    encode: z
      .enum(ENCODINGS)
      .default('refuse')
      .describe(
        "A value that is not printable ASCII: `refuse` it; `utf8`: as it is, for receivers that read UTF-8 (Go); and every value as the receiver decodes it: `percent` (RFC 3986), `rfc8187` (`UTF-8''…`), `quoted-printable` (RFC 2045), `base64`. Control characters are refused unless they are encoded.",
      ),
  })
  .describe('A header written out in full.')

const PLAIN = { list: 'lines', encode: 'refuse' } as const

const freeHeaders = z
  .record(headerName, z.union([callerText.transform((value) => ({ value, ...PLAIN })), freeHeader]))
  .superRefine((headers, context) => {
    const seen = new Set<string>()
    for (const name of Object.keys(headers)) {
      if (seen.has(name.toLowerCase())) {
        context.addIssue({ code: 'custom', path: [name], message: 'names an earlier header too' })
      }
      seen.add(name.toLowerCase())
    }
  })
  .transform((headers) =>
    Object.fromEntries(
      Object.entries(headers).map(([name, header]) => [name.toLowerCase(), header] as const),
    ),
  )
  .describe(
    'Further headers by name: CEL, or an object. Each of them is removed from requests of callers, on every route.',
  )

const bearer = z
  .strictObject({
    mint: mintSchema.optional(),
    exchange: exchangeSchema.optional(),
    clientCredentials: clientCredentialsSchema.optional(),
    token: secretSchema
      .optional()
      .describe(
        'One token for every caller, such as that of a service account: the identity of the service. Headers carry the identity of the caller. A file is read again when it changes.',
      ),
  })
  .refine(
    (ways) => Object.values(ways).filter((way) => way !== undefined).length === 1,
    'must have exactly one of "mint", "exchange", "clientCredentials", "token"',
  )
  .describe('The token that the upstream receives: `Authorization: Bearer …`.')

const assertion = z
  .strictObject({
    header: headerName
      .transform((name) => name.toLowerCase())
      .prefault('x-countersign-jwt-assertion')
      .describe(
        'The header that holds the token, without an authentication scheme. Headlamp reads `X-Forwarded-Id-Token`.',
      ),
    ...mintKeys,
  })
  .describe(
    'A signed assertion of the caller’s identity in a header of its own, as Google IAP and Pomerium do: the upstream verifies it by the key set of `issuer`.',
  )

/** The parsed `assertion`. */
export type AssertionConfig = z.output<typeof assertion>

// Envoy itself takes no request whose headers exceed 60 KiB (max_request_headers_kb), and answers 500
// where those that authz sets make it more (`transform/outgoing-bytes.ts`).
const DEFAULT_HEADER_BYTES = 61_440

/** The `forward` section. */
export const forwardSchema = z
  .strictObject({
    headers: z
      .union([preset.transform((one) => [one]), z.array(preset).min(1)])
      .default([])
      .describe(
        [
          'Identity headers for the upstream, one set or several.',
          '`kubernetes`: X-Remote-User, X-Remote-Group (one line per group), X-Remote-Uid, X-Remote-Extra-*, as the Kubernetes authenticating proxy sends them.',
          '`impersonation`: Impersonate-User, -Group, -Uid, -Extra-*; needs a credential of Countersign that may impersonate (`bearer`, or the upstream’s `certificate`).',
          '`certificate`: X-Cert-Subject, X-Cert-Contents and Client-Cert (RFC 9440) of the proven client certificate.',
          '`grafana`: X-WEBAUTH-USER and X-WEBAUTH-GROUPS, for `[auth.proxy]` with `headers_encoded = true` and `headers = Groups:X-WEBAUTH-GROUPS`.',
          '`headlamp`: X-Forwarded-User and X-Forwarded-Group, for `-proxy-auth`. A group with a comma is refused.',
        ].join(' '),
      ),
    certificateHeaders: z
      .strictObject({
        contents: z
          .enum(['pem', 'der'])
          .default('pem')
          .describe(
            'X-Cert-Contents: `pem`, percent-encoded into one line, as nginx does; or `der` in base64.',
          ),
        missing: z
          .enum(['refuse', 'omit'])
          .default('refuse')
          .describe('What happens for a caller without a verified client certificate.'),
      })
      .prefault({})
      .describe('Of `headers: certificate`.'),
    set: freeHeaders.prefault({}),
    assertion: assertion.optional(),
    bearer: bearer.optional(),
    passthrough: z
      .boolean()
      .default(false)
      .describe(
        'Forwards the caller’s credential unchanged, if it is where an authenticator of the route reads it. Only for upstreams that may know it.',
      ),
    certificate: certificateSchema.optional(),
    auditId: z
      .boolean()
      .optional()
      .describe(
        'Whether the upstream gets the decision id as `Audit-ID`, which a Kubernetes API server writes into its audit log. Default: on routes of `kind: kubernetes`, and with `headers: kubernetes` and `impersonation`. An `Audit-ID` of the caller is always removed.',
      ),
    allowReserved: z
      .array(writtenOutName)
      .default([])
      .describe(
        'Reserved names (`system:…`) that `set`, `mint` and `assertion` may contain although they are neither the user nor one of the groups. Write each one out.',
      ),
    maxHeaderBytes: z
      .int()
      .min(1_024)
      .max(1_048_576)
      .default(DEFAULT_HEADER_BYTES)
      .describe(
        'The most bytes of headers that the upstream gets in one request, the caller’s own among them. More is refused, and so is what exceeds the limits of Envoy (60 KiB, or as much as this; 100 lines), before Envoy or the upstream answers 431 or 500. Node.js takes 16 KiB, nginx 32, Go 1 MiB.',
      ),
  })
  .describe(
    'What the upstream receives about the caller. The caller’s credential is always removed, except with `passthrough`.',
  )

/** The parsed `forward`. */
export type ForwardConfig = z.output<typeof forwardSchema>
/** One entry of `forward.set`. */
export type FreeHeaderConfig = ForwardConfig['set'][string]

/** Whether the upstream gets the decision id, as the configuration or its defaults have it. */
export const sendsAuditId = (
  kind: 'http' | 'kubernetes',
  { auditId, headers }: Pick<ForwardConfig, 'auditId' | 'headers'>,
): boolean =>
  auditId ??
  (kind === 'kubernetes' || headers.includes('kubernetes') || headers.includes('impersonation'))

/** Whether the upstream receives the caller's identity, rather than Countersign's. */
export const namesCaller = ({ headers, bearer: token, certificate, passthrough }: ForwardConfig) =>
  passthrough ||
  certificate !== undefined ||
  token?.mint !== undefined ||
  token?.exchange !== undefined ||
  headers.includes('kubernetes')
