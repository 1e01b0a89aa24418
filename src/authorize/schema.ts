// `authorize` of a route: the rules as they are written. What they mean is compiled in `authorize/`,
// which alone knows what a route's expressions may speak of.

import * as z from 'zod'
import { apiGroupSchema, pathGlobSchema, verbSchema } from './request-values.ts'
import { answerSchema, redirectSchema } from './answer-schema.ts'
import { hostPatternSchema, instantSchema, nameSchema, VALUE_TYPES } from '../config/values.ts'

const patterns = z.array(z.string().min(1)).min(1).optional()
// Here an empty text has a meaning: the core group, no namespace.
const texts = z.array(z.string()).min(1).optional()

const path = z.string().startsWith('/', 'must start with "/"')

const network = z.union([z.cidrv4(), z.cidrv6(), z.ipv4(), z.ipv6()])

const isNetwork = (text: string): boolean => network.safeParse(text).success

/** Matchers that every route has. */
const requestMatchers = {
  users: patterns.describe('User names; `*` matches any run of characters. Absent: any.'),
  groups: patterns.describe(
    'Groups of which the user must be in at least one; `*` matches any run of characters. Absent: any.',
  ),
  authenticators: z
    .array(nameSchema)
    .min(1)
    .optional()
    .describe('The authenticator of the user: names of authenticators of this route. Absent: any.'),
  methods: z
    .array(z.string().regex(/^[A-Z]+(-[A-Z]+)*$/, 'must be an upper-case HTTP method'))
    .min(1)
    .optional()
    .describe('HTTP methods. Absent: any.'),
  hosts: z
    .array(hostPatternSchema)
    .min(1)
    .optional()
    .describe('Host names without port; `*.example.org` matches every name below it. Absent: any.'),
  paths: z
    .array(pathGlobSchema)
    .min(1)
    .optional()
    .describe(
      'Path globs: `*` is one segment or a part of one, `**` any number of segments, `{name}` one segment that `when` reads as `request.segments.name`. A `deny` also matches paths that a lenient server would treat alike: in capitals, with `;…`, with a slash at the end. Absent: any.',
    ),
  sources: z
    .array(z.string().refine(isNetwork, 'must be an IP address or a network such as "10.0.0.0/8"'))
    .min(1)
    .optional()
    .describe(
      'Networks (`10.0.0.0/8`) or addresses that the caller must be in. Where the address is not known, the request is refused. Absent: any.',
    ),
}

const DAYS = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'] as const

const timeOfDay = z
  .string()
  .regex(/^([01]\d|2[0-3]):[0-5]\d$|^24:00$/, 'must be a time of day such as "08:00"')

const isZone = (name: string): boolean => {
  try {
    return new Intl.DateTimeFormat('en', { timeZone: name }).resolvedOptions().timeZone !== ''
  } catch {
    return false
  }
}

const time = z
  .strictObject({
    days: z.array(z.enum(DAYS)).min(1).optional().describe('Days of the week. Absent: every day.'),
    from: timeOfDay
      .optional()
      .describe(
        'From this time of day. Later than `to`: over midnight, and the day is the one it began on.',
      ),
    to: timeOfDay
      .optional()
      .describe('Until before this time of day; `24:00` is the end of the day.'),
    timeZone: z
      .string()
      .refine(isZone, 'must be a time zone such as "Europe/Vienna"')
      .default('UTC')
      .describe('The time zone of days and times of day (IANA).'),
    since: instantSchema.optional().describe('From this instant on (RFC 3339).'),
    until: instantSchema.optional().describe('Until before this instant (RFC 3339).'),
  })
  .refine(
    ({ days, from, to, since, until }) =>
      [days, from, to, since, until].some((key) => key !== undefined),
    'has no condition: set "days", "from" and "to", "since" or "until"',
  )
  .refine(
    ({ from, to }) => (from === undefined) === (to === undefined),
    '"from" and "to" must be set together',
  )
  .refine(({ from, to }) => from === undefined || from !== to, '"from" and "to" are the same')
  .refine(
    ({ since, until }) =>
      since === undefined || until === undefined || Date.parse(since) < Date.parse(until),
    '"since" is not before "until"',
  )
  .describe('A period.')

const impersonate = z
  .strictObject({
    users: patterns.describe('Users; `*` matches any run of characters. Absent: any.'),
    groups: patterns.describe(
      'Groups. In an `allow`, every requested one must be among them, and absent means none; in a `deny` one of them is enough, and absent means any.',
    ),
    uids: patterns.describe('Identifiers. Absent: none in an `allow`, any in a `deny`.'),
    extra: z
      .record(z.string().min(1), z.array(z.string().min(1)).min(1))
      .optional()
      .describe(
        'Key → values. In an `allow`, every requested one must be among them, and absent means none; in a `deny` one of them is enough, and absent means any.',
      ),
  })
  .describe(
    'Requests that impersonate another user (`kubectl --as`), by the impersonated identity. An `allow` without it matches none of them; a `deny` without it matches them too. In an `allow`, names under `system:` are matched only by patterns that begin with it.',
  )

