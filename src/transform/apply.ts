// Phase 6: strip, then set. Takes a permit and nothing less; what cannot be made whole is refused.

import { isPermit, type Permit } from '../authorize/evaluate.ts'
import { andThen, type MaybePromise } from '../runtime/maybe-promise.ts'
import { impersonationHeaders } from './headers/kubernetes-headers.ts'
import {
  strippedFrom,
  subprotocolsFor,
  withoutOurCookies,
  withoutParameters,
  type CredentialPlaces,
} from './strip.ts'
import { isTooLarge } from './outgoing-bytes.ts'
import type {
  ForwardedKind,
  Forwarding,
  HeaderPair,
  Transformation,
  Transformer,
} from './transformer.ts'

/** Everything that Envoy must change about the request before it forwards it. */
export interface Credentials extends Forwarding {
  /** Headers that the caller sent and the upstream must not see; none that is set again. */
  readonly removeHeaders: readonly string[]
  /** The kinds of credential that were made, for audit. */
  readonly kinds: readonly ForwardedKind[]
}

/** The outcome of phase 6. */
export type TransformResult =
  | { readonly outcome: 'transformed'; readonly credentials: Credentials }
  | Exclude<Transformation, { outcome: 'transformed' }>

/** What of a route says what goes upstream. */
export interface Outgoing {
  readonly transformers: readonly Transformer[]
  /** What is stripped beyond what is stripped from every request, and what is not. */
  readonly places: CredentialPlaces | undefined
  /** The most bytes of headers that the upstream takes. */
  readonly maxHeaderBytes: number
  /** Whether it gets the decision id as well, which `check/answer/response.ts` sets. */
  readonly sendsAuditId: boolean
}

/** Makes every credential of the route, or none; at once where no transformer has to wait. */
export const transform = (
  permit: Permit,
  outgoing: Outgoing,
  signal: AbortSignal,
): MaybePromise<TransformResult> => {
  if (!isPermit(permit)) throw new TypeError('transform was called without a genuine permit')
  return andThen(makeAll(permit, outgoing.transformers, [], signal), (made) =>
    made.outcome === 'made' ? assemble(permit, outgoing, made.forwardings) : made,
  )
}

/** Every credential, or the first that could not be made. */
type Making =
  | { readonly outcome: 'made'; readonly forwardings: readonly Forwarding[] }
  | Exclude<Transformation, { outcome: 'transformed' }>

/** @param made what the first transformers have made, one each: the next one is that of its length */
const makeAll = (
  permit: Permit,
  transformers: readonly Transformer[],
  made: readonly Forwarding[],
  signal: AbortSignal,
): MaybePromise<Making> => {
  const transformer = transformers[made.length]
  if (transformer === undefined) return { outcome: 'made', forwardings: made }
  return andThen(transformer.transform(permit, signal), (transformation) =>
    transformation.outcome === 'transformed'
      ? makeAll(permit, transformers, [...made, transformation.forwarding], signal)
      : transformation,
  )
}

/** What Envoy has to change, with what the transformers made. */
const assemble = (
  permit: Permit,
  { transformers, places, maxHeaderBytes, sendsAuditId }: Outgoing,
  forwardings: readonly Forwarding[],
): TransformResult => {
  const made = [...forwardings]
  const { request, target } = permit
  const { impersonation } = target.kubernetes ?? {}
  if (impersonation !== undefined) {
    // The API server would judge the permission of Envoy. The configuration is refused (configuration/parse.ts).
    if (made.length === 0)
      throw new TypeError('an impersonation without a credential for the upstream')
    const transformation = impersonationHeaders(impersonation)
    if (transformation.outcome !== 'transformed') return transformation
    made.push(transformation.forwarding)
  }
  const { headers } = request
  const forwarding = combine(made)
  const lists = [subprotocolsFor(headers, places), withoutOurCookies(headers)].filter(
    (list) => list !== undefined,
  )
  const kept = lists.filter(([, value]) => value !== '')
  const gone = lists.filter(([, value]) => value === '').map(([name]) => name)
  const { parameters } = places ?? {}
  const replaced = parameters === undefined ? NOTHING : withoutParameters(request, parameters)
  const setHeaders =
    kept.length === 0 && replaced.length === 0
      ? forwarding.setHeaders
      : [...forwarding.setHeaders, ...kept, ...replaced]
  // Envoy sets first and removes afterwards, so a name in both lists would be lost.
  const removeHeaders = [...gone, ...strippedFrom(headers, places)].filter(
    (name) => !forwarding.setHeaders.some(([set]) => set === name.toLowerCase()),
  )
  const outgoing = { ...forwarding, setHeaders, removeHeaders }
  const sized = sendsAuditId ? { ...outgoing, setHeaders: [...setHeaders, ROOM_FOR_ID] } : outgoing
  if (isTooLarge(request, sized, maxHeaderBytes)) {
    return { outcome: 'failed', code: 'headers-too-large' }
  }
  return {
    outcome: 'transformed',
    credentials: { ...outgoing, kinds: [...new Set(transformers.map(({ kind }) => kind))] },
  }
}

const NOTHING: readonly HeaderPair[] = []

// As long as any other: a UUID.
const ROOM_FOR_ID: HeaderPair = ['audit-id', '00000000-0000-0000-0000-000000000000']

const combine = (made: readonly Forwarding[]): Forwarding => {
  const [only] = made
  if (only !== undefined && made.length === 1) return only // as it nearly always is: nothing to copy
  const secret = made.find((forwarding) => forwarding.secret !== undefined)?.secret
  const tokenIds = made.flatMap((forwarding) => forwarding.tokenIds ?? [])
  return {
    setHeaders: made.flatMap(({ setHeaders }) => setHeaders),
    repeatedHeaders: made.flatMap(({ repeatedHeaders }) => repeatedHeaders),
    ...(secret === undefined ? {} : { secret }),
    ...(tokenIds.length === 0 ? {} : { tokenIds }),
  }
}
