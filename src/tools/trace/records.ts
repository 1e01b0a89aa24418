// Log lines about a request, read as untrusted input: Countersign's (decisions, what the signer did,
// logins), what Envoy refused by itself (envoy/refusal-log.ts), and those of a Kubernetes API server
// (audit.k8s.io/v1, Event).

import * as z from 'zod'
import type { JsonObject } from '../../runtime/json-object.ts'

/** Where a line is. */
export interface Place {
  readonly file: string
  readonly line: number
}

const text = z.string()
const optional = text.optional()
const texts = z.array(text).default([])

const impersonation = z.object({ user: text, groups: texts })

/** The credential as it was presented. */
const presentedSchema = z.object({
  proven: z.boolean().default(false),
  subject: optional,
  issuer: optional,
  serial: optional,
  fingerprint: optional,
  iss: optional,
  jti: optional,
  client_id: optional,
  azp: optional,
  aud: texts,
  id: optional,
  login: optional,
})

const decisionSchema = z.object({
  event: z.literal('decision'),
  time: z.iso.datetime({ offset: true }),
  id: text.min(1),
  request: optional,
  decision: z.enum(['allow', 'deny']),
  reason: text,
  status: z.number().optional(),
  route: optional,
  method: optional,
  host: optional,
  path: optional,
  source: optional,
  user: optional,
  groups: texts,
  groupsOmitted: z.number().optional(),
  authenticator: optional,
  authentication: optional,
  credential: optional,
  presented: presentedSchema.optional(),
  rule: optional,
  detail: optional,
  kubernetes: z
    .object({
      verb: text,
      apiGroup: optional,
      namespace: optional,
      resource: optional,
      subresource: optional,
      name: optional,
      impersonation: impersonation.optional(),
    })
    .optional(),
  forwarded: texts,
  handle: optional,
  jti: texts,
})

const issuanceSchema = z.object({
  event: z.literal('certificate-issued'),
  time: z.iso.datetime({ offset: true }),
  handle: text.min(1),
  authority: optional,
  route: optional,
  serial: optional,
  fingerprint: text.min(1),
  subject: optional,
  notBefore: optional,
  notAfter: optional,
})

const refusalSchema = z.object({
  event: z.literal('certificate-refused'),
  time: z.iso.datetime({ offset: true }),
  handle: text.min(1),
  reason: text,
  detail: optional,
})

const LOGIN_EVENTS = [
  'login',
  'login-renewed',
  'login-ended',
  'tokens-issued',
  'session-began',
  'sessions-ended',
] as const

const loginSchema = z.object({
  event: z.enum(LOGIN_EVENTS),
  time: z.iso.datetime({ offset: true }),
  request: optional,
  login: optional,
  jti: texts,
  provider: optional,
  cause: optional,
  outcome: optional,
  reason: optional,
  loginMethod: optional,
  client: optional,
  grantType: optional,
  user: optional,
  source: optional,
})

const failureSchema = z.object({
  event: z.enum(['connection-refused', 'request-failed']),
  time: z.iso.datetime({ offset: true }),
  reason: optional,
  termination: optional,
  detail: optional,
  flags: optional,
  status: z.number().optional(),
  source: optional,
  serverName: optional,
  subject: optional,
  issuer: optional,
  serial: optional,
  fingerprint: optional,
  method: optional,
  host: optional,
  path: optional,
  route: optional,
  upstream: optional,
  request: optional,
  decision: optional,
})

const summarySchema = z.object({
  event: z.literal('refusals-summary'),
  time: z.iso.datetime({ offset: true }),
  source: optional,
  count: z.number(),
  first: optional,
  last: optional,
  reasons: z.array(z.object({ reason: text, count: z.number() })).default([]),
  routes: z.array(z.object({ route: text, count: z.number() })).default([]),
  users: z.array(z.object({ user: text, count: z.number() })).default([]),
})

const subject = z.object({
  username: text.default(''),
  groups: texts,
  extra: z.record(text, z.array(text)).default({}),
})

