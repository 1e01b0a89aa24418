// Whether a CheckResponse is the right one. The first for each expectation is decoded; an answer
// like the last one is compared byte by byte, since decoding each would cost more than making it.

import { z } from 'zod'
import { GrantSeal } from '../../src/grant/seal.ts'
import { parseGrantKeys } from '../../src/keys/grant-keys.ts'
import { authorizationService } from '../../src/proto/load.ts'
import type { CheckResponse__Output } from '../../src/proto/generated/envoy/service/auth/v3/CheckResponse.ts'
import type { HeaderValueOption__Output } from '../../src/proto/generated/envoy/config/core/v3/HeaderValueOption.ts'
import { decodeName } from '../../src/x509/name.ts'
import { attributeName } from '../../src/x509/oid.ts'
import type { Expectation } from '../expectation.ts'

const DECISION_HEADER = 'x-countersign-decision'

// Envoy ends a stream with its credential, in so many milliseconds: another number in each answer.
const DURATION_HEADER = 'x-envoy-upstream-stream-duration-ms'

/** A right answer, with the places that differ from one right answer to the next. */
interface Template {
  readonly bytes: Buffer
  readonly varying: readonly Place[]
}

interface Place {
  readonly start: number
  readonly end: number
  /** Whether the name of the user is there. */
  readonly isUser?: boolean
}

/** Checks that expect the same except the user: an answer that is right for one is a template for all. */
export class AnswerFamily {
  /** The last right answer. */
  template: Template | undefined
}

/** Checks answers to one question. */
export class AnswerCheck {
  readonly #expectation: Expectation
  readonly #family: AnswerFamily
  readonly #user: Buffer

  constructor(expectation: Expectation, family = new AnswerFamily()) {
    this.#expectation = expectation
    this.#family = family
    this.#user = Buffer.from(userOf(expectation) ?? '')
  }

