// The answer of a rule that refuses: `response` and `redirect`. It contains nothing of the caller
// except the URL of the request, percent-encoded.

import type { Rule } from '../../authorize/policy.ts'
import type { HeaderPair } from '../../transform/transformer.ts'
import type { CheckContext } from '../context.ts'
import type { Body, PublicRefusal } from './public-refusal.ts'

/** The `body` of the rule, as it is; `undefined` where it has none. */
export const ownBody = (
  rule: Rule | undefined,
  { id, rule: name = '' }: PublicRefusal,
): Body | undefined => {
  const { body, headers } = rule?.answer ?? {}
  if (body === undefined) return undefined
  return {
    type: headers?.['content-type'] ?? 'text/plain; charset=utf-8',
    body: filledIn(body, { decision: id, rule: name }),
  }
}

/** The `Location` of a rule's `redirect`. */
export const redirection = (redirect: string, id: string, context: CheckContext): HeaderPair => {
  const url = redirect.includes('{url}') ? encodeURIComponent(addressOf(context)) : ''
  return ['location', filledIn(redirect, { url, decision: encodeURIComponent(id) })]
}

// In one pass, so that what is filled in is not read for more.
const filledIn = (template: string, values: Readonly<Record<string, string>>): string =>
  template.replaceAll(/\{(decision|rule|url)\}/g, (whole, key: string) => values[key] ?? whole)

// Clients and servers refuse lines of some kilobytes; then the place must do.
const LONGEST = 2_048

/**
 * The URL of the request (RFC 9110 §4.2): as the client wrote it, without the
 * credentials that the route takes from its query.
 */
const addressOf = ({ attributes, request, route }: CheckContext): string => {
  if (attributes === undefined) return ''
  const { host, path } = attributes
  const kept = request && route?.places?.parameters?.takenFrom(request.query)
  const target = kept === undefined ? path : `${request?.rawPath ?? ''}${kept && `?${kept}`}`
  const site = `${schemeOf(request)}://${host}`
  const url = `${site}${target}`.toWellFormed()
  return url.length > LONGEST ? `${site}/` : url
}

/** Envoy sets `x-forwarded-proto` in every request; without it a proxy in front terminates TLS. */
const schemeOf = (request: CheckContext['request']): string => {
  const proto = request?.headers.text('x-forwarded-proto')?.toLowerCase()
  return proto === 'http' ? 'http' : 'https'
}