const apiRequestSchema = z.object({
  auditID: text.min(1),
  stage: optional,
  verb: text.default(''),
  requestURI: text.default(''),
  user: subject.prefault({}),
  impersonatedUser: subject.optional(),
  sourceIPs: texts,
  userAgent: optional,
  objectRef: z
    .object({
      resource: optional,
      namespace: optional,
      name: optional,
      apiGroup: optional,
      subresource: optional,
    })
    .optional(),
  responseStatus: z.object({ code: z.number().optional(), reason: optional }).optional(),
  requestReceivedTimestamp: z.iso.datetime({ offset: true }),
  annotations: z.record(text, text).default({}),
})

/** A decision, as far as its request is traced. */
export type TracedDecision = z.output<typeof decisionSchema> & Place
/** A certificate of the signer. */
export type TracedIssuance = z.output<typeof issuanceSchema> & Place
/** What the signer did not issue. */
export type TracedRefusal = z.output<typeof refusalSchema> & Place
/** What Envoy refused by itself: a connection, or a request. */
export type TracedFailure = z.output<typeof failureSchema> & Place
/** A login, what was issued by it, and its end. */
export type TracedLogin = z.output<typeof loginSchema> & Place
/** Refusals of one source that have no event of their own. */
export type TracedSummary = z.output<typeof summarySchema> & Place
/** The API server's audit event of a request, at one stage. */
export type ApiRequest = z.output<typeof apiRequestSchema> & Place

/** What a line is. */
export type TraceRecord =
  | { readonly kind: 'decision'; readonly record: TracedDecision }
  | { readonly kind: 'issuance'; readonly record: TracedIssuance }
  | { readonly kind: 'refusal'; readonly record: TracedRefusal }
  | { readonly kind: 'login'; readonly record: TracedLogin }
  | { readonly kind: 'failure'; readonly record: TracedFailure }
  | { readonly kind: 'refusals-summary'; readonly record: TracedSummary }
  | { readonly kind: 'api-request'; readonly record: ApiRequest }
  | { readonly kind: 'other' }
  /** It is one of these, and a field is missing or not what it should be. */
  | { readonly kind: 'malformed'; readonly field: string }

const OTHER = { kind: 'other' } as const

/** Reads a line. What it is follows from the line and not from the file that it is in. */
export const readRecord = (line: JsonObject, place: Place): TraceRecord => {
  const made = <K extends string, T extends object>(kind: K, schema: z.ZodType<T>) => {
    const { success, data, error } = schema.safeParse(line)
    if (success) return { kind, record: { ...data, ...place } }
    return {
      kind: 'malformed',
      field: error.issues[0]?.path.join('.') ?? '',
    } as const
  }
  switch (line['event']) {
    case 'decision':
      return made('decision', decisionSchema)
    case 'certificate-issued':
      return made('issuance', issuanceSchema)
    case 'certificate-refused':
      return made('refusal', refusalSchema)
    case 'login':
    case 'login-renewed':
    case 'login-ended':
    case 'tokens-issued':
    case 'session-began':
    case 'sessions-ended':
      return made('login', loginSchema)
    case 'connection-refused':
    case 'request-failed':
      return made('failure', failureSchema)
    case 'refusals-summary':
      return made('refusals-summary', summarySchema)
    default:
      return line['kind'] === 'Event' && typeof line['auditID'] === 'string'
        ? made('api-request', apiRequestSchema)
        : OTHER
  }
}

/** Search terms for the credential of a decision. */
export const presentedNames = ({ presented }: TracedDecision): readonly (string | undefined)[] =>
  presented === undefined
    ? []
    : [presented.serial, presented.fingerprint, presented.jti, presented.id, presented.login]

const CREDENTIAL_ID = 'authentication.kubernetes.io/credential-id'

/** By which credential the API server knew the caller: `JTI=…` or `X509SHA256=…`. */
export const credentialOf = ({ user }: ApiRequest): string | undefined =>
  user.extra[CREDENTIAL_ID]?.[0]

/** The value of such a name. */
export const credentialValue = (credential: string): string =>
  credential.slice(credential.indexOf('=') + 1)

/** Path without query, which our log may not have. */
export const pathOf = (target: string | undefined): string => target?.split('?')[0] ?? ''