/** Matchers of routes of `kind: kubernetes`. */
const kubernetesMatchers = {
  verbs: z
    .array(verbSchema)
    .min(1)
    .optional()
    .describe(
      'Kubernetes verbs: get, list, watch, create, update, patch, delete, deletecollection, proxy; for non-resource paths, the method in lower case. Absent: any. A `deny` that keeps objects from being read also needs patch, update, delete and deletecollection, whose answers hold the object.',
    ),
  apiGroups: z
    .array(apiGroupSchema)
    .min(1)
    .optional()
    .describe(
      'API groups; the core group is `""`; `*` matches any run of characters. Absent: any.',
    ),
  resources: z
    .array(
      z
        .string()
        .regex(
          /^[a-z0-9*][a-z0-9.*-]*(\/[a-z0-9*][a-z0-9.*-]*)?$/,
          'must be a resource such as "pods" or "pods/exec", in lower case',
        ),
    )
    .min(1)
    .optional()
    .describe(
      'Resources, plural (`pods`), with subresource (`pods/exec`, `pods/*`); `*` matches any run of characters. Without a subresource, an `allow` matches the resource alone and a `deny` its subresources too. Absent: any, and non-resource paths.',
    ),
  namespaces: texts.describe(
    'Namespaces; `""` for none; `*` matches any run of characters. A `deny` also matches requests that reach into all of them: a list, watch or deletecollection without a namespace. Absent: any.',
  ),
  names: texts.describe(
    'Names of objects; `*` matches any run of characters. A `deny` also matches requests that reach all of them (a list, watch or deletecollection without a name) and proxied ones (`https:web:8443`), but no `create`, whose name is in the body. Absent: any.',
  ),
  impersonate: impersonate.optional(),
}

/** Matchers of routes with `openapi`. */
const operationMatchers = {
  operations: patterns.describe(
    'Operations by `operationId` (`METHOD TEMPLATE` where the document gives none); `*` matches any run of characters. Absent: any.',
  ),
  tags: patterns.describe(
    'Tags of which the operation must have one; `*` matches any run of characters. Absent: any.',
  ),
  templates: z
    .array(path)
    .min(1)
    .optional()
    .describe(
      'Path templates as in the document (`/users/{id}`); `*` matches any run of characters. Absent: any.',
    ),
}

const rule = z
  .strictObject({
    allow: nameSchema.optional().describe('The rule’s name, when it permits.'),
    deny: nameSchema.optional().describe('The rule’s name, when it refuses.'),
    shadow: z
      .boolean()
      .default(false)
      .describe('Decides nothing; audit and metrics record what it would have decided.'),
    ...requestMatchers,
    times: z
      .array(time)
      .min(1)
      .optional()
      .describe('Periods, of which one must contain the current time. Absent: always.'),
    ...kubernetesMatchers,
    ...operationMatchers,
    when: z
      .string()
      .min(1)
      .register(VALUE_TYPES, { type: 'expression' })
      .optional()
      .describe(
        'CEL, of type bool, about `identity`, `request`, `certificate`, `claims`; `kubernetes` and `operation` where the route has them. Evaluated last; if it fails, the request is refused.',
      ),
    subjectAccessReview: z
      .boolean()
      .optional()
      .describe(
        'The required answer of the API server (`apiServer` of the route) to a SubjectAccessReview for this user and request: `true` for allowed. Evaluated after everything else.',
      ),
    response: answerSchema.optional(),
    redirect: redirectSchema.optional(),
  })
  .refine((value) => (value.allow === undefined) !== (value.deny === undefined), {
    error: 'must have exactly one of "allow" and "deny", whose value is the rule’s name',
    abort: true, // it may be a list, whose problems are then reported
  })
  .refine(
    ({ deny, response: given, redirect: target }) =>
      deny !== undefined || (given === undefined && target === undefined),
    '"response" and "redirect" are allowed only with "deny"',
  )
  .refine(
    ({ response: given, redirect: target }) => given === undefined || target === undefined,
    '"response" and "redirect" cannot be combined',
  )
  .describe('One rule. Every matcher that is present must match.')

/** Several rules under one name. */
export const ruleListSchema = z
  .strictObject({
    list: nameSchema.describe('The list’s name.'),
    shadow: z
      .boolean()
      .default(false)
      .describe(
        'Decides nothing; audit and metrics record what the list would have decided: its first rule that matches.',
      ),
    rules: z.array(rule).min(1).describe('Its rules, in order.'),
  })
  .describe('Several rules under one name, in the place of one.')

/** The `authorize` section. */
export const authorizeSchema = z
  .array(z.union([rule, ruleListSchema]))
  .min(1)
  .describe('Rules in order; the first that matches decides, and no match is a refusal.')

/** One parsed rule. */
export type RuleConfig = z.output<typeof rule>
/** One parsed entry of `authorize`: a rule, or a list of them. */
export type AuthorizeEntry = z.output<typeof authorizeSchema>[number]
/** One stretch of time of `times`. */
export type TimeConfig = z.output<typeof time>
/** The parsed `response` of a rule. */
export type RuleAnswer = NonNullable<RuleConfig['response']>
/** The parsed `impersonate` of a rule. */
export type ImpersonateConfig = z.output<typeof impersonate>
