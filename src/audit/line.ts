// An event as a line of JSON. Decisions are written field by field, since nearly every event is one: a general
// serialiser takes three times as long (docs/explanation/dependencies.md). What a decision says of its client is the same
// for each request of a credential, and is written once.

import { Derived } from '../runtime/derived.ts'
import type { AuditEvent, DecisionEvent } from './event.ts'

/**
 * The line of an event: `log`, which distinguishes audit lines in a shared stream, `time`, the fields of the event in their
 * order, and a line feed.
 *
 * @param now milliseconds since the epoch
 */
export const auditLine = (event: AuditEvent, now: number): string => {
  const head = `{"log":"audit","time":"${timeText(now)}",`
  return event.event === 'decision'
    ? `${head}"event":"decision"${decisionFields(event)}}\n`
    : `${head}${JSON.stringify(event).slice(1)}\n`
}

let last = { now: Number.NaN, text: '' }

/** RFC 3339, in UTC with milliseconds; events of one millisecond share it. */
const timeText = (now: number): string => {
  if (last.now !== now) last = { now, text: new Date(now).toISOString() }
  return last.text
}

const decisionFields = (event: DecisionEvent): string =>
  text(',"id":', event.id) +
  text(',"request":', event.request) +
  (event.decision === 'allow'
    ? ',"decision":"allow","reason":"'
    : ',"decision":"deny","reason":"') +
  `${event.reason}","status":${event.status}` +
  text(',"route":', event.route) +
  text(',"method":', event.method) +
  text(',"host":', event.host) +
  text(',"path":', event.path) +
  value(',"queryOmitted":', event.queryOmitted) +
  text(',"source":', event.source) +
  clientFields(event) +
  text(',"rule":', event.rule) +
  value(',"shadow":', event.shadow) +
  text(',"detail":', event.detail) +
  value(',"kubernetes":', event.kubernetes) +
  text(',"operation":', event.operation) +
  list(',"forwarded":', event.forwarded) +
  text(',"handle":', event.handle) +
  value(',"jti":', event.jti) +
  value(',"truncated":', event.truncated) +
  `,"duration":${event.duration},"generation":${event.generation}`

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

// By the list of groups, of which a remembered identity has one of its own.
const written = new Derived<
  readonly string[],
  { readonly of: ClientFields; readonly text: string }
>()

const clientFields = (event: DecisionEvent): string => {
  const { groups } = event
  if (groups === undefined) return writeClientFields(event)
  const known = written.get(groups)
  if (known !== undefined && isSame(known.of, event)) return known.text
  const fields = joined(writeClientFields(event))
  const { user, userHash, groupsOmitted, authenticator, authentication, credential, presented } =
    event
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
    text: fields,
  })
  return fields
}

// V8 keeps what is added up as a tree of its parts, until an expression needs the characters: half the memory, and each
// line that has the text is written sooner.
const joined = (parts: string): string => {
  ANYTHING.test(parts)
  return parts
}

const ANYTHING = /^/

/** Whether two are equal; lists and objects are compared by identity, since nothing changes them. */
const isSame = (one: ClientFields, other: ClientFields): boolean =>
  one.groups === other.groups &&
  one.presented === other.presented &&
  one.user === other.user &&
  one.userHash === other.userHash &&
  one.groupsOmitted === other.groupsOmitted &&
  one.authenticator === other.authenticator &&
  one.authentication === other.authentication &&
  one.credential === other.credential

const writeClientFields = (event: ClientFields): string =>
  text(',"user":', event.user) +
  text(',"userHash":', event.userHash) +
  value(',"groups":', event.groups) +
  value(',"groupsOmitted":', event.groupsOmitted) +
  text(',"authenticator":', event.authenticator) +
  text(',"authentication":', event.authentication) +
  text(',"credential":', event.credential) +
  value(',"presented":', event.presented)

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

const quoted = (field: string): string => (PLAIN.test(field) ? `"${field}"` : JSON.stringify(field))
