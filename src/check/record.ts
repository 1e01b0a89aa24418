// What is known of a check → the event that audit keeps of it.

import type { DecisionEvent, RecordedKubernetes } from '../audit/event.ts'
import type { AuditConfig } from '../audit/schema.ts'
import type { Impersonation } from '../request/kubernetes/impersonation.ts'
import type { KubernetesRequest } from '../request/kubernetes/request-info.ts'
import type { SecretParameters } from '../request/query.ts'
import type { Identity } from '../identity/identity.ts'
import { cutText } from '../runtime/text.ts'
import { fitting } from './record-limit.ts'
import { statusOf } from './answer/public-answers.ts'
import type { Decision } from './decision.ts'
import type { Snapshot } from './snapshot.ts'

/** The event of a check. */
export const describeDecision = (
  decision: Decision,
  { config: { audit }, routes }: Snapshot,
  basics: Pick<DecisionEvent, 'id' | 'generation' | 'duration'>,
): DecisionEvent => {
  const { attributes, request, route, identity, target, shadows } = decision.context
  const denial = decision.outcome === 'deny' ? decision : undefined
  const allowance = decision.outcome === 'allow' ? decision : undefined
  const event: DecisionEvent = {
    event: 'decision',
    id: basics.id,
    request: cutName(request?.id),
    decision: decision.outcome,
    reason: decision.reason,
    status: statusOf(decision),
    route: route?.name,
    method: cutName(attributes?.method),
    host: cutName(request?.host ?? withoutUserinfo(attributes?.host)),
    path: attributes && recordPath(attributes.path, audit.query, routes.withheld),
    queryOmitted: (audit.query === 'none' && attributes?.path.includes('?')) || undefined,
    source: request?.source.address ?? attributes?.sourceAddress,
    user: identity?.user ?? cutName(denial?.claimedUser),
    userHash: denial?.claimedUserHash,
    groups: identity?.groups,
    groupsOmitted: identity?.groupsOmitted,
    authenticator: decision.context.authenticator,
    authentication: identity?.method,
    credential: identity?.digest,
    presented: decision.context.presented,
    rule: allowance?.permit.rule ?? denial?.rule,
    shadow: shadows?.length === 0 ? undefined : shadows,
    detail: denial?.detail,
    kubernetes: target?.kubernetes && recordKubernetes(target.kubernetes, identity !== undefined),
    operation: target?.operation?.operation.id,
    forwarded: allowance?.credentials.kinds,
    handle: allowance?.credentials.secret?.digest,
    jti: allowance?.credentials.tokenIds,
    duration: basics.duration,
    generation: basics.generation,
  }
  return isProven(identity) ? event : fitting(event)
}

const isProven = (identity: Identity | undefined): boolean =>
  identity !== undefined && identity.method !== 'anonymous'

/** @param proven whether the identity is proven; the groups of an unproven one are not recorded */
const recordKubernetes = (
  {
    verb,
    apiGroup,
    apiVersion,
    namespace,
    resource,
    subresource,
    name,
    impersonation,
  }: KubernetesRequest,
  proven: boolean,
): RecordedKubernetes => ({
  verb,
  ...withoutEmpty({ apiGroup, apiVersion, namespace, resource, subresource, name }),
  ...(impersonation && {
    impersonation: proven ? recordImpersonation(impersonation) : { user: cut(impersonation.user) },
  }),
})

/** Groups and keys whole: what was allowed must not hide behind what is cut. */
const recordImpersonation = ({
  user,
  uid,
  groups,
  extra,
}: Impersonation): NonNullable<RecordedKubernetes['impersonation']> => ({
  user,
  ...(uid === undefined ? {} : { uid }),
  ...(groups.length === 0 ? {} : { groups }),
  ...(extra.size === 0 ? {} : { extra: [...extra.keys()] }),
})

const withoutEmpty = (texts: Readonly<Record<string, string>>): Readonly<Record<string, string>> =>
  Object.fromEntries(
    Object.entries(texts).flatMap(([key, text]) => (text === '' ? [] : [[key, cut(text)]])),
  )

/**
 * How much of path and query is recorded. Longer ones are of no use to a reader, and one caller must
 * not fill the disk.
 */
export const MAX_PATH = 2_048

/** The same for every other text of a client whose identity may not be proven. */
const cut = <T extends string | undefined>(text: T): T | string => text && cutText(text, MAX_PATH)

/** A name, or what should be one. DNS and Kubernetes have at most 253 characters. */
const MAX_NAME = 256

const cutName = (text: string | undefined): string | undefined => text && cutText(text, MAX_NAME)

/** A host with a user and a password before it is malformed (RFC 9110 §4.2.4), and recorded without them. */
const withoutUserinfo = (host: string | undefined): string | undefined =>
  host?.replace(/^[^]*@/, `${WITHHELD}@`)

/** Whether a recorded text is not whole, or would not be. */
export const isCut = (text: string): boolean => text.length > MAX_PATH

/** Replaces a value of the query that is not recorded. */
export const WITHHELD = '[withheld]'

/**
 * The path as audit records it: query values can be secrets (`access_token=…`), names hardly. What
 * is known to be a secret is withheld at every setting.
 */
const recordPath = (
  target: string,
  recorded: AuditConfig['query'],
  withheld: SecretParameters,
): string => {
  const mark = target.indexOf('?')
  if (mark === -1) return target.slice(0, MAX_PATH)
  const path = target.slice(0, mark)
  if (recorded === 'none') return path.slice(0, MAX_PATH)
  const shown = (part: string): string =>
    recorded === 'full' ? withheld.withheldIn(part) : part.replace(VALUE, `=${WITHHELD}`)
  let text = path
  // Clients choose how many there are and how long, and only what is recorded is read.
  for (let from = mark; from !== -1 && text.length < MAX_PATH;) {
    const end = target.indexOf('&', from + 1)
    const part = target.slice(from + 1, Math.min(end === -1 ? target.length : end, from + MAX_PATH))
    text += (target[from] ?? '') + shown(part)
    from = end
  }
  return text.slice(0, MAX_PATH)
}

// Also where the "=" is percent-encoded, once or several times: then the value would pass as a part of the name.
const VALUE = /(?:=|%(?:25)*3d)[^]*/i
