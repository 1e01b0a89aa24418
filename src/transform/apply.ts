// Phase 6: strip, then set. Takes a permit and nothing less; what cannot be made whole is refused.

import { isPermit, type Permit } from '../authorize/evaluate.ts'
import { Derived, hasRoomForDerived, keepsDerived } from '../runtime/derived.ts'
import type { MaybePromise } from '../runtime/maybe-promise.ts'
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
  RepeatedHeader,
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

/** The settings of a route for the forwarded request. */
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
  const made = makeAll(permit, outgoing.transformers, [], signal)
  return made instanceof Promise
    ? made.then((settled) => assembleMade(permit, outgoing, settled))
    : assembleMade(permit, outgoing, made)
}

const assembleMade = (permit: Permit, outgoing: Outgoing, made: Making): TransformResult =>
  made.outcome === 'made' ? assemble(permit, outgoing, made.forwardings) : made

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
  const forwardings = made.slice()
  for (;;) {
    const transformer = transformers[forwardings.length]
    if (transformer === undefined) return { outcome: 'made', forwardings }
    const transformation = transformer.transform(permit, signal)
    if (transformation instanceof Promise) {
      return transformation.then((settled) =>
        settled.outcome === 'transformed'
          ? makeAll(permit, transformers, [...forwardings, settled.forwarding], signal)
          : settled,
      )
    }
    if (transformation.outcome !== 'transformed') return transformation
    forwardings.push(transformation.forwarding)
  }
}

/** What Envoy has to change, with what the transformers made. */
const assemble = (
  permit: Permit,
  outgoing: Outgoing,
  forwardings: readonly Forwarding[],
): TransformResult => {
  const { impersonation } = permit.target.kubernetes ?? {}
  if (impersonation === undefined) return replace(permit, outgoing, combine(forwardings))
  // The API server would ask whether Envoy may. The configuration is refused (configuration/parse.ts).
  if (forwardings.length === 0)
    throw new TypeError('an impersonation without a credential for the upstream')
  const transformation = impersonationHeaders(impersonation)
  if (transformation.outcome !== 'transformed') return transformation
  return replace(permit, outgoing, merge([...forwardings, transformation.forwarding]))
}

/** What Envoy has to change so that the upstream receives this in place of what the caller sent. */
const replace = (
  { request }: Permit,
  { transformers, places, maxHeaderBytes, sendsAuditId }: Outgoing,
  forwarding: Forwarding,
): TransformResult => {
  const { headers } = request
  let setHeaders = forwarding.setHeaders
  let removeHeaders = strippedFrom(headers, places)
  const replaceList = (list: HeaderPair | undefined): void => {
    if (list === undefined) return
    if (list[1] === '') removeHeaders = [list[0], ...removeHeaders]
    else setHeaders = [...setHeaders, list]
  }
  replaceList(subprotocolsFor(headers, places))
  replaceList(withoutOurCookies(headers))
  if (places?.parameters !== undefined) {
    setHeaders = [...setHeaders, ...withoutParameters(request, places.parameters)]
  }
  const { repeatedHeaders, secret, tokenIds } = forwarding
  const credentials: Credentials = {
    setHeaders,
    repeatedHeaders,
    removeHeaders: notSet(removeHeaders, forwarding.setHeaders),
    kinds: kindsOf(transformers),
    ...(secret === undefined ? undefined : { secret }),
    ...(tokenIds === undefined ? undefined : { tokenIds }),
  }
  return isTooLarge(request, credentials, maxHeaderBytes, sendsAuditId ? ROOM_FOR_ID : undefined)
    ? TOO_LARGE
    : { outcome: 'transformed', credentials }
}

const TOO_LARGE = { outcome: 'failed', code: 'headers-too-large' } as const

/** Envoy sets first and removes afterwards, so a name in both lists would be lost. */
const notSet = (
  removeHeaders: readonly string[],
  setHeaders: readonly HeaderPair[],
): readonly string[] => {
  for (const name of removeHeaders) {
    if (isSet(name, setHeaders)) return removeHeaders.filter((other) => !isSet(other, setHeaders))
  }
  return removeHeaders
}

const isSet = (name: string, setHeaders: readonly HeaderPair[]): boolean => {
  for (const [set] of setHeaders) {
    if (set.length === name.length && set === name.toLowerCase()) return true
  }
  return false
}

// By the transformers of a route.
const kinds = new Derived<readonly Transformer[], readonly ForwardedKind[]>()

const kindsOf = (transformers: readonly Transformer[]): readonly ForwardedKind[] => {
  const known = kinds.get(transformers)
  if (known !== undefined) return known
  const made = [...new Set(transformers.map(({ kind }) => kind))]
  kinds.set(transformers, made)
  return made
}

// As long as any other: a UUID.
const ROOM_FOR_ID: HeaderPair = ['audit-id', '00000000-0000-0000-0000-000000000000']

/** What several transformers made for an identity, as one. */
interface Combination {
  readonly of: readonly Forwarding[]
  readonly forwarding: Forwarding
}

// By the headers of the first, which are kept with the identity.
const combinations = new Derived<readonly HeaderPair[], Combination>()

/** What was made, as one; the same object where the same objects were made before. */
const combine = (made: readonly Forwarding[]): Forwarding => {
  const [first] = made
  if (first !== undefined && made.length === 1) return first // as it nearly always is: nothing to copy
  if (first === undefined || !made.every(isKept)) return merge(made)
  const known = combinations.get(first.setHeaders)
  if (known !== undefined && areSame(known.of, made)) return known.forwarding
  const merged = merge(made)
  const forwarding = { ...merged, setHeaders: keepsDerived(merged.setHeaders) }
  combinations.set(first.setHeaders, { of: made, forwarding })
  return forwarding
}

const isKept = ({ setHeaders }: Forwarding): boolean => hasRoomForDerived(setHeaders)

const areSame = (one: readonly Forwarding[], other: readonly Forwarding[]): boolean =>
  one.length === other.length && one.every((forwarding, index) => forwarding === other[index])

const merge = (made: readonly Forwarding[]): Forwarding => {
  const secret = made.find((forwarding) => forwarding.secret !== undefined)?.secret
  const tokenIds = made.flatMap((forwarding) => forwarding.tokenIds ?? [])
  return {
    setHeaders: made.flatMap(({ setHeaders }) => setHeaders),
    repeatedHeaders: mergeRepeated(made),
    ...(secret === undefined ? {} : { secret }),
    ...(tokenIds.length === 0 ? {} : { tokenIds }),
  }
}

/** The lists of one are passed on as they are: what was worked out for them is found by them. */
const mergeRepeated = (made: readonly Forwarding[]): readonly RepeatedHeader[] => {
  const [first, ...others] = made.filter(({ repeatedHeaders }) => repeatedHeaders.length > 0)
  if (first === undefined || others.length === 0) return first?.repeatedHeaders ?? []
  return made.flatMap(({ repeatedHeaders }) => repeatedHeaders)
}
