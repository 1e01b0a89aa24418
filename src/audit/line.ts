// An event as a line of JSON. Decisions are written field by field, since nearly every event is one: a general
// serialiser takes three times as long (docs/explanation/dependencies.md). What the decisions of one client have in common is
// written once, and used where every field that it was written from is the same.

import { Derived } from '../runtime/derived.ts'
import type { AuditEvent, DecisionEvent } from './event.ts'

/**
 * The line of an event as far as its place in the chain, which follows: `log`, which distinguishes audit lines in a shared stream,
 * `time`, and the fields of the event in their order. Without the closing brace.
 *
 * @param now milliseconds since the epoch
 */
export const auditLine = (event: AuditEvent, now: number): string =>
  event.event === 'decision'
    ? decisionLine(event, now)
    : beginningAt(now) + JSON.stringify(event).slice(1, -1)

let last = { now: Number.NaN, beginning: '', ofDecision: '' }

const beginningAt = (now: number): string => beginnings(now).beginning

/** Events of one millisecond share them. The time is RFC 3339, in UTC with milliseconds. */
const beginnings = (now: number): typeof last => {
  if (last.now === now) return last
  const beginning = `{"log":"audit","time":"${new Date(now).toISOString()}",`
  last = { now, beginning, ofDecision: joined(`${beginning}"event":"decision","id":`) }
  return last
}

const decisionLine = (event: DecisionEvent, now: number): string => {
  const outcome = outcomeParts(event)
  const { rule, after } = outcome
  return (
    headOf(event, outcome, beginnings(now).ofDecision) +
    clientPart(event) +
    rule +
    value(',"kubernetes":', event.kubernetes) +
    after +
    text(',"handle":', event.handle) +
    value(',"jti":', event.jti) +
    value(',"truncated":', event.truncated) +
    ',"duration":' +
    event.duration +
    generationPart(event.generation)
  )
}

/**
 * From the beginning to `source`: most of what differs from event to event. In nearly every one nothing of it has to be escaped,
 * so that it is one text of few pieces: V8 makes an object for each `+`.
 */
const headOf = (
  { id, request, path, queryOmitted, source }: DecisionEvent,
  { before, beforePath }: OutcomeParts,
  beginning: string,
): string =>
  isPlain(id) && isPlain(request) && isPlain(path) && isPlain(source) && queryOmitted === undefined
    ? `${beginning}"${id}","request":"${request}${beforePath}${path}","source":"${source}"`
    : beginning +
      quoted(id) +
      text(',"request":', request) +
      before +
      text(',"path":', path) +
      value(',"queryOmitted":', queryOmitted) +
      text(',"source":', source)

let lastGeneration = { of: Number.NaN, text: '' }

const generationPart = (generation: number): string => {
  if (lastGeneration.of !== generation) {
    lastGeneration = { of: generation, text: joined(`,"generation":${generation}`) }
  }
  return lastGeneration.text
}

// By the list of groups, of which a remembered identity has one of its own.
const written = new Derived<
  readonly string[],
  { readonly of: ClientFields; readonly text: string }
>()

const clientPart = (event: DecisionEvent): string => {
  const { groups } = event
  if (groups === undefined) return writeClientPart(event)
  const known = written.get(groups)
  if (known !== undefined && isOfClient(known.of, event)) return known.text
  const part = joined(writeClientPart(event))
  const { user, userHash, groupsOmitted } = event
  const { authenticator, authentication, credential, presented } = event
  written.set(groups, {
    of: {
      user,
      userHash,
      groups,
      groupsOmitted,
      authenticator,
      authentication,
      credential,
      presented,
    },
    text: part,
  })
  return part
}

/** The fields of a decision about the client and its credential. */
type ClientFields = Pick<
  DecisionEvent,
  | 'user'
  | 'userHash'
  | 'groups'
  | 'groupsOmitted'
  | 'authenticator'
  | 'authentication'
  | 'credential'
  | 'presented'
>

/** Whether two are equal; lists and objects are compared by identity, since nothing changes them. */
const isOfClient = (one: ClientFields, other: ClientFields): boolean =>
  one.groups === other.groups &&
  one.presented === other.presented &&
  one.user === other.user &&
  one.userHash === other.userHash &&
  one.groupsOmitted === other.groupsOmitted &&
  one.authenticator === other.authenticator &&
  one.authentication === other.authentication &&
  one.credential === other.credential

