// The form of certificate handles. Reading it needs no key, and none of the code that seals and opens.

import { createHash } from 'node:crypto'
import type { SpanReference } from '../runtime/tracing/span.ts'

/** Characters. Envoy 1.40 takes secret names of 6,000 characters (measured); each is held some ten times over. */
export const LONGEST_HANDLE = 6_000

/** A handle is base64url of: this byte, the key's id, the ciphertext with its tag of 16 bytes. */
export const FORMAT = 1
/** Where the key's id begins, in bytes. */
export const ID_AT = 1
/** Where the ciphertext begins, in bytes. */
export const SEALED_AT = 5
const TAG_BYTES = 16

/** Whether a name has the form of a handle. No key is needed to say so. */
export const isHandle = (name: string): boolean => readHandle(name) !== undefined

/** The bytes of a handle; `undefined` where the text has not the form of one. */
export const readHandle = (handle: string): Buffer | undefined => {
  if (handle.length > LONGEST_HANDLE || !/^[A-Za-z0-9_-]+$/.test(handle)) return undefined
  const bytes = Buffer.from(handle, 'base64url')
  // One handle for one grant: no second spelling in the bits that base64url leaves over.
  const canonical = bytes.toString('base64url') === handle
  if (!canonical || bytes[0] !== FORMAT || bytes.length <= SEALED_AT + TAG_BYTES) return undefined
  return bytes
}

const DIGEST_DIGITS = 16

const hashOf = (handle: string): string => createHash('sha256').update(handle).digest('hex')

/** How logs name a handle: the same in the decision of authz and in the signer's issuance. */
export const handleDigest = (handle: string): string => hashOf(handle).slice(0, DIGEST_DIGITS)

// W3C Trace Context §3.2.2.
const TRACE_DIGITS = 32
const SPAN_DIGITS = 16

/**
 * The trace of the issuances of a handle: its id begins with the {@link handleDigest}. The span id is for links alone, which
 * need one; no span has it, since each signer and each repetition makes a span of its own.
 */
export const issuanceTrace = (handle: string): SpanReference => {
  const hash = hashOf(handle)
  return {
    traceId: hash.slice(0, TRACE_DIGITS),
    spanId: hash.slice(TRACE_DIGITS, TRACE_DIGITS + SPAN_DIGITS),
  }
}
