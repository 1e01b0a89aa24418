// Audit events for readers: one line for each, with columns of a fixed width, since there is no end to wait for.

import { isJsonObject, type JsonObject } from '../../runtime/json-object.ts'
import { joined } from '../format.ts'
import { printable } from '../printable.ts'

const TITLES = ['TIME', 'EVENT', 'USER', 'SOURCE', 'WHAT', 'WHY']
const WIDTHS = [24, 12, 16, 15, 48, 0]

/** The first line. */
export const LIST_TITLES = columns(TITLES)

/** An event as a line, safe for a terminal, without a line feed. */
export const eventAsLine = (event: JsonObject): string =>
  columns([
    text(event['time']),
    nameOf(event),
    text(event['user']) || text(event['userHash']),
    text(event['source']),
    whatOf(event),
    whyOf(event),
  ])

function columns(cells: readonly string[]): string {
  const padded = cells.map((cell, column) => printable(cell || '-').padEnd(WIDTHS[column] ?? 0))
  return padded.join('  ').trimEnd()
}

const text = (value: unknown): string =>
  typeof value === 'string' || typeof value === 'number' ? `${value}` : ''

const nameOf = ({ event, decision, status, outcome }: JsonObject): string =>
  event === 'decision'
    ? joined([text(decision), text(status)])
    : joined([text(event), text(outcome)])

/** The request, or what the event is about. */
const whatOf = (event: JsonObject): string => {
  const { kubernetes } = event
  const request = joined([text(event['method']), `${text(event['host'])}${text(event['path'])}`])
  if (request !== '' && isJsonObject(kubernetes)) {
    const { verb, resource, subresource, namespace, name } = kubernetes
    const target = joined([text(resource), text(subresource)], '/')
    if (target !== '') {
      return joined([text(verb), target, joined([text(namespace), text(name)], '/')])
    }
  }
  if (request !== '') return request
  const about = ['client', 'subject', 'handle', 'login', 'file', 'writer'] as const
  const counted = typeof event['count'] === 'number' ? `${event['count']} refusals` : ''
  return joined([counted, ...about.map((field) => text(event[field]))])
}

/** Route, rule and reason, and the decision id. */
const whyOf = (event: JsonObject): string =>
  joined([
    text(event['route']),
    labelled('rule', event['rule']),
    text(event['reason']) || text(event['cause']),
    text(event['detail']),
    labelled('id', event['id']),
  ])

const labelled = (label: string, value: unknown): string => {
  const shown = text(value)
  return shown === '' ? '' : `${label}=${shown}`
}
