// LDAP responses from bytes (RFC 4511 §4), read strictly: a response without a result code is an
// error, and never the zero that means success.

import { cutText } from '../../runtime/text.ts'
import { BerError, contentOf, ElementCount, elementsOf, numberOf, type BerElement } from './ber.ts'

/** Operations of responses. */
export const OPERATION = {
  bindResponse: 0x61,
  searchEntry: 0x64,
  searchDone: 0x65,
  searchReference: 0x73,
  extendedResponse: 0x78,
} as const

/** Result codes (RFC 4511 §A.1) that are distinguished here. */
export const RESULT = {
  success: 0,
  sizeLimitExceeded: 4,
  confidentialityRequired: 13,
  noSuchObject: 32,
  inappropriateAuthentication: 48,
  invalidCredentials: 49,
  busy: 51,
  unavailable: 52,
} as const

/** How an operation ended. */
export interface LdapResult {
  readonly code: number
  /** For operators; Active Directory puts its sub-codes here. */
  readonly diagnostic: string
  /** The error of the password policy control (draft-behera-ldap-password-policy §6.2). */
  readonly policyError?: number | undefined
}

/** An entry of the directory. */
export interface Entry {
  readonly dn: string
  /** Values by the attribute's name in lower case. */
  readonly attributes: ReadonlyMap<string, readonly Buffer[]>
}

/** One message from a server. */
export type Response = Message & {
  /** How many BER elements it has. */
  readonly elements: number
}

type Message =
  | { readonly kind: 'entry'; readonly messageId: number; readonly entry: Entry }
  // Named and not followed: a referral could send a bind to a server that is not configured.
  | { readonly kind: 'reference'; readonly messageId: number }
  | {
      readonly kind: 'result'
      readonly messageId: number
      readonly operation: number
      readonly result: LdapResult
    }

const TAG = { integer: 0x02, octetString: 0x04, enumerated: 0x0a, sequence: 0x30, set: 0x31 }
const CONTROLS = 0xa0
const PASSWORD_POLICY = '1.3.6.1.4.1.42.2.27.8.5.1'
const POLICY_ERROR = 0x81

/**
 * BER elements of one message: an entry with 10,000 values has as many, and some more. Reading them
 * takes 5 to 10 ms.
 */
const MOST_ELEMENTS = 20_000

/** Bytes of the name of an entry. */
const LONGEST_NAME = 4_096

/** Characters of a server's own words that go into messages and logs. */
const LONGEST_DIAGNOSTIC = 500

/**
 * Reads one message.
 *
 * @throws BerError when it is not a response to any request of this client
 */
export const readResponse = (bytes: Buffer): Response => {
  const count = new ElementCount(MOST_ELEMENTS)
  const message = readMessage(bytes, count)
  return { ...message, elements: count.read }
}

const readMessage = (bytes: Buffer, count: ElementCount): Message => {
  const [message] = elementsOf(bytes, count)
  const [id, operation, controls] = elementsOf(contentOf(message, TAG.sequence), count)
  const messageId = numberOf(id, TAG.integer)
  if (operation === undefined) throw new BerError('a message without an operation')
  switch (operation.tag) {
    case OPERATION.searchEntry:
      return { kind: 'entry', messageId, entry: readEntry(operation.content, count) }
    case OPERATION.searchReference:
      return { kind: 'reference', messageId }
    case OPERATION.bindResponse:
    case OPERATION.searchDone:
    case OPERATION.extendedResponse: {
      const policyError = controls === undefined ? undefined : policyErrorIn(controls, count)
      const result = { ...readResult(operation.content, count), policyError }
      return { kind: 'result', messageId, operation: operation.tag, result }
    }
  }
  throw new BerError(`an operation of type ${operation.tag}`)
}

const readResult = (
  content: Buffer,
  count: ElementCount,
): { readonly code: number; readonly diagnostic: string } => {
  const [code, matched, diagnostic] = elementsOf(content, count)
  contentOf(matched, TAG.octetString)
  return {
    code: numberOf(code, TAG.enumerated),
    diagnostic: cutText(contentOf(diagnostic, TAG.octetString).toString(), LONGEST_DIAGNOSTIC),
  }
}

const readEntry = (content: Buffer, count: ElementCount): Entry => {
  const [dn, list] = elementsOf(content, count)
  const name = contentOf(dn, TAG.octetString)
  if (name.length > LONGEST_NAME) throw new BerError(`a name of more than ${LONGEST_NAME} bytes`)
  const attributes = new Map<string, readonly Buffer[]>()
  for (const attribute of elementsOf(contentOf(list, TAG.sequence), count)) {
    const [type, values] = elementsOf(contentOf(attribute, TAG.sequence), count)
    attributes.set(
      contentOf(type, TAG.octetString).toString().toLowerCase(),
      elementsOf(contentOf(values, TAG.set), count).map((value) =>
        contentOf(value, TAG.octetString),
      ),
    )
  }
  return { dn: name.toString(), attributes }
}

const policyErrorIn = (controls: BerElement, count: ElementCount): number | undefined => {
  for (const control of elementsOf(contentOf(controls, CONTROLS), count)) {
    const [type, ...rest] = elementsOf(contentOf(control, TAG.sequence), count)
    if (contentOf(type, TAG.octetString).toString() !== PASSWORD_POLICY) continue
    const value = rest.find(({ tag }) => tag === TAG.octetString)
    if (value === undefined) continue
    const [sequence] = elementsOf(value.content, count)
    const error = elementsOf(contentOf(sequence, TAG.sequence), count).find(
      ({ tag }) => tag === POLICY_ERROR,
    )
    if (error !== undefined) return numberOf(error, POLICY_ERROR)
  }
  return undefined
}
