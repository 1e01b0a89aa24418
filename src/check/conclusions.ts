// What a phase concluded, in words, for operators who follow checks. No secrets: a credential is never part of it, nor a query.

import type { ChainResult } from '../authenticate/chain.ts'
import type { Notes } from '../runtime/tracing/span.ts'
import type {
  AuthenticatedContext,
  CheckContext,
  IdentifiedContext,
  PermittedContext,
  RoutedContext,
} from './context.ts'
import type { Decision, Denial } from './decision.ts'
import type { PhaseName } from './watch.ts'

type Result = CheckContext | Decision

const CONCLUSIONS: Readonly<Record<PhaseName, (result: CheckContext) => string | undefined>> = {
  request: (context) => (isRouted(context) ? `route "${context.route.name}"` : undefined),
  authenticate: (context) => (isAuthenticated(context) ? resultText(context.result) : undefined),
  identity: (context) => (isIdentified(context) ? identityText(context) : undefined),
  authorize: (context) => (isPermitted(context) ? `rule "${context.permit.rule}"` : undefined),
  transform: () => undefined, // an allowance, below
}

/** The conclusion of a phase; undefined where there is none to tell. */
export const conclusionOf = (name: PhaseName, result: Result): string | undefined => {
  if (!('outcome' in result)) return CONCLUSIONS[name](result)
  return result.outcome === 'deny' ? denialText(result) : 'the upstream’s credential is made'
}

/** Who a check is about, and from where: by these it is found. */
export const notesOf = (decision: Decision): Notes => {
  const { identity, attributes, request } = decision.context
  const claimed = decision.outcome === 'deny' ? decision.claimedUser : undefined
  const user = identity?.user ?? claimed
  const userHash = decision.outcome === 'deny' ? decision.claimedUserHash : undefined
  const path = request?.path ?? attributes?.path.split('?', 1)[0]
  return {
    ...(user === undefined ? {} : { user }),
    ...(userHash === undefined ? {} : { userHash }),
    ...(attributes === undefined ? {} : { source: attributes.sourceAddress }),
    ...(request === undefined ? {} : { host: request.host }),
    ...(path === undefined ? {} : { path }),
  }
}

const denialText = ({ reason, rule, detail, claimedUser }: Denial): string => {
  const about = [
    ...(claimedUser === undefined ? [] : [`user "${claimedUser}"`]),
    ...(rule === undefined ? [] : [`rule "${rule}"`]),
    ...(detail === undefined ? [] : [detail]),
  ]
  return about.length === 0 ? reason : `${reason}: ${about.join('; ')}`
}

const resultText = ({ link, authentication }: ChainResult): string => {
  if (link === undefined) return 'no authenticator of the route takes a credential of the request'
  const { name } = link.authenticator
  if (authentication.outcome === 'rejected') return `"${name}" rejected it`
  if (authentication.outcome === 'unavailable') return `"${name}" got no answer`
  return `"${name}" proved it`
}

const identityText = ({ identity }: IdentifiedContext): string => {
  const { user, groups } = identity
  return groups.length === 0 ? `user "${user}"` : `user "${user}", groups ${groups.join(', ')}`
}

const isRouted = (context: CheckContext): context is RoutedContext => context.route !== undefined
const isAuthenticated = (context: CheckContext): context is AuthenticatedContext =>
  'result' in context
const isIdentified = (context: CheckContext): context is IdentifiedContext =>
  context.identity !== undefined
const isPermitted = (context: CheckContext): context is PermittedContext => 'permit' in context