  /** Throws when it is not the expected answer. */
  check(answer: Buffer): void {
    const { template } = this.#family
    if (template !== undefined && isLike(answer, template, this.#user)) return
    const response = authorizationService.Check.responseDeserialize(answer)
    const fault = faultOf(response, this.#expectation)
    if (fault !== undefined) {
      throw new Error(`wrong answer: ${fault}, in ${JSON.stringify(response)}`)
    }
    // The last one: another certificate is granted when a slot ends.
    this.#family.template = templateOf(answer, response, userOf(this.#expectation))
  }
}

/** The user whose name is in an answer as it is. */
const userOf = (expectation: Expectation): string | undefined =>
  expectation.outcome === 'allow' ? expectation.user : undefined

const templateOf = (
  bytes: Buffer,
  response: CheckResponse__Output,
  user: string | undefined,
): Template => {
  const id = decisionOf(response)
  const [duration] = valuesOf(response.ok_response?.headers ?? [], DURATION_HEADER)
  const varying: readonly Place[] = [
    ...(user === undefined
      ? []
      : placesOf(bytes, user, 0).map((place) => ({ ...place, isUser: true }))),
    ...(id === undefined ? [] : placesOf(bytes, id, 0)),
    // Where the header is: the number may be a part of something else.
    ...(duration === undefined
      ? []
      : placesOf(bytes, duration, bytes.indexOf(DURATION_HEADER)).slice(0, 1)),
  ]
  return {
    bytes: Buffer.from(bytes),
    varying: varying.toSorted((one, other) => one.start - other.start),
  }
}

const placesOf = (bytes: Buffer, text: string, from: number): readonly Place[] => {
  const places: Place[] = []
  for (let at = bytes.indexOf(text, from); at !== -1; at = bytes.indexOf(text, at + text.length)) {
    places.push({ start: at, end: at + text.length })
  }
  return places
}

const isLike = (answer: Buffer, { bytes, varying }: Template, user: Buffer): boolean => {
  if (answer.length !== bytes.length) return false
  let from = 0
  for (const { start, end, isUser = false } of varying) {
    if (answer.compare(bytes, from, start, from, start) !== 0) return false
    if (isUser && answer.compare(user, 0, user.length, start, end) !== 0) return false
    from = end
  }
  return answer.compare(bytes, from, bytes.length, from) === 0
}

const decisionOf = ({ ok_response, denied_response }: CheckResponse__Output): string | undefined =>
  valuesOf(
    [...(ok_response?.response_headers_to_add ?? []), ...(denied_response?.headers ?? [])],
    DECISION_HEADER,
  )[0]

const faultOf = (response: CheckResponse__Output, expected: Expectation): string | undefined => {
  switch (expected.outcome) {
    case 'allow':
      return allowFault(response, expected)
    case 'certificate':
      return certificateFault(response, expected)
    case 'token':
      return tokenFault(response, expected)
    case 'deny':
      return denyFault(response, expected)
  }
}

const allowFault = (
  { status, http_response, ok_response, dynamic_metadata }: CheckResponse__Output,
  { user, groups, groupsIn }: Extract<Expectation, { outcome: 'allow' }>,
): string | undefined => {
  if (status?.code !== 0) return `status ${status?.code} instead of 0`
  if (http_response !== 'ok_response') return 'no ok_response'
  const headers = ok_response?.headers ?? []
  const users = valuesOf(headers, 'x-remote-user')
  if (users.length !== 1 || users[0] !== user) return `x-remote-user is ${users.join(', ')}`
  const lists = dynamic_metadata?.fields?.['headers']?.structValue?.fields?.['x-remote-group']
  const seen =
    groupsIn === 'headers'
      ? valuesOf(headers, 'x-remote-group').flatMap((line) => line.split(','))
      : (lists?.listValue?.values ?? []).map(({ stringValue }) => stringValue)
  return String(seen) === String(groups) ? undefined : `x-remote-group is ${seen.join(', ')}`
}

const certificateFault = (
  { status, http_response, ok_response, dynamic_metadata }: CheckResponse__Output,
  { user, groups, keyring }: Extract<Expectation, { outcome: 'certificate' }>,
): string | undefined => {
  if (status?.code !== 0) return `status ${status?.code} instead of 0`
  if (http_response !== 'ok_response') return 'no ok_response'
  const headers = (ok_response?.headers ?? []).map(({ header }) => header?.key)
  if (headers.some((key) => key !== DURATION_HEADER)) return 'headers next to the certificate'
  const handle = dynamic_metadata?.fields?.['upstream_secret']?.stringValue ?? ''
  const opening = new GrantSeal(parseGrantKeys('the bench', keyring)).open(handle)
  if (opening.outcome === 'refused') return `a handle that is not a grant: ${opening.code}`
  const seen = decodeName(opening.grant.subject).map(
    ({ oid, value }) => `${attributeName(oid)}=${value}`,
  )
  const wanted = [`CN=${user}`, ...groups.map((group) => `O=${group}`)]
  return String(seen) === String(wanted) ? undefined : `the certificate is for ${seen.join(', ')}`
}

/** The last one's bytes are taken for those that follow: that they are signed, the tests show. */
const tokenFault = (
  { status, http_response, ok_response }: CheckResponse__Output,
  { user, groups }: Extract<Expectation, { outcome: 'token' }>,
): string | undefined => {
  if (status?.code !== 0) return `status ${status?.code} instead of 0`
  if (http_response !== 'ok_response') return 'no ok_response'
  const [token] = valuesOf(ok_response?.headers ?? [], 'authorization')
  const payload = /^Bearer [\w-]+\.([\w-]+)\.[\w-]+$/.exec(token ?? '')?.[1]
  if (payload === undefined) return 'no token'
  const claims: unknown = JSON.parse(Buffer.from(payload, 'base64url').toString())
  const { sub, groups: seen } = claimsSchema.parse(claims)
  const right = sub === user && String(seen) === String(groups)
  return right ? undefined : `the token is for ${sub} of ${seen.join(', ')}`
}

const claimsSchema = z.object({ sub: z.string(), groups: z.array(z.string()) })

const denyFault = (
  { status, http_response, denied_response }: CheckResponse__Output,
  expected: Extract<Expectation, { outcome: 'deny' }>,
): string | undefined => {
  if (status === null || status.code === 0) return 'a status that lets the request through'
  if (http_response !== 'denied_response') return 'no denied_response'
  const code = denied_response?.status?.code
  if (code !== expected.status) return `HTTP status ${code} instead of ${expected.status}`
  if (expected.status !== 'Unauthorized') return undefined
  const challenges = valuesOf(denied_response?.headers ?? [], 'www-authenticate')
  return challenges.length === 0 ? 'no challenge' : undefined
}

const valuesOf = (headers: readonly HeaderValueOption__Output[], name: string): readonly string[] =>
  headers.flatMap(({ header }) =>
    header?.key.toLowerCase() === name
      ? [header.raw_value.length > 0 ? header.raw_value.toString() : header.value]
      : [],
  )
