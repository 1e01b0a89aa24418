// A caller with a token that is bound to its key, a token that is not bound, and functions that present them.

import type { Authentication, Authenticator } from '../../../src/authenticate/authenticator.ts'
import type { DpopOptions } from '../../../src/authenticate/bearer/dpop.ts'
import type { FakeClock } from '../../fakes/clock.ts'
import { requestOf, type HeaderLines, type RequestParts } from '../../fakes/envoy.ts'
import { bearerWith } from './asking.ts'
import { codeOf } from '../../fakes/authenticator.ts'
import { claimsOf, keySetOf, makeKey } from './issuing.ts'
import { makeCaller, provable } from './proving.ts'

export const key = await makeKey()
export const caller = await makeCaller()
export const bound = await key.token(claimsOf({ cnf: { jkt: caller.thumbprint } }))
export const unbound = await key.token()

/** An authenticator that checks proofs. */
export const authenticatorWith = (
  options?: Partial<DpopOptions>,
  clock?: FakeClock,
): Authenticator => bearerWith(keySetOf(key), provable(options, clock))

/** Its outcome for a request. */
export const answerTo = async (
  authenticator: Authenticator,
  headers: HeaderLines,
  parts: RequestParts = {},
): Promise<Authentication> =>
  await authenticator.authenticate(requestOf({ ...parts, headers }), new AbortController().signal)

/** The outcome, or why it was rejected. */
export const ask = async (
  authenticator: Authenticator,
  headers: HeaderLines,
  parts?: RequestParts,
): Promise<string> => codeOf(await answerTo(authenticator, headers, parts))