const writeClientPart = (event: ClientFields): string =>
  text(',"user":', event.user) +
  text(',"userHash":', event.userHash) +
  value(',"groups":', event.groups) +
  value(',"groupsOmitted":', event.groupsOmitted) +
  text(',"authenticator":', event.authenticator) +
  text(',"authentication":', event.authentication) +
  text(',"credential":', event.credential) +
  value(',"presented":', event.presented)

/** The fields that say what was decided: few of what they can be are frequent. */
type OutcomeFields = Pick<
  DecisionEvent,
  | 'decision'
  | 'reason'
  | 'status'
  | 'route'
  | 'method'
  | 'host'
  | 'rule'
  | 'shadow'
  | 'detail'
  | 'operation'
  | 'forwarded'
>

interface OutcomeParts {
  readonly of: OutcomeFields
  /** From `decision` to `host`. */
  readonly before: string
  /** The same between the texts of `request` and `path`, with their quotation marks. */
  readonly beforePath: string
  /** From `rule` to `detail`. */
  readonly rule: string
  /** `operation` and `forwarded`. */
  readonly after: string
}

// One place for each number and no chains: what is rare replaces what is frequent, which is then written again.
const OUTCOMES = 64
const outcomes: OutcomeParts[] = []

const outcomeParts = (event: DecisionEvent): OutcomeParts => {
  const place = placeOf(event)
  const known = outcomes[place]
  if (known !== undefined && isOfOutcome(known.of, event)) return known
  const parts = writeOutcomeParts(event)
  // What a client can make long is not kept.
  if (event.detail === undefined && event.shadow === undefined) outcomes[place] = parts
  return parts
}

const placeOf = ({ status, method = '', host = '', rule = '', route = '' }: OutcomeFields) =>
  (status + method.length + 3 * host.length + 7 * rule.length + 13 * route.length) % OUTCOMES

/** As {@link isOfClient}. */
const isOfOutcome = (one: OutcomeFields, other: OutcomeFields): boolean =>
  one.method === other.method &&
  one.rule === other.rule &&
  one.host === other.host &&
  one.decision === other.decision &&
  one.reason === other.reason &&
  one.status === other.status &&
  one.route === other.route &&
  one.shadow === other.shadow &&
  one.detail === other.detail &&
  one.operation === other.operation &&
  one.forwarded === other.forwarded

const writeOutcomeParts = (event: DecisionEvent): OutcomeParts => {
  const { decision, reason, status, route, method, host } = event
  const { rule, shadow, detail, operation, forwarded } = event
  const before = joined(
    `,"decision":"${decision}","reason":"${reason}","status":${status}` +
      text(',"route":', route) +
      text(',"method":', method) +
      text(',"host":', host),
  )
  return {
    of: {
      decision,
      reason,
      status,
      route,
      method,
      host,
      rule,
      shadow,
      detail,
      operation,
      forwarded,
    },
    before,
    beforePath: joined(`"${before},"path":"`),
    rule: joined(text(',"rule":', rule) + value(',"shadow":', shadow) + text(',"detail":', detail)),
    after: joined(text(',"operation":', operation) + list(',"forwarded":', forwarded)),
  }
}

// V8 keeps what is added up as a tree of its parts, until an expression needs the characters: half the memory, and each
// line that has the text is written sooner.
const joined = (parts: string): string => {
  ANYTHING.test(parts)
  return parts
}

const ANYTHING = /^/

const text = (key: string, field: string | undefined): string =>
  field === undefined ? '' : key + quoted(field)

const value = (key: string, field: unknown): string =>
  field === undefined ? '' : key + JSON.stringify(field)

/** A list of words that need no escape. */
const list = (key: string, field: readonly string[] | undefined): string => {
  if (field === undefined) return ''
  return field.length === 1 ? `${key}["${field[0]}"]` : key + JSON.stringify(field)
}

// Printable ASCII without the quotation mark and the backslash (RFC 8259 §7).
const PLAIN = /^[\x20\x21\x23-\x5b\x5d-\x7e]*$/

const isPlain = (field: string | undefined): field is string =>
  field !== undefined && PLAIN.test(field)

const quoted = (field: string): string => (PLAIN.test(field) ? `"${field}"` : JSON.stringify(field))
